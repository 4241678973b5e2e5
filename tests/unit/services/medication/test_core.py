"""Who is reminded, when a dose is unknown, missed or held, and what is said of it and when."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.doses import OPEN_STATES, TAKEN_STATES, DoseState
from schemas.messages import CommandKind
from services.medication.core import Heard, Moment, look, remind
from services.medication.machine import CONFIRMED, DISPENSED, LIFTED, Dose, DoseEvent, Pause, fold
from services.runtime.clock import to_ms
from tests.unit.services.medication.dose_world import (
    DEVICE,
    FREE,
    LEVODOPA,
    METOPROLOL,
    START,
    as_needed,
    at,
    doses_of,
    event,
    heard_often,
    lifts,
    listed,
    only,
    said,
    seen,
)

MINUTE = timedelta(minutes=1)


def test_the_dispenser_reminds_when_a_dose_is_due_and_twice_again() -> None:
    (dose,) = doses_of(time(8))
    commands = []
    for minutes in range(0, 120, 5):
        dose, command = remind(dose, at(8) + timedelta(minutes=minutes))
        if command is not None:
            commands.append((minutes, command))

    assert [minutes for minutes, _ in commands] == [0, 15, 30]
    assert len({command.id for _, command in commands}) == 3
    assert {command.kind for _, command in commands} == {CommandKind.REMIND_DOSE}
    assert commands[0][1].expires_at == to_ms(at(8, 15))
    assert commands[0][1].details["compartment"] == 2


def test_nobody_is_reminded_before_the_time_or_of_a_dose_that_is_taken() -> None:
    (dose,) = doses_of(time(8))

    assert seen([dose], now=at(7, 59)).commands == []
    assert seen([dose], event(at(7, 50)), now=at(8)).commands == []


def test_reminders_that_an_outage_swallowed_are_not_made_up_for() -> None:
    (dose,) = doses_of(time(8))

    after_one, newest = remind(dose, at(8, 20))
    after_all, none = remind(dose, at(8, 50))

    assert newest is not None
    assert newest.details["reminder"] == 2
    assert (after_one.state, after_all.state, none) == (DoseState.REMINDED, DoseState.REMINDED, None)


def test_a_time_critical_dose_not_taken_by_the_end_of_its_window_is_a_finding_and_stays_open() -> None:
    doses = heard_often(doses_of(time(8), critical=True), at(8, 20))

    outcome = seen(doses, now=at(8, 31))

    (finding,) = outcome.findings
    assert (finding.rule, finding.level, finding.severity) == ("missed_dose", 2, Severity.MEDIUM)
    assert (finding.episode, finding.observed_at) == (6, to_ms(at(8, 30)))
    assert finding.concern == f"missed_dose.{LEVODOPA}"
    assert finding.doctor_text == "Time-critical dose of Levodopa due at 08:00 was not taken by 08:30."
    assert "Levodopa" not in finding.caregiver_text
    assert (only(outcome).episode, only(outcome).state) == (6, DoseState.REMINDED)


@pytest.mark.parametrize("watermark", [at(8, 30), at(7)])
def test_nothing_is_missed_before_the_watermark_has_passed(watermark: datetime) -> None:
    assert seen(doses_of(time(8), critical=True), now=at(23), watermark=watermark).findings == []


def test_nothing_is_said_while_the_watermark_is_not_known() -> None:
    moment = Moment(now=at(23), watermark=None, heard={DEVICE: Heard(at(23))}, pauses=(), next_episode=FREE)

    assert look(doses_of(time(8), critical=True), {}, moment).findings == []


def test_a_taking_still_in_the_pipe_is_no_missed_dose() -> None:
    outcome = seen(doses_of(time(8), critical=True), event(at(8, 29)), now=at(9))

    assert outcome.findings == []
    assert only(outcome).state is DoseState.TAKEN


def test_a_dose_taken_after_its_finding_ends_the_episode_with_the_event_as_evidence() -> None:
    raised = seen(heard_often(doses_of(time(8), critical=True), at(8, 20)), now=at(8, 31)).doses

    outcome = seen(raised, event(at(8, 45)), now=at(8, 46))

    (finding,) = outcome.findings
    assert (finding.level, finding.episode, finding.observed_at) == (0, 6, to_ms(at(8, 45)))
    assert (finding.end_reason, finding.message) == (EndReason.RECOVERED, "missed_dose.taken")
    assert finding.evidence[0].what == "cup_lifted"
    assert only(outcome).state is DoseState.LATE
    assert finding.finding_id != raised[0].dose_id


def test_a_time_critical_dose_that_can_no_longer_be_taken_is_missed_and_not_over() -> None:
    raised = seen(heard_often(doses_of(time(8), critical=True), at(8, 20)), now=at(8, 31)).doses
    outcome = seen(raised, now=at(20, 1))

    (finding,) = outcome.findings
    assert (finding.level, finding.end_reason, finding.episode) == (0, EndReason.NO_DATA, 6)
    assert (only(outcome).state, only(outcome).settled_at) == (DoseState.MISSED, at(20))


def test_another_missed_dose_is_a_low_finding_at_the_cut_off() -> None:
    doses = heard_often(doses_of(time(8)), at(19, 50))
    before, after = seen(doses, now=at(20)), seen(doses, now=at(20, 1))

    assert before.findings == []
    (finding,) = after.findings
    assert (finding.level, finding.severity, finding.observed_at) == (1, Severity.LOW, to_ms(at(20)))
    assert only(after).state is DoseState.MISSED


def test_two_doses_missed_at_once_are_two_episodes_of_two_concerns() -> None:
    one, other = doses_of(time(8), critical=True), doses_of(time(8), critical=True, plan_id=METOPROLOL)
    outcome = seen(heard_often([*one, *other], at(8, 20)), now=at(8, 31))

    assert sorted(finding.episode for finding in outcome.findings) == [6, 7]
    assert len({finding.concern for finding in outcome.findings}) == 2
    assert len({finding.finding_id for finding in outcome.findings}) == 2


def test_times_are_said_in_the_zone_of_the_home() -> None:
    (dose,) = doses_of(time(8), critical=True, zone="Asia/Shanghai")

    (finding,) = seen([replace(dose, heard_at=at(0, 20))], now=at(0, 31)).findings
    assert "due at 08:00 was not taken by 08:30" in finding.caregiver_text


def test_a_dose_whose_dispenser_is_not_heard_is_unknown_and_nothing_is_said() -> None:
    doses = doses_of(time(8), critical=True)
    outcome = seen(doses, now=at(9), heard=at(7, 10))

    assert outcome.findings == []
    assert (only(outcome).state, only(outcome).settled_at) == (DoseState.UNKNOWN, None)
    assert only(outcome).unknown_since == at(8, 30)


def test_a_taking_that_is_reported_late_settles_an_unknown_dose_and_says_so() -> None:
    unknown = only(seen(doses_of(time(8), critical=True), now=at(9), heard=at(7, 10)))

    outcome = seen([unknown], event(at(8, 1), late=180 * MINUTE), now=at(11, 2))
    assert said(outcome) == [(0, "missed_dose.taken_late")]
    assert (only(outcome).state, only(outcome).settled_at) == (DoseState.TAKEN, at(8, 1))
    assert "reported it late" in outcome.findings[0].doctor_text


def test_a_taking_in_time_of_a_dose_not_known_for_some_minutes_says_nothing() -> None:
    unknown = only(seen(doses_of(time(8), critical=True), now=at(8, 31), heard=at(8, 29)))

    outcome = seen([unknown], event(at(8, 33)), now=at(8, 33))
    assert (said(outcome), only(outcome).state) == ([], DoseState.LATE)


def test_a_taking_that_is_reported_late_settles_a_missed_dose_after_all() -> None:
    doses = seen(heard_often(doses_of(time(8), critical=True), at(8, 20)), now=at(8, 31)).doses
    doses = seen(doses, now=at(20, 1)).doses

    outcome = seen(doses, event(at(8, 20), late=13 * 60 * MINUTE), now=at(21, 20))
    assert said(outcome) == [(0, "missed_dose.taken_late")]
    assert only(outcome).state is DoseState.TAKEN
    assert outcome.findings[0].end_reason is EndReason.RECOVERED
    assert outcome.findings[0].finding_id not in {one.dose_id for one in doses}


def test_a_dose_due_while_its_plan_is_paused_is_held_and_nobody_is_reminded() -> None:
    pauses = (Pause(LEVODOPA, at(7), None),)
    doses = doses_of(time(8), critical=True)

    assert seen(doses, now=at(7, 59), pauses=pauses).doses == []
    outcome = seen(doses, now=at(8), pauses=pauses)
    assert (only(outcome).state, only(outcome).settled_at) == (DoseState.HELD, at(8))
    assert (outcome.commands, outcome.findings) == ([], [])
    # It stays held, whenever the plan is resumed.
    assert seen(outcome.doses, now=at(9), pauses=(Pause(LEVODOPA, at(7), at(8, 30)),)).doses == []


def test_a_paused_dose_that_is_lifted_is_held_and_said_only_of_a_listed_drug() -> None:
    pauses = (Pause(LEVODOPA, at(7), None),)
    plain = seen(doses_of(time(8)), event(at(8, 5)), now=at(8, 6), pauses=pauses)
    dangerous = seen(listed(doses_of(time(8))), event(at(8, 5)), now=at(8, 6), pauses=pauses)

    assert (plain.findings, only(plain).state) == ([], DoseState.HELD)
    assert only(dangerous).state is DoseState.HELD
    assert said(dangerous) == [(2, "double_dose.paused")]
    assert dangerous.findings[0].severity is Severity.HIGH


def test_a_second_dose_is_a_finding_and_each_further_one_is_said_anew() -> None:
    doses = doses_of(time(8))
    first = seen(doses, *lifts(at(8), at(10)), now=at(10))
    again = seen(first.doses, *lifts(at(8), at(10)), now=at(10, 1))
    third = seen(first.doses, *lifts(at(8), at(10), at(11)), now=at(11))

    (finding,) = first.findings
    assert (finding.rule, finding.level, finding.severity, finding.episode) == ("double_dose", 1, Severity.MEDIUM, 3)
    assert finding.concern == f"double_dose.{LEVODOPA}"
    assert (len(finding.evidence), finding.observed_at) == (2, to_ms(at(10)))
    assert again.findings == []
    assert said(third) == [(1, "double_dose.again")]
    assert third.findings[0].episode == 3
    assert third.findings[0].finding_id != finding.finding_id
    assert only(third).state is DoseState.DOUBLE


def test_a_second_dose_of_a_listed_drug_is_high() -> None:
    (finding,) = seen(listed(doses_of(time(8))), *lifts(at(8), at(10)), now=at(10)).findings

    assert (finding.level, finding.severity, finding.message) == (2, Severity.HIGH, "double_dose.listed")


def test_a_second_dose_that_was_none_is_taken_back() -> None:
    first = seen(doses_of(time(8)), *lifts(at(8), at(8, 15)), now=at(8, 15))
    # An earlier lift comes in, of which both are within ten minutes: 08:05 of 08:00 is not, of 08:05 it is.
    outcome = seen(first.doses, *lifts(at(8, 15)), now=at(9))

    assert said(outcome) == [(0, "double_dose.disproved")]
    assert only(outcome).state is DoseState.TAKEN


def test_what_is_taken_as_needed_too_soon_is_said() -> None:
    found = fold((), lifts(at(8), at(9)), needed=[as_needed()])
    doses = [one.dose for one in found.values()]
    moment = Moment(now=at(9), watermark=at(9), heard={}, pauses=(), next_episode=FREE)

    outcome = look(doses, found, moment)
    assert [dose.state for dose in outcome.doses] == [DoseState.TAKEN, DoseState.DOUBLE]
    assert said(outcome) == [(1, "double_dose.too_soon")]
    assert "Ibuprofen 400 mg" in outcome.findings[0].doctor_text


def test_a_settled_dose_is_left_alone() -> None:
    taken_dose = only(seen(doses_of(time(8)), event(at(8)), now=at(8)))

    assert remind(taken_dose, at(8, 15)).command is None
    assert seen([taken_dose], now=at(23)).doses == []


moments = st.integers(0, 3 * 24 * 60).map(lambda number: START + number * MINUTE)
times = st.lists(st.integers(0, 95).map(lambda q: time(q // 4, 15 * (q % 4))), min_size=1, max_size=4, unique=True)
stories = st.lists(
    st.tuples(
        moments, st.sampled_from([LIFTED, LIFTED, CONFIRMED, DISPENSED]), st.sampled_from([2, 3]), st.integers(0, 900)
    ),
    max_size=25,
    unique_by=lambda one: one[:3],
)
outages = st.lists(st.tuples(moments, st.integers(10, 2000)), max_size=3)
END = START + timedelta(days=9)


@settings(deadline=None)
@given(times, times, st.booleans(), stories, outages, st.lists(moments, max_size=8))
def test_however_events_are_batched_each_dose_comes_to_the_same(
    one: list[time],
    other: list[time],
    critical: bool,  # noqa: FBT001
    story: list[tuple[datetime, int, int, int]],
    outages: list[tuple[datetime, int]],
    looks: list[datetime],
) -> None:
    """Events become visible some minutes after they happened; the dispenser is heard each ten minutes unless away."""
    doses = [
        *doses_of(*one, critical=critical, days=2), *doses_of(*other, plan_id=METOPROLOL, compartment=3, days=2),
    ]  # fmt: skip
    events = [event(moment, kind=kind, compartment=place, late=late * MINUTE) for moment, kind, place, late in story]
    after, findings = play(doses, events, outages, [*sorted(looks), END, END + 3 * MINUTE, END + timedelta(hours=1)])
    at_once, _ = play(doses, events, (), [END, END + 3 * MINUTE, END + timedelta(hours=1)])

    for dose_id, dose in after.items():
        assert dose.state not in OPEN_STATES
        assert (dose.state, dose.settled_at, dose.doubles) == (
            at_once[dose_id].state, at_once[dose_id].settled_at, at_once[dose_id].doubles,
        )  # fmt: skip
        check_said(dose, [finding for finding in findings if finding.episode == dose.episode])
    assert len({finding.finding_id for finding in findings}) == len(findings)
    by_state = sum(dose.state in TAKEN_STATES for dose in after.values())
    assert by_state + sum(dose.state is DoseState.MISSED for dose in after.values()) == len(doses)


def check_said(dose: Dose, findings: list[Finding]) -> None:
    """What was said of a dose last is what became of it."""
    about = [one for one in findings if one.rule == "missed_dose" and one.concern.endswith(str(dose.plan_id))]
    if dose.state is DoseState.MISSED:
        assert any(one.level > 0 for one in about)
        assert about[-1].end_reason is not EndReason.RECOVERED
    elif about:
        assert about[-1].end_reason is EndReason.RECOVERED


def play(
    doses: Sequence[Dose], events: list[DoseEvent], outages: Sequence[tuple[datetime, int]], looks: list[datetime]
) -> tuple[dict[UUID, Dose], list[Finding]]:
    known = {dose.dose_id: dose for dose in doses}
    findings: list[Finding] = []
    free = dict(FREE)
    for now in looks:
        seen_events = [one for one in events if one.received_at <= now]
        outcome = look(
            list(known.values()),
            fold(list(known.values()), seen_events),
            Moment(now=now, watermark=now, heard={DEVICE: Heard(heard_by(now, outages))}, pauses=(), next_episode=free),
        )
        known |= {dose.dose_id: dose for dose in outcome.doses}
        findings += outcome.findings
        for finding in outcome.findings:
            key = (finding.person_no, finding.rule)
            free[key] = max(free[key], finding.episode + 1)
    return known, findings


def heard_by(now: datetime, outages: Sequence[tuple[datetime, int]]) -> datetime:
    heard = now
    for since, minutes in outages:
        if since <= heard <= since + minutes * MINUTE:
            heard = since
    return heard
