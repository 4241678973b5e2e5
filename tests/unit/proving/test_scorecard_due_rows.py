"""Due rows of a simulated home without a database: falls, silent devices, doses."""

import pytest

from schemas.alerts import EndReason, Finding
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import STEPS, VITAL_BY_CODE
from services.ingest.registry import BoundPerson, RegisteredDevice
from services.score.followups import FallCheck
from services.score.rule import Subject
from services.score.sample import Sample
from tests.proving.scorecard.due_doses import DueDoses
from tests.proving.scorecard.due_falls import DueFalls
from tests.proving.scorecard.due_silence import DueSilence
from tests.proving.scorecard.said import Said  # noqa: TC001 - of an annotation that pytest never reads
from tests.proving.scorecard.simulated_homes import START_MS, make_neighbourhood

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
FELL_AT = START_MS
BAND, ROBOT, DISPENSER = 1, 2, 3


def uplink(
    device_no: int, at: int, *, events: tuple[JudgedEvent, ...] = (), readings: tuple[JudgedReading, ...] = ()
) -> JudgedUplink:
    return JudgedUplink(
        device_no=device_no, device=f"device-{device_no}", home_no=1, shard=0, epoch=1, seq=at - START_MS, oldest=0,
        sent_at=at, received_at=at, readings=readings, events=events,
    )  # fmt: skip


def event(kind: EventKind, at: int, **details: object) -> JudgedEvent:
    return JudgedEvent(0, 1, EVENT_TYPE_BY_KIND[kind].number, at, 0, details)


def answer(at: int, said: str, *, by: int = BAND) -> JudgedUplink:
    return uplink(by, at, events=(event(EventKind.FALL_ANSWERED, at, answer=said),))


def steps(at: int, number: float, posture: Flag = Flag.UPRIGHT) -> JudgedUplink:
    pulse = JudgedReading(0, 1, VITAL_BY_CODE["heart_rate"].number, 80.0, at, int(posture))
    return uplink(BAND, at, readings=(pulse, JudgedReading(1, 1, STEPS.number, number, at, 0)))


def course(*records: JudgedUplink, minutes: float) -> list[Finding]:
    """What is said of a fall at FELL_AT by then, looked at each half minute and with each record."""
    falls = DueFalls()
    found: list[Finding] = []
    sample = Sample(FELL_AT, 0.0, BAND, 1, 0, 0)
    falls.begin(
        FallCheck(
            subject=Subject(1, 1), episode=1, sample=sample, due_at=FELL_AT + MINUTE_MS, received_at=FELL_AT + 400
        )
    )
    waiting = sorted(records, key=lambda record: record.received_at)
    for now in range(FELL_AT, FELL_AT + round(minutes * MINUTE_MS) + 1, MINUTE_MS // 2):
        while waiting and waiting[0].received_at <= now:
            record = waiting.pop(0)
            falls.hear(record)
            found += falls.follow(record.received_at)
        found += falls.follow(now)
    return found


def levels(*records: JudgedUplink, minutes: float) -> list[tuple[int, EndReason | None]]:
    return [(one.level, one.end_reason) for one in course(*records, minutes=minutes)]


def test_a_fall_without_an_answer_is_confirmed_after_a_minute_and_said_again_after_30_and_60() -> None:
    assert levels(minutes=0.5) == []
    found = course(minutes=70)
    assert [one.level for one in found] == [2, 3, 3]
    assert [(one.observed_at - FELL_AT) / MINUTE_MS for one in found] == [1, 30, 60]


def test_an_answer_in_time_is_a_near_fall_and_ends_it_at_once() -> None:
    assert levels(answer(FELL_AT + 15_000, "ok"), minutes=1) == [(1, None), (0, EndReason.RECOVERED)]


def test_who_answers_help_is_not_waited_for() -> None:
    assert levels(answer(FELL_AT + 15_000, "help"), minutes=0.5) == [(2, None)]


def test_an_answer_that_comes_late_confirms_and_then_ends_it() -> None:
    found = levels(answer(FELL_AT + 5 * MINUTE_MS, "ok", by=ROBOT), minutes=10)
    assert found == [(2, None), (0, EndReason.RECOVERED)]


def test_who_is_up_and_walks_has_stumbled_and_who_lies_has_not() -> None:
    up = steps(FELL_AT + 45_000, 60)
    assert levels(up, minutes=1) == [(1, None), (0, EndReason.RECOVERED)]
    lying = steps(FELL_AT + 45_000, 60, Flag.LYING)
    assert levels(lying, minutes=1)[0] == (2, None)
    assert levels(steps(FELL_AT + 45_000, 4), minutes=1)[0] == (2, None)


def test_what_was_before_the_fall_is_no_sign() -> None:
    assert levels(steps(FELL_AT, 60), minutes=1)[0] == (2, None)


def test_who_is_helped_up_later_has_recovered() -> None:
    assert levels(steps(FELL_AT + 20 * MINUTE_MS, 60), minutes=40) == [(2, None), (0, EndReason.RECOVERED)]


def entry(number: int, kind: str) -> RegisteredDevice:
    return RegisteredDevice(
        device_no=number, device=f"device-{number}", home_no=1, shard=0, type=DEVICE_TYPE_BY_CODE[kind],
        people={1: (BoundPerson(person_no=1, home_no=1, from_ms=0, to_ms=1 << 62),)},
    )  # fmt: skip


def silences(records: list[JudgedUplink], *, hours: float) -> list[tuple[str, int, float]]:
    """Concern, level and minute of what is said of a band, a robot and a dispenser that last reports then."""
    devices = [entry(BAND, "wearable_band"), entry(ROBOT, "fall_robot"), entry(DISPENSER, "pill_dispenser")]
    silence = DueSilence(devices, START_MS)
    found: list[Said] = []
    for now in range(START_MS, START_MS + round(hours * HOUR_MS) + 1, MINUTE_MS):
        for record in [record for record in records if record.received_at == now]:
            found += silence.hear(record)
        found += silence.look(now)
    return [(one.concern, one.level, (one.observed_at - START_MS) / MINUTE_MS) for one in found]


def every(minutes: int, device_no: int, *, hours: float, until: float = 99.0) -> list[JudgedUplink]:
    ends = START_MS + min(hours, until) * HOUR_MS
    return [uplink(device_no, at) for at in range(START_MS, round(ends) + 1, minutes * MINUTE_MS)]


def test_who_is_heard_is_not_silent_and_a_device_without_power_is_after_its_limit() -> None:
    band, robot = every(1, BAND, hours=5), every(5, ROBOT, hours=5)
    assert silences(band + robot + every(5, DISPENSER, hours=5), hours=5) == []
    off = silences(band + robot + every(5, DISPENSER, hours=5, until=1), hours=3)
    assert off == [(str(DISPENSER), 1, 90)]
    again = uplink(DISPENSER, START_MS + 4 * HOUR_MS)
    back = silences([*band, *robot, *every(5, DISPENSER, hours=5, until=1), again], hours=4.4)
    assert back == [(str(DISPENSER), 1, 90), (str(DISPENSER), 0, 240)]


def test_a_home_of_which_nothing_is_heard_is_silent_once() -> None:
    records = [record for number in (BAND, ROBOT, DISPENSER) for record in every(5, number, hours=1)]
    assert [one[:2] for one in silences(records, hours=8)] == [("silent_home", 1)]


def test_a_band_that_said_it_is_charging_is_not_called_silent_for_half_a_day() -> None:
    charging = uplink(BAND, START_MS, events=(event(EventKind.CHARGING, START_MS),))
    heard = every(5, ROBOT, hours=14) + every(5, DISPENSER, hours=14)
    assert silences([charging, *heard], hours=11) == []
    assert [one[0] for one in silences([charging, *heard], hours=13)] == [str(BAND)]
    assert [one[0] for one in silences([uplink(BAND, START_MS), *heard], hours=4)] == [str(BAND)]


@pytest.fixture(name="doses")
def _doses() -> tuple[DueDoses, int, int, int]:
    """A home with one time-critical plan: its doses, the dispenser's number, its compartment, a dose's moment."""
    homes = make_neighbourhood(homes=1, days=2, seed=1)
    home = homes.register.homes[0]
    plan = home.people[0].plans[0]
    number = homes.entries[plan.device].device_no
    due = next(homes.plan.world.plans_of(plan.device)[0].doses(START_MS, START_MS + HOUR_MS)).at_ms
    assert plan.time_critical
    return DueDoses(homes, home), number, plan.compartment, due


def dispensed(number: int, compartment: int, at: int, *kinds: EventKind) -> JudgedUplink:
    return uplink(number, at, events=tuple(event(kind, at, compartment=compartment) for kind in kinds))


def test_a_dose_that_is_taken_is_nothing_to_speak_of(doses: tuple[DueDoses, int, int, int]) -> None:
    due_doses, number, compartment, due = doses
    found = list(
        due_doses.hear(dispensed(number, compartment, due + MINUTE_MS, EventKind.DOSE_DISPENSED, EventKind.CUP_LIFTED))
    )
    for minutes in range(5, 300, 5):
        found += due_doses.hear(uplink(number, due + minutes * MINUTE_MS))
    assert found == []


def test_a_dose_that_stays_is_said_after_its_window_and_at_its_cut_off(doses: tuple[DueDoses, int, int, int]) -> None:
    due_doses, number, compartment, due = doses
    found = list(due_doses.hear(dispensed(number, compartment, due + MINUTE_MS, EventKind.DOSE_DISPENSED)))
    for minutes in range(5, 300, 5):
        found += due_doses.hear(uplink(number, due + minutes * MINUTE_MS))
    said = [(one.rule, one.level, (one.observed_at - due) / MINUTE_MS) for one in found]
    assert said == [("missed_dose", 2, 30), ("missed_dose", 0, 180)]


def test_a_second_lift_is_a_double_dose(doses: tuple[DueDoses, int, int, int]) -> None:
    due_doses, number, compartment, due = doses
    given = EventKind.DOSE_DISPENSED, EventKind.CUP_LIFTED
    found = [
        one
        for minutes in (1, 30)
        for one in due_doses.hear(dispensed(number, compartment, due + minutes * MINUTE_MS, *given))
    ]
    assert [(one.rule, one.level) for one in found] == [("double_dose", 1)]


def test_a_dispenser_that_was_away_has_its_minutes_to_send_what_it_kept(doses: tuple[DueDoses, int, int, int]) -> None:
    due_doses, number, _, due = doses
    assert list(due_doses.hear(uplink(number, due - 5 * MINUTE_MS))) == []
    back = due + 35 * MINUTE_MS
    found = list(due_doses.hear(uplink(number, back)))
    assert found + list(due_doses.look(back + MINUTE_MS)) == []
    assert [one.rule for one in due_doses.look(back + 3 * MINUTE_MS)] == ["missed_dose"]
    assert list(due_doses.look(back + 4 * MINUTE_MS)) == []
