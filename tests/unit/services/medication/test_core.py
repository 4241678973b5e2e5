"""Which event takes which dose, who is reminded, and what is said about a dose that was not taken."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.doses import DOSE_TRANSITIONS, DoseState
from schemas.messages import CommandKind
from services.medication.core import (
    OPEN_STATES,
    TAKING,
    Decided,
    Dose,
    DoseEvent,
    DoseOutcome,
    attribute,
    look,
    missed,
    remind,
    taken,
)
from services.medication.planning import Plan, plan_doses
from services.runtime.clock import to_ms

DAY = date(2026, 6, 1)
LIFTED, CONFIRMED = TAKING


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, 1, hour, minute, tzinfo=UTC)


def slots_of(
    *times: time, critical: bool = False, compartment: int = 2, days: int = 1, zone: str = "UTC"
) -> list[Dose]:
    plan = Plan(
        plan_id=UUID(int=compartment),
        person_no=1,
        home_no=4,
        device_no=9,
        compartment=compartment,
        at_times=times,
        time_critical=critical,
        zone=zone,
        valid_from=datetime(2000, 1, 1, tzinfo=UTC),
        valid_to=None,
    )
    return [
        Dose(
            dose_id=dose.dose_id,
            person_no=1,
            home_no=4,
            device_no=9,
            compartment=compartment,
            drug="Levodopa",
            zone=zone,
            time_critical=critical,
            early_after=dose.early_after,
            opens_at=dose.opens_at,
            due_at=dose.due_at,
            closes_at=dose.closes_at,
            missed_at=dose.missed_at,
            state=DoseState.PENDING,
        )
        for dose in plan_doses(plan, DAY, DAY + timedelta(days=days - 1))
    ]


def event(moment: datetime, *, seq: int = 0, compartment: int = 2, person_no: int = 1, kind: int = LIFTED) -> DoseEvent:
    return DoseEvent(
        device_no=9,
        epoch=1,
        seq=seq,
        item=0,
        person_no=person_no,
        kind=kind,
        compartment=compartment,
        observed_at=moment,
    )


def seen(doses: list[Dose], *events: DoseEvent, now: datetime, watermark: datetime | None = None) -> DoseOutcome:
    return look(doses, events, (), now=now, watermark=watermark, next_episode={1: 6})


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(5), DoseState.EARLY),
        (at(6, 59), DoseState.EARLY),
        (at(7), DoseState.TAKEN),
        (at(9), DoseState.TAKEN),
        (at(9, 1), DoseState.LATE),
        (at(13, 30), DoseState.LATE),
    ],
)
def test_a_dose_is_early_taken_or_late_by_when_the_cup_was_lifted(moment: datetime, expected: DoseState) -> None:
    (morning, _) = slots_of(time(8), time(20))

    outcome = seen([morning], event(moment), now=at(14))

    assert [dose.state for dose in outcome.doses] == [expected]
    assert outcome.doses[0].settled_at == moment


def test_a_noon_opening_does_not_hide_a_missed_morning_dose() -> None:
    morning, afternoon, _ = slots_of(time(8), time(16), time(20))

    (late,) = attribute([morning, afternoon], [event(at(11, 30))])
    (early,) = attribute([morning, afternoon], [event(at(12, 30))])

    assert late.dose_id == morning.dose_id
    assert early.dose_id == afternoon.dose_id


def test_lifting_and_confirming_are_one_dose_not_two() -> None:
    doses = slots_of(time(8), time(8, 30))

    takings = attribute(doses, [event(at(8, 2)), event(at(8, 4), seq=1, kind=CONFIRMED)])

    assert [(taking.dose_id, taking.decisive) for taking in takings] == [
        (doses[0].dose_id, True),
        (doses[0].dose_id, False),
    ]


def test_a_confirmation_that_comes_after_its_dose_was_settled_takes_no_other() -> None:
    one, other = slots_of(time(8), time(8, 30))
    known = [Decided(9, 2, at(8, 14), one.dose_id)]

    (taking,) = attribute([other], [event(at(8, 16), seq=1, kind=CONFIRMED)], known)

    assert (taking.dose_id, taking.decisive) == (one.dose_id, False)


@pytest.mark.parametrize("wrong", [event(at(8), compartment=3), event(at(8), person_no=2)])
def test_another_compartment_or_person_takes_nothing(wrong: DoseEvent) -> None:
    assert attribute(slots_of(time(8)), [wrong]) == []


def test_the_dispenser_reminds_when_a_dose_is_due_and_twice_again() -> None:
    (dose,) = slots_of(time(8))
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
    (dose,) = slots_of(time(8))

    assert seen([dose], now=at(7, 59)).commands == []
    assert seen([dose], event(at(7, 50)), now=at(8)).commands == []


def test_reminders_that_an_outage_swallowed_are_not_made_up_for() -> None:
    (dose,) = slots_of(time(8))

    after_one, newest = remind(dose, at(8, 20))
    after_all, none = remind(dose, at(8, 50))

    assert newest is not None
    assert newest.details["reminder"] == 2
    assert (after_one.state, after_all.state, none) == (DoseState.REMINDED, DoseState.REMINDED, None)


def test_a_time_critical_dose_not_taken_by_the_end_of_its_window_is_a_finding() -> None:
    doses = slots_of(time(8), critical=True, zone="UTC")

    outcome = seen(doses, now=at(8, 40), watermark=at(8, 31))

    (finding,) = outcome.findings
    assert (finding.rule, finding.level, finding.severity) == ("missed_dose", 2, Severity.MEDIUM)
    assert (finding.episode, finding.observed_at) == (6, to_ms(at(8, 30)))
    assert finding.doctor_text == "Time-critical dose of Levodopa due at 08:00 was not taken by 08:30."
    assert "Levodopa" not in finding.caregiver_text
    assert outcome.doses[0].episode == 6


@pytest.mark.parametrize("watermark", [None, at(8, 30)])
def test_nothing_is_missed_before_the_watermark_has_passed(watermark: datetime | None) -> None:
    outcome = seen(slots_of(time(8), critical=True), now=at(23), watermark=watermark)

    assert outcome.findings == []


def test_an_answer_still_in_the_pipe_is_no_missed_dose() -> None:
    outcome = seen(slots_of(time(8), critical=True), event(at(8, 29)), now=at(9), watermark=at(9))

    assert outcome.findings == []
    assert outcome.doses[0].state is DoseState.TAKEN


def test_a_dose_taken_after_its_finding_ends_the_episode_with_the_event_as_evidence() -> None:
    doses = slots_of(time(8), critical=True)
    raised = seen(doses, now=at(8, 40), watermark=at(8, 31)).doses

    outcome = seen(list(raised), event(at(8, 45)), now=at(8, 46), watermark=at(8, 44))

    (finding,) = outcome.findings
    assert (finding.level, finding.episode, finding.observed_at) == (0, 6, to_ms(at(8, 45)))
    assert finding.evidence[0].what == "cup_lifted"
    assert outcome.doses[0].state is DoseState.LATE


def test_a_time_critical_dose_that_can_no_longer_be_taken_ends_its_episode() -> None:
    outcome = seen(slots_of(time(8), critical=True), now=at(23), watermark=at(22))

    assert [finding.level for finding in outcome.findings] == [2, 0]
    assert {finding.episode for finding in outcome.findings} == {6}
    assert outcome.doses[0].state is DoseState.MISSED


def test_another_missed_dose_is_a_low_finding_at_the_cut_off() -> None:
    before, after = (seen(slots_of(time(8)), now=at(22), watermark=moment) for moment in (at(20), at(20, 1)))

    assert before.findings == []
    (finding,) = after.findings
    assert (finding.level, finding.severity, finding.observed_at) == (1, Severity.LOW, to_ms(at(20)))
    assert after.doses[0].state is DoseState.MISSED


def test_two_doses_missed_at_once_are_two_episodes() -> None:
    doses = slots_of(time(8), critical=True) + slots_of(time(8), critical=True, compartment=3)

    outcome = seen(doses, now=at(8, 40), watermark=at(8, 31))

    assert sorted(finding.episode for finding in outcome.findings) == [6, 7]
    assert len({finding.finding_id for finding in outcome.findings}) == 2


def test_times_are_said_in_the_zone_of_the_home() -> None:
    (dose,) = slots_of(time(8), critical=True, zone="Asia/Shanghai")

    outcome = seen([dose], now=at(3), watermark=at(3))

    assert "due at 08:00 was not taken by 08:30" in outcome.findings[0].caregiver_text


moments = st.integers(0, 3 * 24 * 60).map(lambda minutes: at(0) + timedelta(minutes=minutes))
plans = st.lists(st.integers(0, 95).map(lambda quarter: time(quarter // 4, 15 * (quarter % 4))), min_size=1, max_size=5)
events = st.lists(
    st.tuples(moments, st.sampled_from([2, 3]), st.sampled_from(TAKING), st.integers(0, 600)), max_size=25
)


@given(plans, plans, st.booleans(), events, st.lists(moments, min_size=1, max_size=8))
def test_every_dose_ends_in_one_state_and_no_event_counts_twice(
    morning: list[time],
    evening: list[time],
    critical: bool,  # noqa: FBT001
    facts: list[tuple[datetime, int, int, int]],
    looks: list[datetime],
) -> None:
    """Events become visible some minutes after they were observed; whatever the ledger looks at, and when."""
    doses = {
        dose.dose_id: dose
        for dose in (
            slots_of(*set(morning), critical=critical, days=2) + slots_of(*set(evening), compartment=3, days=2)
        )
    }
    unread = [
        (moment + timedelta(minutes=delay), event(moment, seq=number, compartment=compartment, kind=kind))
        for number, (moment, compartment, kind, delay) in enumerate(facts)
    ]
    counted: dict[int, UUID] = {}
    decided: list[Decided] = []
    levels: Counter[tuple[int, int]] = Counter()
    episode = 1
    for now in [*sorted(looks), at(0) + timedelta(days=9)]:
        visible = [one for moment, one in unread if moment <= now and one.seq not in counted]
        open_now = [dose for dose in doses.values() if dose.state in OPEN_STATES and dose.early_after <= now]
        outcome = look(open_now, visible, decided, now=now, watermark=now, next_episode={1: episode})
        for taking in outcome.takings:
            assert taking.event.seq not in counted
            counted[taking.event.seq] = taking.dose_id
            if taking.decisive:
                decided.append(Decided(9, taking.event.compartment, taking.event.observed_at, taking.dose_id))
        for dose in outcome.doses:
            assert doses[dose.dose_id].state in OPEN_STATES
            doses[dose.dose_id] = dose
        for finding in outcome.findings:
            levels[finding.episode, finding.level] += 1
        episode = max([episode, *(finding.episode + 1 for finding in outcome.findings)])

    by_state = Counter(dose.state for dose in doses.values())
    decisive = Counter(one.dose_id for one in decided)
    assert all(not DOSE_TRANSITIONS[state] for state in by_state)
    assert max(decisive.values(), default=1) == 1
    assert by_state.total() - by_state[DoseState.MISSED] == len(decided)
    assert max(levels.values(), default=1) == 1
    raised = sum(level > 0 for _, level in levels)
    assert raised == sum(dose.episode is not None for dose in doses.values())
    assert raised >= by_state[DoseState.MISSED]


@given(st.permutations(range(6)))
def test_the_order_in_which_events_become_visible_together_changes_nothing(order: list[int]) -> None:
    doses = slots_of(time(8), time(12), time(16), time(20))
    made = [event(at(8) + timedelta(minutes=130 * number), seq=number) for number in range(6)]

    assert attribute(doses, [made[number] for number in order]) == attribute(doses, made)


def test_a_settled_dose_is_left_alone() -> None:
    settled = taken(slots_of(time(8))[0], at(8))

    assert remind(settled, at(8, 15)).command is None
    assert missed(settled, at(23)) == settled
    assert attribute([settled], [event(at(8))]) == []
