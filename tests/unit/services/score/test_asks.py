"""What people are asked after a reading, and what came of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Finding
from schemas.asks import ASKED, CAME_OF, COMMAND_OF, AskKind, AskOutcome
from schemas.codec import parse_json, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPES
from schemas.devices.device_type import Measuring
from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.limits import Condition
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.ask_rows import Came, outcome_of
from services.score.asks import LATE_MS, SPEAKING, Ask, details_of
from services.score.home_state import HomeState
from services.score.limit_book import NEVER, LimitBook, PersonCondition
from tests.unit.services.score.pressure_cases import cuff, symptom
from tests.unit.services.score.story import PERSON, START, run, series, uplink

AGAIN, SYMPTOMS = AskKind.MEASURE_AGAIN, AskKind.SYMPTOMS


def asked(records: list[JudgedUplink], state: HomeState | None = None) -> list[tuple[AskKind, float, float]]:
    """What is asked, because of the reading of which minute, and at which minute it is due."""
    return [
        (one.kind, (one.sample.at - START) / 60_000, (one.due_at - START) / 60_000)
        for one in run(records, state)
        if isinstance(one, Ask)
    ]


def finger(*samples: tuple[float, float]) -> list[JudgedUplink]:
    return series("spo2", samples, device_type=FINGER_OXIMETER.number, device=23)


@pytest.mark.parametrize(
    ("story", "records", "expected"),
    [
        ("far too high", cuff((0, 181, 100)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0)]),
        ("only the diastolic value", cuff((0, 150, 121)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0)]),
        ("too low", cuff((0, 90, 55)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0)]),
        ("dangerously high", cuff((0, 225, 100)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0)]),
        ("within the limits", cuff((0, 180, 120), (20, 91, 60)), []),
        ("confirmed", cuff((0, 190, 100), (5, 188, 100))[1:], [(AGAIN, 5, 10), (SYMPTOMS, 5, 5)]),
        ("the second reading", cuff((0, 190, 100), (5, 188, 100)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0), (SYMPTOMS, 5, 5)]),
        ("a good second reading", cuff((0, 190, 100), (5, 150, 90)), [(AGAIN, 0, 5), (SYMPTOMS, 0, 0)]),
        ("a symptom was named", [symptom(-5), *cuff((0, 190, 100))], [(AGAIN, 0, 5)]),
        ("oxygen 92", finger((0, 92)), [(AGAIN, 0, 1)]),
        ("oxygen 88", finger((0, 88)), [(AGAIN, 0, 1)]),
        ("oxygen 93", finger((0, 93)), []),
        ("oxygen 92 twice", finger((0, 92), (2, 91)), [(AGAIN, 0, 1)]),
        ("oxygen 92 of a band", series("spo2", [(0, 90), (1, 90)]), []),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_people_are_asked_about_what_one_reading_does_not_show(
    story: str, records: list[JudgedUplink], expected: list[tuple[AskKind, float, float]]
) -> None:
    assert story
    assert asked(records) == expected


@pytest.mark.parametrize(("value", "is_asked"), [(88, False), (87, True)])
def test_with_a_prescribed_target_its_own_limit_asks(value: float, *, is_asked: bool) -> None:
    book = LimitBook(
        conditions=[PersonCondition(person_no=PERSON, condition=Condition.SPO2_88_92, valid_from=0, valid_to=NEVER)]
    )
    assert bool(asked(finger((0, value)), HomeState(limits=book))) is is_asked


@pytest.mark.parametrize(("late", "is_asked"), [(15, True), (15.1, False)])
def test_nobody_is_asked_about_a_reading_that_comes_late(late: float, *, is_asked: bool) -> None:
    assert LATE_MS == 15 * 60_000
    assert bool(asked(cuff((0, 190, 100), late=late))) is is_asked


@pytest.mark.parametrize("flag", [Flag.POOR_QUALITY, Flag.OTHER_HOME, Flag.CUFFLESS])
def test_nobody_is_asked_about_a_reading_that_moves_no_rule(flag: Flag) -> None:
    (record,) = cuff((0, 190, 100))
    doubtful = tuple(one._replace(flags=int(flag)) for one in record.readings)

    assert asked([record._replace(readings=doubtful)]) == []


def test_an_ask_is_no_finding_and_the_same_uplink_asks_the_same() -> None:
    (record,) = cuff((0, 190, 100))
    once, again = run([record]), run([record])

    assert not any(isinstance(one, Finding) for one in once)
    assert [one.ask_id for one in once if isinstance(one, Ask)] == [one.ask_id for one in again if isinstance(one, Ask)]
    assert len({one.ask_id for one in once if isinstance(one, Ask)}) == 2
    state = HomeState()
    run([record], state)
    assert asked([record], state) == []


def test_each_of_two_people_at_one_cuff_is_asked_for_themselves() -> None:
    (record,) = cuff((0, 190, 100))
    other = [one._replace(person_no=8, item=one.item + 2, value=one.value - 60) for one in record.readings]
    (both,) = [record._replace(readings=(*record.readings, *other))]

    assert {one.subject.person_no for one in run([both]) if isinstance(one, Ask)} == {PERSON}


def test_a_command_says_what_and_for_whom_but_no_value() -> None:
    again, symptoms = [one for one in run(cuff((0, 190, 100))) if isinstance(one, Ask)]

    assert details_of(again, 2) == {"vital": "systolic", "due_at": again.due_at, "slot": 2}
    assert details_of(again, None) == {"vital": "systolic", "due_at": again.due_at}
    assert details_of(symptoms, None) == {"about": "symptoms"}


@given(
    st.lists(st.tuples(st.sampled_from([78, 88, 130, 171, 190, 225]), st.integers(0, 30)), min_size=1, max_size=8),
    st.integers(0, 8),
)
def test_a_restart_changes_nothing_of_what_is_asked(readings: list[tuple[int, int]], cut: int) -> None:
    at, story = 0, []
    for seq, (systolic, pause) in enumerate(readings):
        at += 1 + pause
        story.append(cuff((at, systolic, 60))[0]._replace(seq=seq))
    state = HomeState()
    before = asked(story[:cut], state)
    again = HomeState.from_plain(parse_json(write_json(state.to_plain())))

    assert before + asked(story[cut:], again) == asked(story)


def test_what_is_measured_without_a_rule_asks_nothing() -> None:
    assert asked([uplink(0, 0, {"weight": 70}, device_type=DEVICE_TYPE_BY_CODE["scale"].number)]) == []


@pytest.mark.parametrize(
    ("kind", "measured_at", "answers", "is_over", "came"),
    [
        (AGAIN, None, [], False, None),
        (AGAIN, None, [], True, Came(AskOutcome.EXPIRED, None)),
        (AGAIN, 7, [], False, Came(AskOutcome.MEASURED, 7)),
        (AskKind.WHO_WAS_MEASURED, 7, [], False, Came(AskOutcome.MEASURED, 7)),
        (
            AskKind.WHO_WAS_MEASURED,
            9,
            [(3, {"mine": "unclear"}), (4, {"mine": "no"})],
            False,
            Came(AskOutcome.NOT_MINE, 4),
        ),
        (AskKind.WHO_WAS_MEASURED, None, [(3, {"mine": "yes"}), (4, {"mine": "no"})], False, Came(AskOutcome.MINE, 3)),
        (AskKind.WHO_WAS_MEASURED, None, [(3, {"answer": "ok"})], False, None),
        (SYMPTOMS, 7, [(3, {"mine": "yes"})], False, None),
        (SYMPTOMS, None, [(3, {"mine": "yes"})], True, Came(AskOutcome.EXPIRED, None)),
        (SYMPTOMS, 7, [], False, None),
        (SYMPTOMS, 7, [], True, Came(AskOutcome.EXPIRED, None)),
        (SYMPTOMS, None, [(3, {"answer": "ok"})], False, None),
        (SYMPTOMS, None, [(3, {"answer": "ok"}), (4, {"symptom": "none"})], True, Came(AskOutcome.NO_SYMPTOM, 3)),
        (SYMPTOMS, None, [(3, {"symptom": "no"}), (4, {"symptom": "dizzy"})], False, Came(AskOutcome.SYMPTOM, 4)),
    ],
)
def test_an_ask_comes_to_what_was_measured_or_said_in_its_time(
    kind: AskKind,
    measured_at: int | None,
    answers: list[tuple[int, dict[str, Any]]],
    came: Came | None,
    *,
    is_over: bool,
) -> None:
    assert outcome_of(kind, measured_at, answers, is_over=is_over) == came


def test_every_ask_has_a_command_that_a_device_with_a_voice_or_a_screen_obeys_and_words() -> None:
    assert set(COMMAND_OF) == set(ASKED) == set(AskKind)
    assert set(CAME_OF) == set(AskOutcome)
    for command in COMMAND_OF.values():
        assert any(command in DEVICE_TYPE_BY_CODE[code].commands for code in SPEAKING)
    assert all(DEVICE_TYPE_BY_CODE[code].measuring is not Measuring.SPOT for code in SPEAKING)


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.code)
def test_whoever_asks_for_symptoms_can_send_the_answer(device: Any) -> None:
    asks_for_symptoms = COMMAND_OF[SYMPTOMS] in device.commands
    assert asks_for_symptoms <= ("check_in_answered" in device.events)
    assert not device.commands or "command_result" in device.events
