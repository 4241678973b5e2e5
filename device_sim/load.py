"""The bench generator: many bands on as many connections, prepared payloads, resends on, its own cost measured."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

from device_sim.clock import SimClock
from device_sim.errors import SimulatorError
from device_sim.oracle import Line
from device_sim.outbox import Held, Limits, Outbox
from device_sim.outbox_store import MemoryStore, SqliteStore
from device_sim.publish import Broker, Link, Network
from device_sim.tally import Tally
from schemas.codec import CodecError, decode_ack, write_json
from schemas.registry import Register
from schemas.topics import shard_of

_TICK_S: Final = 0.01
_SWEEP_S: Final = 0.25
_CONNECT_WITHIN_S: Final = 120.0
_TAKEN_WITHIN_S: Final = 60.0
"""By then the broker has confirmed what was sent, or never will."""
_SETTLE_S: Final = 1.0
READINGS: Final = 4
_WELL, _UNWELL = 97, 88
_UNWELL_EVERY_MS: Final = 20 * 60_000
_UNWELL_FOR_MS: Final = 6 * 60_000
"""Of platform time: long enough below the limit for a finding, and long enough above for its end."""
_READINGS: Final = (
    b'"readings":[{"vital":"heart_rate","value":%d,"at":%d},{"vital":"spo2","value":%d,"at":%d},'
    b'{"vital":"respiratory_rate","value":%d,"at":%d},{"vital":"steps","value":0,"at":%d}],'
)
_TAIL: Final = _READINGS + b'"events":[]}'
_PRESSED_TAIL: Final = _READINGS + b'"events":[{"event":"sos_pressed","at":%d}]}'
_NEVER: Final = -1


class Signals(Protocol):
    """Counts signals."""

    signals: int


class LoadDevice:
    """One band: an outbox and what it needs to send, nothing else. It presses its SOS button once or never."""

    __slots__ = ("_head", "_load", "beat", "link", "outbox", "pressed_at", "pressed_seq", "unwell_from_ms")

    def __init__(self, load: "Load", outbox: Outbox, beat: int, unwell_from_ms: int | None) -> None:
        self.outbox, self.beat, self._load, self.unwell_from_ms = outbox, beat, load, unwell_from_ms
        self._head = b'{"epoch":%d,"seq":' % outbox.position.epoch
        self.link: Link | None = None
        self.pressed_seq, self.pressed_at = _NEVER, 0.0

    def on_connected(self, *, session_present: bool, undelivered: Any) -> None:
        self.outbox.connected(session_present=session_present, undelivered=undelivered)

    def on_ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except CodecError:
            return
        now = time.monotonic()
        for held in self.outbox.acknowledge(ack, now):
            self._load.tally.acked(now - held.first_sent_at, held.times_sent)

    def on_command(self, payload: bytes) -> None:
        """A load device has nobody to remind."""

    def append(self, now: float, now_ms: int) -> None:
        tail = _TAIL % (self.beat, now_ms, self.oxygen(now_ms), now_ms, 15, now_ms, now_ms)
        self.outbox.append(tail, now)

    def press(self, now: float, now_ms: int) -> None:
        """As ``append``, with a press of the SOS button. ``now``: seconds of ``time.monotonic()``."""
        tail = _PRESSED_TAIL % (self.beat, now_ms, self.oxygen(now_ms), now_ms, 15, now_ms, now_ms, now_ms)
        self.pressed_seq, self.pressed_at = self.outbox.append(tail, now).seq, now

    def oxygen(self, now_ms: int) -> int:
        """In %: too low for a while, again and again, where its wearer is one of the unwell."""
        start_ms = self.unwell_from_ms
        if start_ms is None or (now_ms - start_ms) % _UNWELL_EVERY_MS >= _UNWELL_FOR_MS:
            return _WELL
        return _UNWELL

    def pump(self, now: float, now_ms: int) -> None:
        link, tally = self.link, self._load.tally
        if link is None or not link.online:
            return
        for held in self.outbox.take(now):
            tally.transmissions += 1
            tally.sent_again += held.times_sent > 1
            link.send(held.seq, self.payload(held, now_ms))

    def payload(self, held: Held, now_ms: int) -> bytes:
        return b'%b%d,"sent_at":%d,"clock":"synced","oldest":%d,%b' % (
            self._head,
            held.seq,
            now_ms,
            self.outbox.position.kept_from,
            held.tail,
        )


class Load:
    """All bands of a register, driven at a steady rate."""

    def __init__(
        self,
        register: Register,
        *,
        broker: Broker,
        clock: SimClock,
        state: Path | None,
        resend_after_s: float,
        seed: int,
        unwell: float = 0,
    ) -> None:
        """``unwell`` is the share of the wearers whose oxygen falls now and then; ``seed`` says who and when."""
        self.clock, self.tally = clock, Tally()
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
        self._store = MemoryStore() if state is None else SqliteStore(state / "outbox.sqlite")
        self.network = Network(broker, Random(seed))
        limits = Limits(resend_after_s=resend_after_s, keep_settled_s=0 if state is None else 3600)
        names = [row.device for home in register.homes for row in home.devices if row.type == "wearable_band"]
        if not names:
            raise SimulatorError("the register has no bands")
        ill = Random(seed)
        when = [ill.randrange(_UNWELL_EVERY_MS) if ill.random() < unwell else None for _ in names]
        self.devices = [self._make_device(name, number, limits, when[number]) for number, name in enumerate(names)]
        self._measured: dict[str, float] = {}
        self._presses = 0
        self._away_since: float | None = None
        self._away_s = 0.0
        self.drained = False

    def _make_device(self, name: str, number: int, limits: Limits, unwell_from_ms: int | None) -> LoadDevice:
        draw = Random()  # epochs must differ from run to run
        device = LoadDevice(self, Outbox(name, self._store, limits, draw), 60 + number % 30, unwell_from_ms)
        device.link = self.network.add(name, shard_of(name), device)
        return device

    @property
    def unsettled(self) -> int:
        return sum(device.outbox.unsettled for device in self.devices)

    def run(
        self,
        *,
        uplinks_per_s: float,
        seconds: float,
        presses_per_s: float,
        drain_s: float,
        stop: Callable[[], Signals],
        say: Callable[[str], None],
    ) -> None:
        """Connects everybody, sends for ``seconds``, drains; ``say`` hears what begins: sending, sent, ended."""
        signals = stop()
        self._connect(signals)
        say("sending")
        cpu, began = time.process_time(), time.monotonic()
        appended, next_sweep = 0, 0.0
        while (passed := time.monotonic() - began) < seconds and not signals.signals:
            appended = self._send_until(appended, int(passed * uplinks_per_s), int(passed * presses_per_s))
            next_sweep = self._sweep(next_sweep)
            self.network.poll(_TICK_S)
        if not signals.signals:
            appended = self._send_until(appended, round(seconds * uplinks_per_s), self._presses)
        sent_s = time.monotonic() - began
        self._measured = {"seconds": sent_s, "cpu_s": time.process_time() - cpu, "uplinks": appended}
        deadline = time.monotonic() + _TAKEN_WITHIN_S
        while self.network.unconfirmed and time.monotonic() < deadline and not signals.signals:
            self.network.poll(_TICK_S)
        say("sent")
        deadline = time.monotonic() + drain_s
        while self.unsettled and time.monotonic() < deadline and signals.signals <= 1:
            next_sweep = self._sweep(next_sweep)
            self.network.poll(_TICK_S)
        self.drained = self.unsettled == 0
        say("ended")
        self.network.close()
        self._store.close()

    def _connect(self, signals: Signals) -> None:
        deadline = time.monotonic() + _CONNECT_WITHIN_S
        while not all(link.online for link in self.network.links) and not signals.signals:
            if time.monotonic() > deadline:
                raise SimulatorError(f"not all devices could connect: {dict(self.network.rejections)}")
            self.network.poll(0.05)
        until = time.monotonic() + _SETTLE_S
        while time.monotonic() < until:
            self.network.poll(0.05)

    def _send_until(self, appended: int, wanted: int, presses: int) -> int:
        devices, now, now_ms = self.devices, time.monotonic(), self.clock.now_ms()
        due = [devices[number % len(devices)] for number in range(appended, wanted)]
        for device in due:
            if self._presses < presses and device.pressed_seq == _NEVER:
                device.press(now, now_ms)
                self._presses += 1
            else:
                device.append(now, now_ms)
        self._store.commit()
        # Pumped after the commit: nothing is sent that would be lost with this process.
        for device in due:
            device.pump(now, now_ms)
        return max(appended, wanted)

    def _sweep(self, next_sweep: float) -> float:
        """Resends, and what waits for a connection."""
        now = time.monotonic()
        if now < next_sweep:
            return next_sweep
        self._see_who_is_there(now)
        now_ms = self.clock.now_ms()
        for device in self.devices:
            if device.outbox.waits_for(now):
                device.pump(now, now_ms)
        return now + _SWEEP_S

    def _see_who_is_there(self, now: float) -> None:
        if not all(link.online for link in self.network.links):
            self._away_since = now if self._away_since is None else self._away_since
        elif self._away_since is not None:
            self._away_s, self._away_since = max(self._away_s, now - self._away_since), None

    def write_oracle(self, path: Path) -> None:
        """One line for each uplink, written after the run."""
        with path.open("wb") as file:
            for device in self.devices:
                here = device.outbox.position
                for seq in range(here.next_seq):
                    line = Line(device.outbox.device, here.epoch, seq, READINGS, int(seq == device.pressed_seq))
                    file.write(write_json(line._asdict()) + b"\n")

    def summary(self) -> dict[str, Any]:
        """What was sent, how fast, and at what cost to this process."""
        published = sum(device.outbox.position.next_seq for device in self.devices)
        abandoned = sum(device.outbox.position.evicted for device in self.devices)
        measured = self._measured
        return {
            "uplinks": {
                "published": published,
                "acked_end_to_end": published - self.unsettled - abandoned,
                "sent_again": self.tally.sent_again,
                "abandoned": abandoned,
            },
            "readings_published": READINGS * published,
            "events_published": self._presses,
            "by_device_type": {
                "wearable_band": {"uplinks": published, "readings": READINGS * published, "events": self._presses}
            },
            "ack_latency_ms": self.tally.latency(),
            "most_sends_of_one": self.tally.most_sends,
            "sustained": {
                "seconds": round(measured["seconds"], 2),
                "uplinks_per_s": round(measured["uplinks"] / measured["seconds"], 1),
                "readings_per_s": round(READINGS * measured["uplinks"] / measured["seconds"], 1),
            },
            "generator": {
                "devices": len(self.devices),
                "connections": len(self.network.links),
                "cpu_s": round(measured["cpu_s"], 2),
                "cpu_us_per_uplink": round(1e6 * measured["cpu_s"] / max(1, measured["uplinks"]), 1),
            },
            "books": [
                [device.outbox.device, device.outbox.position.epoch, device.outbox.position.next_seq]
                for device in self.devices
            ],
            "presses": [
                {"device": device.outbox.device, "seq": device.pressed_seq, "at_monotonic_s": device.pressed_at}
                for device in self.devices
                if device.pressed_seq != _NEVER
            ],
            "disconnects": self.network.disconnects,
            # For how long at a time not everybody was connected; null where somebody has not come back.
            "away_s": None if self._away_since is not None else round(self._away_s, 1),
            "rejections": dict(self.network.rejections),
            "drained": self.drained,
        }
