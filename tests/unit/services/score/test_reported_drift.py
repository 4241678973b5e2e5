"""What is said of drifts: with its figures, once, whatever the restarts; and days that were lived before count."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Message, Severity
from schemas.codec import parse_json, write_json
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, STEPS
from services.score.days import DAY_MS, Days, Values
from services.score.episodes import Report
from services.score.home_state import HomeState
from services.score.recent_values import RecentValues
from services.score.rule import HOUR_MS
from services.score.rules.baseline import BASELINE
from services.sentences.catalogue import ENGLISH, Reader
from tests.unit.services.score.baseline_cases import BASELINE_CASES, ILL, USUAL, closing, days, usual_until
from tests.unit.services.score.story import PERSON, run

DAY = 19_675
PULSE, BREATH, WALKED = HEART_RATE.number, RESPIRATORY_RATE.number, STEPS.number
ALL_DAY = 2**24 - 1
lives = st.lists(st.sampled_from([(62, 14, 3000), (63, 14, 4000), (61, 15, 2500), (70, 17, 900), None]), max_size=34)
"""A day each: pulse, breathing and steps; None of one on which nothing was measured."""


def baselines(records: Sequence[JudgedUplink]) -> list[Finding]:
    return [one for one in run(records) if isinstance(one, Finding) and one.rule == BASELINE.name]


def live(
    recent: RecentValues, number: int, lived: tuple[int, int, int] | None, episodes: dict[str, int]
) -> list[Report]:
    """One more day, and what is said as the day before yesterday closes."""
    at = (DAY + number) * DAY_MS
    recent.pass_time(at)
    found = recent.report_drifts(episodes, BASELINE.name)
    for hour in range(24 if lived else 0):
        for vital, value in zip((PULSE, BREATH), lived or (), strict=False):
            recent.add(vital, value, at + hour * HOUR_MS, at + hour * HOUR_MS)
    if lived:
        recent.add(WALKED, lived[2], at + HOUR_MS, at + HOUR_MS)
    return found


def again(recent: RecentValues) -> RecentValues:
    """Written and read."""
    found = RecentValues(0, Days.from_plain(parse_json(write_json(recent.days.to_plain()))))
    found.read_plain(parse_json(write_json(recent.to_plain())))
    return found


WEEKS = [(61 + number % 3, 14, 3000) for number in range(20)]


def test_a_drift_names_its_figures_and_since_when_and_no_illness() -> None:
    (one,) = baselines([*usual_until(20), *days(range(20, 22), ILL), *closing(24)])

    assert (one.severity, one.level, one.person_no, one.retrospective) == (Severity.LOW, 1, PERSON, False)
    assert one.doctor_text == (
        "Days drift from what is usual for them, since 2023-12-04: resting pulse 9/min above,"
        " pulse in sleep 9/min above, breathing 3/min above what is usual. This names no illness."
    )
    assert "resting pulse" in one.caregiver_text
    assert {(piece.what, piece.value) for piece in one.evidence if piece.value is not None} == {
        ("heart_rate", 71.0), ("respiratory_rate", 17.0),
    }  # fmt: skip


def test_what_lasts_for_a_week_is_more_severe() -> None:
    found = baselines([*usual_until(20), *days(range(20, 28), ILL), *closing(30)])

    assert [(one.level, one.severity) for one in found] == [(1, Severity.LOW), (2, Severity.MEDIUM)]
    assert len({(one.episode, one.finding_id) for one in found}) == 2


def test_every_message_is_said_by_some_case_and_its_sentence_can_be_made_again() -> None:
    found = [one for _, _, records, _ in BASELINE_CASES for one in baselines(records)]  # type: ignore[arg-type]

    # A day that has closed changes no more, so that nothing is disproved.
    assert {one.message for one in found} == set(BASELINE.messages) - {"baseline.disproved"}
    assert {one.end_reason for one in found} == {None, EndReason.RECOVERED, EndReason.NO_DATA}
    for one in found:
        facts = parse_json(write_json(dict(one.facts)))
        assert ENGLISH.say(Message(one.message, facts), Reader.DOCTOR) == one.doctor_text
        assert ENGLISH.say(Message(one.message, facts), Reader.CAREGIVER) == one.caregiver_text


@settings(max_examples=25, deadline=None)
@given(lives, st.integers(0, 60))
def test_a_restart_says_nothing_twice_and_forgets_nothing(lived: list[Any], cut: int) -> None:
    whole, other = RecentValues(0), RecentValues(0)
    numbers: dict[str, int] = {}
    others: dict[str, int] = {}
    for number, one in enumerate([*WEEKS, *lived, *[None] * 6]):
        other = again(other) if number == cut else other
        assert live(whole, number, one, numbers) == live(other, number, one, others)
    assert (whole.days.to_plain(), whole.to_plain()) == (other.days.to_plain(), other.to_plain())


@settings(max_examples=25, deadline=None)
@given(lives)
def test_whoever_has_lived_days_before_begins_where_these_have_led(lived: list[Any]) -> None:
    recent = RecentValues(0)
    for number, one in enumerate([*lived, None, None, None]):
        live(recent, number, one, {})
    plain = parse_json(write_json(recent.days.to_plain()))
    del plain["drift"]

    assert Days.from_plain(plain).drift.to_plain() == recent.days.drift.to_plain()


def test_days_of_the_first_form_are_read_without_loss_and_begin_warm() -> None:
    plain = {
        "version": 1,
        "open_from": DAY + 20,
        "open": [[DAY + 20, "heart_rate", [60, 4, 61, 5]]],
        "closed": {
            "heart_rate": [[DAY + number, 900, 61.0 + number % 3] for number in range(20)],
            "body_temperature": [[DAY, 3, 36.65]],
        },
    }
    read = Days.from_plain(plain)
    written = read.to_plain()

    assert written["open"] == [[DAY + 20, "heart_rate", [60, 4, 61, 5], 1 << 24]]
    assert written["closed"]["heart_rate"][3] == [DAY + 3, 900, 61.0, None, None, None]
    assert written["closed"]["body_temperature"] == [[DAY, 3, 36.65, None, None, None]]
    assert Days.from_plain(parse_json(write_json(written))).to_plain() == written
    assert read.drift.last_day == DAY + 19
    # In the days that follow it is known at once what is usual.
    read.add([Values(DAY + 21, PULSE, [75] * 200, ALL_DAY)])
    read.close(DAY + 22)
    assert [(one.day, one.combined is not None) for one in read.drifted] == [(DAY + 21, True)]


def test_a_drift_that_began_in_such_days_is_said_with_the_next_one() -> None:
    recent = RecentValues(0)
    for number, one in enumerate([*WEEKS, (72, 18, 900), (72, 18, 900), None, None]):
        live(recent, number, one, {})
    plain = recent.days.to_plain()
    del plain["drift"], plain["reported"]
    later, numbers = RecentValues(0, Days.from_plain(plain)), {"baseline": 4}
    said = [
        report
        for number, one in enumerate([(72, 18, 900), None, None], 24)
        for report in live(later, number, one, numbers)
    ]

    assert [(one.episode, one.mark.level) for one in said] == [(5, 1)]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 47), st.sampled_from([PULSE, WALKED]), st.integers(30, 90)), max_size=30),
    st.data(),
)
def test_in_whatever_order_what_counts_for_a_day_comes_it_is_the_same_day(
    readings: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    turned = data.draw(st.permutations(readings))
    states = []
    for some in (readings, turned):
        recent = RecentValues(0)
        for place, (hour, vital, value) in enumerate(some):
            recent.pass_time((DAY + 1) * DAY_MS + 23 * HOUR_MS)
            recent.add(vital, value, DAY * DAY_MS + hour * HOUR_MS, (DAY + 1) * DAY_MS + 23 * HOUR_MS + place)
        recent.pass_time((DAY + 4) * DAY_MS)
        states.append(recent.days.to_plain())
    assert states[0] == states[1]


@pytest.mark.parametrize("hold", [0, 30])
def test_a_quiet_home_hears_of_the_pause_by_the_markers_of_the_log(hold: int) -> None:
    home, episodes = RecentValues(hold), {"baseline": 0}
    for number, one in enumerate([*WEEKS, (72, 18, 900), None, None]):
        live(home, number, one, episodes)
    while not episodes["baseline"]:
        home.pass_time(home.due_at)
        home.report_drifts(episodes, "baseline")
    assert (episodes["baseline"], home.due_at) == (1, home.closes_at(DAY + 23))
    home.pass_time(home.due_at)
    (paused,) = home.report_drifts(episodes, "baseline")
    assert (paused.mark.end_reason, paused.mark.at) == (EndReason.NO_DATA, (DAY + 24) * DAY_MS)


def test_steps_count_in_movement_as_well_and_a_moving_pulse_does_not() -> None:
    state = HomeState()
    moving = [
        record._replace(readings=tuple(one._replace(flags=int(Flag.MOVING)) for one in record.readings))
        for record in days([1], USUAL)
    ]
    run([*moving, *closing(4)], state)
    kept = state.subject(PERSON).recent.days
    assert [(one.values, one.hours, one.total) for one in kept.closed(WALKED)] == [(12, 12, 3000)]
    assert kept.closed(PULSE) == kept.closed(BREATH) == []
