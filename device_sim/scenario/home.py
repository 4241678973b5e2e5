"""The devices of a scenario's home on a real broker: each with its outbox, sending what the timeline says."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from device_sim.device import Device, make_tail
from device_sim.outbox import Held, Limits, Outbox
from device_sim.outbox_store import MemoryStore
from device_sim.publish import Link, Network
from device_sim.scenario.timeline import Transmission
from device_sim.tally import Tally
from schemas.codec import parse_json, write_json
from schemas.messages import DeviceEvent
from schemas.topics import UP, shard_of

RESEND_AFTER_S = 0.25
"""Real seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentItem:
    """A reading that was put into an uplink: by these three numbers the platform knows it."""

    device: str
    vital: str
    measured: int
    epoch: int
    seq: int
    item: int


class HomeDevice(Device):
    """A device whose uplinks may say that its clock is wrong, and may be retained or sent more than once."""

    def __init__(self, name: str, outbox: Outbox, *, type_code: str, now_ms: Callable[[], int], tally: Tally) -> None:
        # ``fallen``: nobody answers a question by themselves; the story says who answers what.
        super().__init__(
            outbox,
            type_code=type_code,
            now_ms=now_ms,
            tally=tally,
            report=_report,
            fallen=lambda _at: True,
            draw=Random(),
        )
        self.name = name
        self.sent: list[SentItem] = []
        self.commands_taken = 0
        self._now = now_ms
        self._peculiar: dict[int, Transmission] = {}

    def transmit(self, one: Transmission) -> None:
        """Takes it into the outbox, or sends its raw bytes."""
        if one.new_epoch:
            self.lose_storage()
        if one.raw is not None:
            for _ in range(one.repeat):
                self._publish(one.raw, retain=one.retain)
            return
        held = self.outbox.append(_tail(one), time.monotonic())
        self._peculiar[held.seq] = one
        epoch = self.outbox.position.epoch
        self.sent += [
            SentItem(device=self.name, vital=row.vital, measured=one.measured, epoch=epoch, seq=held.seq, item=item)
            for item, row in enumerate(one.readings)
        ]

    def on_command(self, payload: bytes) -> None:
        self.commands_taken += 1
        super().on_command(payload)

    def on_ack(self, payload: bytes) -> None:
        super().on_ack(payload)
        still_held = {held.seq for held in self.outbox.held}
        self._peculiar = {seq: one for seq, one in self._peculiar.items() if seq in still_held}

    def lose_storage(self) -> None:
        super().lose_storage()
        self._peculiar.clear()

    def payload(self, held: Held) -> bytes:
        """As any device's, but by its own clock."""
        one = self._peculiar.get(held.seq)
        return b'{"epoch":%d,"seq":%d,"sent_at":%d,"clock":"%b","oldest":%d,%b' % (
            self.outbox.position.epoch,
            held.seq,
            max(0, self._now() + (one.clock_off if one else 0)),
            (one.clock if one else "synced").encode(),
            self.outbox.oldest,
            held.tail,
        )

    def _send(self, held: Held) -> None:
        one = self._peculiar.get(held.seq)
        if one is None or held.times_sent > 1:
            super()._send(held)
            return
        for _ in range(one.repeat):
            if one.retain:
                self._publish(self.payload(held), retain=True)
            else:
                super()._send(held)

    def _publish(self, payload: bytes, *, retain: bool) -> None:
        if isinstance(self.link, Link):
            self.link.publish_raw(UP.of(shard_of(self.outbox.device), self.outbox.device), payload, retain=retain)


def _report(device: Device, events: tuple[DeviceEvent, ...]) -> None:
    """What came of a command."""
    device.outbox.append(make_tail((), events), time.monotonic())


def _tail(one: Transmission) -> bytes:
    tail = make_tail(one.readings, one.events)
    if not one.method:
        return tail
    body = parse_json(b"{" + tail)
    for row in body["readings"]:
        row["method"] = one.method
    return write_json(body)[1:]


class ScenarioHome:
    """All devices of one scenario. ``ids``: what each is called at the broker; ``now_ms``: platform time."""

    def __init__(
        self, network: Network, ids: Mapping[str, str], types: Mapping[str, str], now_ms: Callable[[], int]
    ) -> None:
        self._network, self._now_ms = network, now_ms
        self.tally = Tally()
        self.devices: dict[str, HomeDevice] = {}
        self._off: set[str] = set()
        for name, device_id in ids.items():
            self.add(name, device_id, types[name])

    def add(self, name: str, device_id: str, type_code: str) -> None:
        """Connects one more device."""
        limits = Limits(resend_after_s=RESEND_AFTER_S)
        outbox = Outbox(device_id, MemoryStore(), limits, Random())
        device = HomeDevice(name, outbox, type_code=type_code, now_ms=self._now_ms, tally=self.tally)
        device.link = link = self._network.add(device_id, shard_of(device_id), device)
        # What a story does not say of its battery, nobody knows.
        link.battery_percent = None
        self.devices[name] = device

    def switch(self, name: str, *, on: bool) -> None:
        """Power off, without a word, or on again."""
        link = self.devices[name].link
        assert isinstance(link, Link)  # noqa: S101 - see add
        if on:
            self._off.discard(name)
            self._network.power_on(link)
        else:
            self._off.add(name)
            self._network.power_off(link)

    def pump(self) -> None:
        """Hands over what is due."""
        now = time.monotonic()
        for device in self.devices.values():
            device.pump(now)

    @property
    def under_way(self) -> int:
        """Uplinks of devices that have power and were not acknowledged end to end."""
        return sum(device.outbox.unsettled for name, device in self.devices.items() if name not in self._off)

    @property
    def connected(self) -> bool:
        """Whether every device that has power is at the broker."""
        return all(device.link and device.link.online for name, device in self.devices.items() if name not in self._off)

    @property
    def commands_taken(self) -> Mapping[str, int]:
        """How many commands each device with power has got, by its name at the broker."""
        return {
            device.outbox.device: device.commands_taken
            for name, device in self.devices.items()
            if name not in self._off
        }
