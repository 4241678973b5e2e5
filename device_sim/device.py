"""One simulated device: its outbox behind its connection, its answers to commands, its bad luck with uplinks."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, Protocol

from device_sim.faults import LONGEST_DELAY_S, Fault
from device_sim.outbox import Held, Outbox
from device_sim.tally import Tally
from schemas.codec import CodecError, decode_ack, decode_command, encode_uplink
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EventKind, Whose
from schemas.messages import Command, CommandKind, DeviceEvent, Reading, Uplink

_REMEMBERED_COMMANDS: Final = 64
_LONGEST_TEXT: Final = 64
Report = Callable[["Device", tuple[DeviceEvent, ...]], None]
WhoseIsIt = Callable[[str, int, int | None], Whose | None]
"""What somebody answers who is asked whether a reading was theirs: its vital, when it was, the slot; None: nothing."""


def nobody_answers(_vital: str, _at_ms: int, _slot: int | None) -> Whose | None:
    """Of devices whose people are not simulated."""
    return None


class Sender(Protocol):
    """The connection of a device."""

    online: bool

    def send(self, seq: int, payload: bytes) -> None:
        """Publishes an uplink."""


class Device:
    """Listens to its link and keeps its outbox. ``fallen`` says whether its person lies on the floor just now.

    ``whose``: what they answer when they are asked whether a reading was theirs.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        type_code: str,
        now_ms: Callable[[], int],
        tally: Tally,
        report: Report,
        fallen: Callable[[int], bool],
        draw: Random,
        whose: WhoseIsIt = nobody_answers,
    ) -> None:
        self.outbox, self.type_code = outbox, type_code
        self.link: Sender | None = None
        self.faults: dict[int, Fault] = {}
        self._now_ms, self._tally, self._report, self._fallen = now_ms, tally, report, fallen
        self._draw, self._whose = draw, whose
        self._delayed: list[tuple[float, Held]] = []
        self._after_next: list[Held] = []
        self._commands: OrderedDict[str, None] = OrderedDict()

    def on_connected(self, *, session_present: bool, undelivered: Iterable[int]) -> None:
        self.outbox.connected(session_present=session_present, undelivered=undelivered)

    def on_ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except CodecError:
            return
        now = time.monotonic()
        for held in self.outbox.acknowledge(ack, now):
            self._tally.acked(now - (held.first_sent_at or now), held.times_sent)
            self.faults.pop(held.seq, None)

    def on_command(self, payload: bytes) -> None:
        """Obeys a command once, however often the broker delivers it, and says what came of it."""
        try:
            command = decode_command(payload)
        except CodecError:
            return
        # QoS 1 may deliver a command twice; the newest 64 are remembered.
        if command.id in self._commands or len(command.id) > _LONGEST_TEXT:
            return
        self._commands[command.id] = None
        if len(self._commands) > _REMEMBERED_COMMANDS:
            self._commands.popitem(last=False)
        self._tally.commands[command.kind] += 1
        now_ms = self._now_ms()
        result = "expired" if command.expires_at < now_ms else "done"
        answer: tuple[DeviceEvent, ...] = ()
        if command.kind not in DEVICE_TYPE_BY_CODE[self.type_code].commands:
            result = "unsupported"
        elif result == "done" and not self._fallen(now_ms):
            answer = self._answer(command, now_ms)
        receipt = DeviceEvent(event="command_result", at=now_ms, details={"command_id": command.id, "result": result})
        self._report(self, (receipt, *answer))

    def _answer(self, command: Command, now_ms: int) -> tuple[DeviceEvent, ...]:
        asked, kind, slot = command.details, EventKind.CHECK_IN_ANSWERED, None
        if command.kind is CommandKind.CHECK_IN:
            # Whoever is asked for symptoms says that there are none: a plan has its own answers.
            said = {"answer": "ok"} | ({"symptom": "none"} if asked.get("about") == "symptoms" else {})
        elif command.kind is CommandKind.WHO_WAS_MEASURED and kind in DEVICE_TYPE_BY_CODE[self.type_code].events:
            slot = asked.get("slot")
            mine = self._whose(str(asked.get("vital")), int(asked.get("due_at", now_ms)), slot)
            if mine is None:
                return ()
            said = {"mine": mine.value}
        else:
            return ()
        return (DeviceEvent(event=kind, at=now_ms, slot=slot, details=said),)

    def pump(self, now: float, *, draining: bool = False) -> None:
        """Hands over what is due; the faults of a link strike the first transmission only."""
        if self.link is None or not self.link.online:
            return
        if self._delayed:
            self._release(now, everything=draining)
        if not self.outbox.waits_for(now):
            return
        for held in self.outbox.take(now):
            self._tally.transmissions += 1
            if held.times_sent > 1:
                self._tally.sent_again += 1
            fault = self.faults.pop(held.seq, None)
            if fault is None or draining:
                self._send(held)
            else:
                self._send_badly(held, fault, now)

    def _send(self, held: Held) -> None:
        if self.link is None:
            return
        self.link.send(held.seq, self.payload(held))
        for late in self._after_next:
            self.link.send(late.seq, self.payload(late))
        self._after_next.clear()

    def _send_badly(self, held: Held, fault: Fault, now: float) -> None:
        self._tally.faults[fault] += 1
        if fault is Fault.DELAY:
            self._delayed.append((now + self._draw.uniform(0.2, LONGEST_DELAY_S), held))
        elif fault is Fault.REORDER:
            self._after_next.append(held)
        elif fault is not Fault.DROP:
            self._send(held)
        if fault is Fault.DUPLICATE:
            self._send(held)

    def _release(self, now: float, *, everything: bool) -> None:
        ready = [held for at, held in self._delayed if everything or at <= now]
        self._delayed = [(at, held) for at, held in self._delayed if not everything and at > now]
        for held in ready:
            self._send(held)

    def lose_storage(self) -> None:
        """Forgets everything, also what its link was still holding back."""
        self.outbox.lose_storage()
        self.faults.clear()
        self._delayed.clear()
        self._after_next.clear()

    def payload(self, held: Held) -> bytes:
        """The bytes of a transmission, stamped now."""
        outbox = self.outbox
        return b'{"epoch":%d,"seq":%d,"sent_at":%d,"clock":"synced","oldest":%d,%b' % (
            outbox.position.epoch,
            held.seq,
            self._now_ms(),
            outbox.oldest,
            held.tail,
        )


def make_tail(readings: tuple[Reading, ...], events: tuple[DeviceEvent, ...]) -> bytes:
    """The part of a payload that every transmission has in common."""
    whole = encode_uplink(Uplink(epoch=0, seq=0, sent_at=0, clock="synced", oldest=0, readings=readings, events=events))
    return whole[whole.index(b'"readings":') :]
