"""A story as transmissions in the order of time: what each device sends when, measured when. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from device_sim.scenario.scenario import Scenario
from device_sim.scenario.story import Measured, Offline, Sends
from schemas.messages import DeviceClock, DeviceEvent, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """One uplink to send at ``sent`` ms after the start, measured at ``measured``; ``at`` is what its clock says.

    ``methods``: how each reading was measured, where the device says so.
    """

    device: str
    sent: int
    measured: int
    at: int
    readings: tuple[Reading, ...] = ()
    events: tuple[DeviceEvent, ...] = ()
    method: str = ""
    raw: bytes | None = None
    clock: DeviceClock = "synced"
    clock_off: int = 0
    retain: bool = False
    repeat: int = 1
    new_epoch: bool = False
    newest_first: bool = False

    @property
    def order(self) -> tuple[int, bool, int, str]:
        """Oldest first, and those that go newest first after them; what is left is decided by what they say."""
        age = -self.measured if self.newest_first else self.measured
        return self.sent, self.newest_first, age, repr((self.readings, self.events, self.raw))


def transmissions(scenario: Scenario) -> list[Transmission]:
    """All of them, in order."""
    offline = [entry for entry in scenario.story if isinstance(entry, Offline)]
    planned: list[Transmission] = []
    for entry in scenario.story:
        if isinstance(entry, Sends):
            planned += _turns(scenario, entry)
    for name, device in scenario.household.devices.items():
        if device.heartbeat_ms:
            planned += _heartbeats(scenario, name, device.heartbeat_ms)
    return sorted(_after_power(planned, offline), key=lambda one: one.order)


def _heartbeats(scenario: Scenario, device: str, every: int) -> Iterator[Transmission]:
    for at in range(0, scenario.lasts_ms + 1, every):
        yield Transmission(device=device, sent=at, measured=at, at=scenario.starts_ms + at)


def _turns(scenario: Scenario, entry: Sends) -> Iterator[Transmission]:
    for turn, measured in enumerate(entry.when.turns()):
        at = scenario.starts_ms + measured + entry.clock_off
        readings = tuple(_reading(entry, one, turn, measured, at) for one in entry.readings)
        event = DeviceEvent(event=entry.event, at=at, slot=entry.slot, details=entry.details)
        yield Transmission(
            device=entry.device,
            sent=max(0, measured + entry.sent_after if entry.sent is None else entry.sent),
            measured=measured,
            at=at,
            readings=readings,
            events=(event,) if entry.event else (),
            method=entry.readings[0].context.get("method", "") if entry.readings else "",
            raw=entry.raw,
            clock=entry.clock,
            clock_off=entry.clock_off,
            retain=entry.retain,
            repeat=entry.repeat,
            new_epoch=entry.new_epoch and turn == 0,
            newest_first=entry.newest_first,
        )


def _reading(entry: Sends, one: Measured, turn: int, measured: int, at: int) -> Reading:
    context = {name: word for name, word in one.context.items() if name != "method"}
    return Reading(
        vital=one.vital,
        value=one.value.at(turn, entry.when.share(measured)),
        at=at,
        unit=one.unit,
        slot=entry.slot,
        **context,  # type: ignore[arg-type]
    )


def _after_power(planned: Iterable[Transmission], offline: Sequence[Offline]) -> Iterator[Transmission]:
    """What is left of them where devices are switched off: nothing is measured, or all of it sent at the end."""
    for one in planned:
        off = next((gap for gap in offline if gap.device == one.device and gap.first <= one.measured < gap.end), None)
        if off is not None and (not off.keeps or not (one.readings or one.events or one.raw)):
            continue
        yield _delayed(one, offline)


def _delayed(one: Transmission, offline: Sequence[Offline]) -> Transmission:
    sent = one.sent
    for gap in sorted(offline, key=lambda gap: gap.first):
        if gap.device == one.device and gap.first <= sent < gap.end:
            sent = gap.end
    return one if sent == one.sent else replace(one, sent=sent)
