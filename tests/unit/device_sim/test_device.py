"""What a device puts on the wire, what it answers to commands, and what its bad luck does to transmissions."""

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from device_sim.device import Device, WhoseIsIt, make_tail, nobody_answers
from device_sim.faults import Fault
from device_sim.outbox import Limits, Outbox
from device_sim.outbox_store import MemoryStore
from device_sim.tally import Tally
from schemas.codec import encode_ack, encode_command, encode_uplink, identity_of, parse_json
from schemas.events import Whose, names_symptom
from schemas.messages import Ack, Command, CommandKind, DeviceEvent, Reading, Uplink

NOW_MS = 1_763_886_600_000
READINGS = (Reading(vital="glucose", value=5.4, at=NOW_MS, unit="mmol/L"),)
EVENTS = (DeviceEvent(event="low_battery", at=NOW_MS, details={"percent": 9}),)


class Wire:
    """The other end of the connection."""

    def __init__(self) -> None:
        self.online = True
        self.sent: list[bytes] = []

    def send(self, seq: int, payload: bytes) -> None:
        assert identity_of(payload) is not None
        self.sent.append(payload)
        assert parse_json(payload)["seq"] == seq

    @property
    def numbers(self) -> list[int]:
        return [parse_json(payload)["seq"] for payload in self.sent]


class Bench:
    """A device on a bench."""

    def __init__(
        self, type_code: str = "fall_robot", *, fallen: bool = False, whose: WhoseIsIt = nobody_answers
    ) -> None:
        self.wire, self.tally = Wire(), Tally()
        self.reported: list[tuple[DeviceEvent, ...]] = []
        self.outbox = Outbox("robot-1", MemoryStore(), Limits(), Random(1))
        self.device = Device(
            self.outbox,
            type_code=type_code,
            now_ms=lambda: NOW_MS,
            tally=self.tally,
            report=lambda _device, events: self.reported.append(events),
            fallen=lambda _at_ms: fallen,
            draw=Random(1),
            whose=whose,
        )
        self.device.link = self.wire
        self.device.on_connected(session_present=False, undelivered=())

    def measure(self, count: int = 1, fault: Fault | None = None) -> None:
        for _ in range(count):
            held = self.outbox.append(make_tail((), ()), 1000)
            if fault:
                self.device.faults[held.seq] = fault

    def command(
        self, kind: CommandKind, *, name: str = "c1", expires_at: int = NOW_MS + 1, **details: str | int
    ) -> None:
        self.device.on_command(encode_command(Command(id=name, kind=kind, expires_at=expires_at, details=details)))

    @property
    def results(self) -> list[Mapping[str, Any]]:
        return [event.details for events in self.reported for event in events if event.event == "command_result"]


def test_a_transmission_is_byte_for_byte_what_the_codec_writes() -> None:
    bench = Bench()
    held = bench.outbox.append(make_tail(READINGS, EVENTS), 1000)
    expected = Uplink(
        epoch=bench.outbox.position.epoch,
        seq=0,
        sent_at=NOW_MS,
        clock="synced",
        oldest=0,
        readings=READINGS,
        events=EVENTS,
    )
    assert bench.device.payload(held) == encode_uplink(expected)


def test_an_ack_settles_and_is_timed() -> None:
    bench = Bench()
    bench.measure(3)
    bench.device.pump(1000)
    bench.device.on_ack(b"nonsense")
    bench.device.on_ack(encode_ack(Ack(generation=0, epoch=bench.outbox.position.epoch, upto=1)))
    assert bench.outbox.unsettled == 1
    assert bench.tally.latency()["samples"] == 2


def test_a_command_is_obeyed_once_however_often_it_comes() -> None:
    bench = Bench("pill_dispenser")
    for _ in range(3):
        bench.command(CommandKind.REMIND_DOSE)
    assert bench.results == [{"command_id": "c1", "result": "done"}]


def test_a_command_that_came_too_late_is_reported_as_expired() -> None:
    bench = Bench()
    bench.command(CommandKind.CHECK_IN, expires_at=NOW_MS - 1)
    assert bench.results == [{"command_id": "c1", "result": "expired"}]
    assert len(bench.reported[0]) == 1


def test_a_device_without_an_ear_says_so() -> None:
    bench = Bench("pill_dispenser")
    bench.command(CommandKind.CHECK_IN)
    assert bench.results == [{"command_id": "c1", "result": "unsupported"}]


@pytest.mark.parametrize("type_code", ["pressure_cuff", "finger_oximeter", "scale", "fall_robot", "pill_dispenser"])
def test_a_device_with_a_display_asks_to_measure_again_and_measures_nothing_by_itself(type_code: str) -> None:
    bench = Bench(type_code)
    bench.command(CommandKind.MEASURE_AGAIN, vital="systolic", slot=1, due_at=NOW_MS + 300_000)
    assert bench.results == [{"command_id": "c1", "result": "done"}]
    assert [len(events) for events in bench.reported] == [1]


def test_who_is_asked_for_symptoms_says_that_there_are_none() -> None:
    bench = Bench()
    bench.command(CommandKind.CHECK_IN, about="symptoms")
    (answer,) = [event for event in bench.reported[0] if event.event == "check_in_answered"]
    assert answer.details == {"answer": "ok", "symptom": "none"}
    assert not names_symptom(answer.details)


@pytest.mark.parametrize("fallen", [True, False])
def test_who_lies_on_the_floor_does_not_answer(*, fallen: bool) -> None:
    bench = Bench(fallen=fallen)
    bench.command(CommandKind.CHECK_IN)
    assert ("check_in_answered" in [event.event for event in bench.reported[0]]) is not fallen


def test_nonsense_is_no_command() -> None:
    bench = Bench()
    bench.device.on_command(b"{}")
    bench.device.on_command(b"\xff")
    assert bench.reported == []


def test_a_dropped_uplink_is_sent_again_later() -> None:
    bench = Bench()
    bench.measure(fault=Fault.DROP)
    bench.device.pump(1000)
    assert bench.wire.numbers == []
    bench.device.pump(1061)
    assert bench.wire.numbers == [0]
    assert bench.tally.sent_again == 1


def test_a_duplicate_comes_twice_and_a_reordered_one_after_the_next() -> None:
    bench = Bench()
    bench.measure(fault=Fault.DUPLICATE)
    bench.measure(fault=Fault.REORDER)
    bench.measure()
    bench.device.pump(1000)
    assert bench.wire.numbers == [0, 0, 2, 1]


def test_a_delayed_uplink_leaves_within_two_seconds_or_when_the_run_drains() -> None:
    for moment, draining in ((1002.1, False), (1000.01, True)):
        bench = Bench()
        bench.measure(fault=Fault.DELAY)
        bench.device.pump(1000)
        assert bench.wire.numbers == []
        bench.device.pump(moment, draining=draining)
        assert bench.wire.numbers == [0]


def test_lost_storage_also_forgets_what_was_held_back() -> None:
    bench = Bench()
    bench.measure(fault=Fault.DELAY)
    bench.device.pump(1000)
    bench.device.lose_storage()
    bench.device.pump(1010)
    assert bench.wire.sent == []


def test_nothing_leaves_without_a_connection() -> None:
    bench = Bench()
    bench.wire.online = False
    bench.measure()
    bench.device.pump(1000)
    assert bench.wire.sent == []


@pytest.mark.parametrize("said", [*Whose, None])
@pytest.mark.parametrize(("type_code", "slot"), [("scale", 2), ("fall_robot", None)])
def test_who_is_asked_whether_a_reading_was_theirs_answers_under_their_slot_or_not_at_all(
    type_code: str, slot: int | None, said: Whose | None
) -> None:
    asked: list[tuple[str, int, int | None]] = []

    def answer(*question: Any) -> Whose | None:
        asked.append(question)
        return said

    bench = Bench(type_code, whose=answer)
    whose: dict[str, Any] = {} if slot is None else {"slot": slot}
    for _ in range(2):
        bench.command(CommandKind.WHO_WAS_MEASURED, vital="weight", due_at=NOW_MS - 5_000, **whose)
    heard = [event for event in bench.reported[0] if event.event == "check_in_answered"]

    assert asked == [("weight", NOW_MS - 5_000, slot)]
    assert bench.results == [{"command_id": "c1", "result": "done"}]
    assert [(event.slot, event.details) for event in heard] == ([] if said is None else [(slot, {"mine": said.value})])


def test_nobody_answers_for_who_lies_on_the_floor_or_after_the_time() -> None:
    lying, late = Bench(fallen=True, whose=lambda *_: Whose.YES), Bench(whose=lambda *_: Whose.YES)
    lying.command(CommandKind.WHO_WAS_MEASURED, vital="systolic", due_at=NOW_MS)
    late.command(CommandKind.WHO_WAS_MEASURED, vital="systolic", due_at=NOW_MS, expires_at=NOW_MS - 1)
    assert [len(bench.reported[0]) for bench in (lying, late)] == [1, 1]
