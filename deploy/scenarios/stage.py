"""One scenario on its platform: its home, what of its story is still to come, and what was noted of it."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from deploy.scenarios.evidence import OfScenario
from deploy.scenarios.naming import Names
from device_sim.publish import Network
from device_sim.scenario.doctors import Act
from device_sim.scenario.expectations import ExpectDose, ExpectState
from device_sim.scenario.home import ScenarioHome, SentItem
from device_sim.scenario.household import Household
from device_sim.scenario.offsets import say_offset
from device_sim.scenario.scenario import Scenario, merged
from device_sim.scenario.story import Offline, Registers, Stops
from device_sim.scenario.timeline import Transmission, transmissions

_NEVER: Final = 1 << 62


class Stage:
    """Times are ms from the start; what is done is taken from the left of its queue."""

    def __init__(self, scenario: Scenario, network: Network, now_ms: Callable[[], int]) -> None:
        self.scenario, self.names = scenario, Names(scenario)
        self.household = scenario.household
        self.own = OfScenario()
        story = scenario.story
        self.transmissions: deque[Transmission] = deque(transmissions(scenario))
        self.acts = deque(sorted((entry for entry in story if isinstance(entry, Act)), key=lambda entry: entry.at))
        self.registrations = deque(
            sorted((entry for entry in story if isinstance(entry, Registers)), key=lambda entry: entry.at)
        )
        self.power = deque(
            sorted(
                (max(0, at), on, entry.device)
                for entry in story
                if isinstance(entry, Offline)
                for at, on in ((entry.first, False), (entry.end, True))
            )
        )
        self.parts = deque(
            sorted(
                (at, on, entry.part)
                for entry in story
                if isinstance(entry, Stops)
                for at, on in ((entry.first, False), (entry.end, True))
            )
        )
        asked = (one.claim.at for one in scenario.expect if isinstance(one.claim, ExpectState | ExpectDose))
        self.asked_at = deque(sorted({scenario.lasts_ms, *(at for at in asked if at is not None)}))
        ids = {name: self.names.device(name) for name in self.household.devices}
        self.home = ScenarioHome(network, ids, self._types(), now_ms)

    def _types(self) -> Mapping[str, str]:
        return {name: device.type.code for name, device in self.household.devices.items()}

    def next_at(self) -> int:
        """When something of the story, or a question, comes next."""
        queues: tuple[deque[Act] | deque[Registers], ...] = (self.acts, self.registrations)
        moments = [queue[0].at for queue in queues if queue]
        moments += [queue[0][0] for queue in (self.power, self.parts) if queue]
        moments += [self.transmissions[0].sent] if self.transmissions else []
        moments += [self.asked_at[0]] if self.asked_at else []
        return min(moments, default=_NEVER)

    def transmit(self, at: int) -> None:
        """Sends what is due at ``at``."""
        while self.transmissions and self.transmissions[0].sent <= at:
            one = self.transmissions.popleft()
            device = self.home.devices.get(one.device)
            if device is None:
                what = f"device: {one.device}, at: {say_offset(one.measured)}"
                self.own.undone.append((what, "it is not registered yet"))
            else:
                device.transmit(one)

    def switch_power(self, at: int) -> None:
        """Switches devices that are due."""
        while self.power and self.power[0][0] <= at:
            _, on, device = self.power.popleft()
            self.home.switch(device, on=on)

    @property
    def next_devices(self) -> Household:
        """The household with the people and devices of the next registration, and the plans of before."""
        changes = self.registrations[0].changes
        return merged(self.household, Household(people=changes.people, devices=changes.devices))

    def register_next(self) -> Household:
        """The household as the next registration makes it."""
        self.household = merged(self.household, self.registrations.popleft().changes)
        return self.household

    def connect_new(self) -> None:
        """Connects the devices that a registration has brought."""
        for name, device in self.household.devices.items():
            if name not in self.home.devices:
                self.home.add(name, self.names.device(name), device.type.code)

    def sent(self) -> list[tuple[str, SentItem]]:
        """Every reading that was put into an uplink, with its device's name at the broker."""
        return [(device.outbox.device, item) for device in self.home.devices.values() for item in device.sent]
