"""The loop of a run: takes what is due from the plans, makes it durable, publishes, listens, and drains at the end."""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from device_sim.clock import SimClock
from device_sim.device import Device, WhoseIsIt, make_tail, nobody_answers
from device_sim.faults import Fault
from device_sim.observations import Planned
from device_sim.oracle import Line, Oracle
from device_sim.outbox import Limits, Outbox, OutboxStore, Position
from device_sim.publish import Broker, Link, Network
from device_sim.tally import Tally
from schemas.messages import DeviceEvent
from schemas.topics import shard_of

_TICK_S: Final = 0.02
_SWEEP_S: Final = 0.1
_AT_ONCE: Final = 400


class PlanStore(OutboxStore, Protocol):
    """An outbox store that also knows how far each device's plan has been carried out."""

    def save_plan(self, device: str, done: int) -> None:
        """Keeps the number of planned uplinks taken."""

    def positions(self) -> dict[str, Position]:
        """Where outboxes stand after a restart."""

    def plans(self) -> dict[str, int]:
        """The numbers kept by ``save_plan``."""

    def commit(self) -> None:
        """Makes it all durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A device and what it will report, in the order of time."""

    device: str
    type: str
    planned: Iterator[tuple[Planned, Fault | None]]
    fallen: Callable[[int], bool] = lambda _at_ms: False
    powered_off: Callable[[int], bool] = lambda _at_ms: False
    loses_storage_at: Callable[[int], int | None] = lambda _hour: None
    whose: WhoseIsIt = nobody_answers


class Run:
    """Everything of a run in one thread."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        clock: SimClock,
        store: PlanStore,
        oracle: Oracle,
        broker: Broker,
        limits: Limits,
        seed: int,
    ) -> None:
        self.clock, self.store, self.oracle, self.tally = clock, store, oracle, Tally()
        self.network = Network(broker, Random(seed))
        self.drained = False
        self._lines: list[Line] = []
        self._sources = {source.device: source for source in sources}
        self._plans_done = store.plans()
        self._queue: list[tuple[int, int, str, Planned, Fault | None]] = []
        self._links: dict[str, Link] = {}
        self._off: set[str] = set()
        self._storage_hour = -1
        self._losses: list[tuple[int, str]] = []
        self._next_sweep = 0.0
        positions = store.positions()
        self.devices = {row.device: self._make_device(row, limits, positions.get(row.device)) for row in sources}
        self._restore_oracle()
        for order, source in enumerate(sources):
            for _ in range(self._plans_done.get(source.device, 0)):
                next(source.planned)
            self._queue_next(source, order)

    def _make_device(self, source: Source, limits: Limits, position: Position | None) -> Device:
        draw = Random()  # epochs must differ from run to run
        outbox = Outbox(source.device, self.store, limits, draw, position)
        device = Device(
            outbox,
            type_code=source.type,
            now_ms=self.clock.now_ms,
            tally=self.tally,
            report=self._report,
            fallen=source.fallen,
            draw=draw,
            whose=source.whose,
        )
        device.link = self._links[source.device] = self.network.add(source.device, shard_of(source.device), device)
        return device

    def _restore_oracle(self) -> None:
        """What an earlier run made durable but had no time to write down."""
        lines = []
        for name, device in self.devices.items():
            for held in device.outbox.held:
                readings, events = held.tail.count(b'"vital":'), held.tail.count(b'"event":')
                lines.append(Line(name, device.outbox.position.epoch, held.seq, readings, events))
        self.oracle.write(lines)

    def _queue_next(self, source: Source, order: int) -> None:
        following = next(source.planned, None)
        if following is not None:
            planned, fault = following
            # ``order`` decides between two that are due at once: plans can't be compared.
            heapq.heappush(self._queue, (planned.at_ms, order, source.device, planned, fault))

    def _report(self, device: Device, events: tuple[DeviceEvent, ...]) -> None:
        self._take(device, Planned(at_ms=self.clock.now_ms(), events=events), None)

    def _take(self, device: Device, planned: Planned, fault: Fault | None) -> None:
        outbox = device.outbox
        held = outbox.append(make_tail(planned.readings, planned.events), time.monotonic())
        if fault is not None:
            device.faults[held.seq] = fault
        readings, events = len(planned.readings), len(planned.events)
        self._lines.append(Line(outbox.device, outbox.position.epoch, held.seq, readings, events))
        self.tally.published(device.type_code, readings, events)

    def take_due(self) -> int:
        """Takes what the plans say is due into the outboxes; how many uplinks that were."""
        now_ms, taken = self.clock.now_ms(), 0
        while self._queue and self._queue[0][0] <= now_ms and taken < _AT_ONCE:
            _, order, name, planned, fault = heapq.heappop(self._queue)
            self._take(self.devices[name], planned, fault)
            self._plans_done[name] = self._plans_done.get(name, 0) + 1
            self.store.save_plan(name, self._plans_done[name])
            self._queue_next(self._sources[name], order)
            taken += 1
        return taken

    def take_rest(self) -> None:
        """Takes all that is due by now: the end of platform time cuts every run at the same place."""
        while self.take_due():
            self.make_durable()

    def make_durable(self) -> None:
        """Outbox first, oracle second; the broker gets it only after this.

        So the oracle holds everything that was ever published, even if we are killed at any moment:
        what the outbox has and the oracle lacks is written at the next start (``_restore_oracle``).
        """
        if self._lines:
            self.store.commit()
            self.oracle.write(self._lines)
            self._lines.clear()

    def step(self, *, draining: bool = False) -> None:
        """One turn of the loop."""
        taken = 0 if draining else self.take_due()
        self.make_durable()
        now = time.monotonic()
        for device in self.devices.values():
            device.pump(now, draining=draining)
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_S
            self._switch_power()
            self._lose_storage()
        self.network.poll(0 if taken >= _AT_ONCE else self._pause_s(draining=draining))

    def _pause_s(self, *, draining: bool) -> float:
        if draining or not self._queue:
            return _TICK_S
        return min(_TICK_S, self.clock.real_s_until(self._queue[0][0]))

    def _switch_power(self) -> None:
        now_ms = self.clock.now_ms()
        for name, source in self._sources.items():
            off, link = source.powered_off(now_ms), self._links[name]
            if off == (name in self._off):
                continue
            if off:
                self._off.add(name)
                self.network.power_off(link)
            else:
                self._off.discard(name)
                self.network.power_on(link)

    def _lose_storage(self) -> None:
        """Makes devices lose their storage, at the hour's moment or once all they hold is settled.

        An uplink that was lost with the storage would be a loss that nobody could have prevented.
        """
        hour, now_ms = self.clock.now_ms() // 3_600_000, self.clock.now_ms()
        if hour != self._storage_hour:
            self._storage_hour = hour
            for name, source in self._sources.items():
                at = source.loses_storage_at(hour)
                if at is not None:
                    self._losses.append((hour * 3_600_000 + at, name))
        for loss in [loss for loss in self._losses if loss[0] <= now_ms]:
            outbox = self.devices[loss[1]].outbox
            if outbox.unsettled == 0 and outbox.position.next_seq:
                self.devices[loss[1]].lose_storage()
                self.tally.faults[Fault.LOST_STORAGE] += 1
                self._losses.remove(loss)

    @property
    def finished(self) -> bool:
        """Every plan has been carried out (a replay's end)."""
        return not self._queue

    @property
    def unsettled(self) -> int:
        return sum(device.outbox.unsettled for device in self.devices.values())

    def drain(self, longest_s: float, progress: Callable[[], None], given_up: Callable[[], bool]) -> None:
        """Waits until every uplink is acknowledged end to end, or gives up after ``longest_s`` real seconds."""
        # A device that is off can't drain: it gets power again if it has anything left.
        for name in self._off:
            if self.devices[name].outbox.unsettled:
                self.network.power_on(self._links[name])
        deadline = time.monotonic() + longest_s
        while self.unsettled and time.monotonic() < deadline and not given_up():
            self.step(draining=True)
            progress()
        self.drained = self.unsettled == 0

    def close(self) -> None:
        """Leaves the broker; the outboxes keep what is not settled."""
        self.make_durable()
        self.store.commit()
        self.network.close()
        self.oracle.close()

    def summary(self) -> dict[str, Any]:
        """What was published and what became of it, earlier runs on the same state included."""
        abandoned = sum(device.outbox.position.evicted for device in self.devices.values())
        return {
            "uplinks": {
                "published": self.oracle.uplinks,
                "acked_end_to_end": self.oracle.uplinks - self.unsettled - abandoned,
                "sent_again": self.tally.sent_again,
                "abandoned": abandoned,
            },
            "readings_published": self.oracle.readings,
            "events_published": self.oracle.events,
            "by_device_type": self.tally.by_device_type,
            "ack_latency_ms": self.tally.latency(),
            "most_sends_of_one": self.tally.most_sends,
            "faults": dict(self.tally.faults),
            "commands": dict(self.tally.commands),
            "transmissions": self.tally.transmissions,
            "disconnects": self.network.disconnects,
            "rejections": dict(self.network.rejections),
            "devices": len(self.devices),
            "drained": self.drained,
        }
