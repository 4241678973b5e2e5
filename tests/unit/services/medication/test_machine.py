"""Which event takes which dose: the lines of section 5 of the semantics, and any story in any order."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.doses import DoseState, EvidenceRole
from services.medication.machine import (
    CONFIRMED,
    DISPENSED,
    LIFTED,
    Dose,
    DoseEvent,
    Needed,
    Pause,
    Taking,
    fold,
    taken,
)
from tests.unit.services.medication.dose_world import (
    IBUPROFEN,
    LEVODOPA,
    METOPROLOL,
    START,
    as_needed,
    at,
    confirmed,
    dispensed,
    doses_of,
    event,
    lifts,
    listed,
)

ONCE, TWICE = (time(8),), (time(8), time(20))


def states(doses: list[Dose], *events: DoseEvent, pauses: tuple[Pause, ...] = ()) -> list[DoseState]:
    found = fold(doses, events, pauses=pauses)
    return [taken(found[dose.dose_id]).state for dose in doses]


def roles(found: dict[UUID, Taking], dose: Dose) -> list[EvidenceRole]:
    return [one.role for one in found[dose.dose_id].counted]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(5, 1), DoseState.EARLY),
        (at(6, 59), DoseState.EARLY),
        (at(7), DoseState.TAKEN),
        (at(9), DoseState.TAKEN),
        (at(9, 1), DoseState.LATE),
        (at(14), DoseState.LATE),
        (at(5), DoseState.PENDING),
        (at(14, 1), DoseState.PENDING),
    ],
)
def test_a_dose_is_early_taken_or_late_by_when_the_cup_was_lifted(moment: datetime, expected: DoseState) -> None:
    morning, evening = doses_of(*TWICE)
    found = fold([morning, evening], [event(moment)])

    after = taken(found[morning.dose_id])
    assert after.state is expected
    assert after.settled_at == (None if expected is DoseState.PENDING else moment)
    assert taken(found[evening.dose_id]).state is DoseState.PENDING


@pytest.mark.parametrize(
    ("minutes", "state", "evidence"),
    [
        (0, DoseState.TAKEN, [EvidenceRole.DECIDED, EvidenceRole.SAME]),
        (10, DoseState.TAKEN, [EvidenceRole.DECIDED, EvidenceRole.SAME]),
        (11, DoseState.DOUBLE, [EvidenceRole.DECIDED, EvidenceRole.DOUBLE]),
        (130, DoseState.DOUBLE, [EvidenceRole.DECIDED, EvidenceRole.DOUBLE]),
    ],
)
def test_a_lift_up_to_ten_minutes_later_is_the_same_taking_and_after_that_one_too_many(
    minutes: int, state: DoseState, evidence: list[EvidenceRole]
) -> None:
    (dose,) = doses_of(*ONCE)
    found = fold([dose], [event(at(8)), event(at(8) + timedelta(minutes=minutes), compartment=2)._replace(epoch=2)])

    assert taken(found[dose.dose_id]).state is state
    assert roles(found, dose) == evidence
    assert taken(found[dose.dose_id]).settled_at == at(8)


def test_a_confirmation_takes_a_dose_but_never_a_second_one() -> None:
    doses = doses_of(*TWICE)

    assert states(doses, confirmed(at(8)), confirmed(at(9))) == [DoseState.TAKEN, DoseState.PENDING]
    assert states(doses, *lifts(at(8)), confirmed(at(9))) == [DoseState.TAKEN, DoseState.PENDING]


def test_a_later_lift_never_becomes_tomorrows_dose() -> None:
    doses = doses_of(*ONCE, critical=True, days=2)

    assert states(doses, *lifts(at(8), at(10, 10))) == [DoseState.DOUBLE, DoseState.PENDING]
    # As long as it is not within its early reach, a quarter of the time before it is due.
    assert states(doses, *lifts(at(8), at(2, day=2))) == [DoseState.DOUBLE, DoseState.PENDING]
    assert states(doses, *lifts(at(8), at(2, 1, day=2))) == [DoseState.TAKEN, DoseState.EARLY]


def test_each_lift_too_many_counts_and_two_within_ten_minutes_are_one() -> None:
    (dose,) = doses_of(*ONCE)
    found = fold([dose], lifts(at(8), at(10), at(10, 9), at(12)))

    assert taken(found[dose.dose_id]).doubles == 2
    assert roles(found, dose) == ["decided", "double", "same", "double"]


def test_a_dose_is_not_early_while_the_window_of_the_one_before_lasts() -> None:
    doses = doses_of(time(8), time(9), time(10))

    # The window of the one before lasts until half past; where it ends, that of the next one opens.
    assert states(doses, *lifts(at(8), at(8, 25))) == [DoseState.DOUBLE, DoseState.PENDING, DoseState.PENDING]
    assert states(doses, *lifts(at(8), at(8, 31))) == [DoseState.TAKEN, DoseState.TAKEN, DoseState.PENDING]


def test_a_dose_of_an_edited_plan_is_not_early_while_the_window_of_the_last_one_before_lasts() -> None:
    (before,) = doses_of(time(8))
    (after,) = (replace(dose, version_no=2) for dose in doses_of(time(14)))
    assert after.early_after == at(8)
    assert before.closes_at == at(10)

    assert states([before, after], *lifts(at(8), at(10))) == [DoseState.DOUBLE, DoseState.PENDING]
    assert states([before, after], *lifts(at(8), at(10, 1))) == [DoseState.TAKEN, DoseState.EARLY]


def test_a_lift_after_a_missed_dose_is_no_second_one_of_the_day_before() -> None:
    doses = doses_of(*ONCE, days=2)

    found = fold(doses, lifts(at(8), at(21, day=2)))
    assert [taken(found[dose.dose_id]).state for dose in doses] == [DoseState.TAKEN, DoseState.PENDING]
    assert [len(found[dose.dose_id].counted) for dose in doses] == [1, 0]


def test_the_oldest_dose_that_is_open_comes_first() -> None:
    doses = doses_of(time(8), time(16), time(20))

    assert states(doses, *lifts(at(11, 30))) == [DoseState.LATE, DoseState.PENDING, DoseState.PENDING]
    assert states(doses, *lifts(at(14, 30))) == [DoseState.PENDING, DoseState.EARLY, DoseState.PENDING]


def test_one_lift_takes_all_that_are_due_in_its_compartment() -> None:
    one, other = doses_of(*ONCE), doses_of(*ONCE, plan_id=METOPROLOL)
    elsewhere = doses_of(*ONCE, plan_id=IBUPROFEN, compartment=3)

    assert states([*one, *other, *elsewhere], *lifts(at(8, 2))) == [DoseState.TAKEN] * 2 + [DoseState.PENDING]
    assert states([*one, *other], *lifts(at(8, 2), at(9))) == [DoseState.DOUBLE] * 2


def test_a_lift_that_takes_one_plans_dose_is_no_second_one_of_another_plan() -> None:
    one, other = doses_of(*ONCE), doses_of(time(8), time(11), plan_id=METOPROLOL)

    assert states([*one, *other], *lifts(at(8), at(11))) == [DoseState.TAKEN, DoseState.TAKEN, DoseState.TAKEN]
    # What was taken last is what was taken too often.
    assert states([*one, *other], *lifts(at(8), at(11), at(12))) == [
        DoseState.TAKEN, DoseState.TAKEN, DoseState.DOUBLE,
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [event(at(8), compartment=3), event(at(8), person_no=2), dispensed(at(8))])
def test_another_compartment_or_person_takes_nothing_nor_does_what_is_only_dispensed(wrong: DoseEvent) -> None:
    assert states(doses_of(*ONCE), wrong) == [DoseState.PENDING]


def test_the_lift_of_an_empty_cup_is_no_taking_and_none_too_many() -> None:
    doses = doses_of(*TWICE)
    empty = fold(doses, [dispensed(at(7, 30), compartment=3), *lifts(at(8))])

    assert taken(empty[doses[0].dose_id]).state is DoseState.PENDING
    assert roles(empty, doses[0]) == ["empty"]
    assert states(doses, dispensed(at(7, 30)), *lifts(at(8), at(9))) == [DoseState.TAKEN, DoseState.PENDING]
    assert states(doses, dispensed(at(7, 30)), *lifts(at(8)), dispensed(at(8, 30)), *lifts(at(9))) == [
        DoseState.DOUBLE, DoseState.PENDING,
    ]  # fmt: skip


def test_a_device_that_has_not_said_for_a_week_what_it_dispensed_does_not_say_it() -> None:
    doses = doses_of(*ONCE, days=9)

    found = fold(doses, [dispensed(at(7)), *lifts(at(8), at(8, day=8), at(8, day=9))])
    assert [taken(found[dose.dose_id]).state for dose in (doses[0], doses[7], doses[8])] == [DoseState.TAKEN] * 3
    assert states(doses, dispensed(at(7)), *lifts(at(8), at(6, day=8)))[7] is DoseState.PENDING


def test_what_another_dispenser_says_is_no_word_of_this_one() -> None:
    (dose,) = doses_of(*ONCE)
    other = dispensed(at(7, 30))._replace(device_no=10)

    assert states([dose], other, *lifts(at(8))) == [DoseState.TAKEN]


PAUSED = (Pause(LEVODOPA, at(7), at(12)),)


def test_a_dose_of_a_paused_plan_takes_no_lift_which_is_kept() -> None:
    doses = doses_of(*TWICE)
    found = fold(doses, lifts(at(8)), pauses=PAUSED)

    assert found[doses[0].dose_id].held
    assert roles(found, doses[0]) == ["held"]
    assert taken(found[doses[0].dose_id]).doubles == 0
    assert states(doses, *lifts(at(8), at(20)), pauses=PAUSED)[1] is DoseState.TAKEN


def test_a_dose_that_was_taken_before_its_plan_was_paused_stays_taken() -> None:
    doses = listed(doses_of(*TWICE))
    found = fold(doses, lifts(at(6)), pauses=PAUSED)

    assert taken(found[doses[0].dose_id]).state is DoseState.EARLY
    assert roles(found, doses[0]) == ["decided"]


def test_a_lift_of_a_listed_drug_while_it_is_paused_is_one_too_many() -> None:
    (dose,) = listed(doses_of(*ONCE))

    assert taken(fold([dose], lifts(at(8)), pauses=PAUSED)[dose.dose_id]).doubles == 1


def as_needed_states(*events: DoseEvent, plan: Needed, doses: tuple[Dose, ...] = ()) -> list[DoseState]:
    found = fold(doses, events, needed=[plan])
    return [taken(one).state for one in found.values() if one.dose.as_needed]


def test_what_is_taken_as_needed_is_a_dose_each_time() -> None:
    plan = as_needed()

    assert as_needed_states(*lifts(at(8), at(8, 5), at(14)), plan=plan) == [DoseState.TAKEN] * 2
    # Less than six hours apart.
    assert as_needed_states(*lifts(at(8), at(13, 59)), plan=plan) == [DoseState.TAKEN, DoseState.DOUBLE]


def test_what_is_taken_as_needed_is_not_taken_more_often_than_its_plan_allows_in_a_day_at_home() -> None:
    plan = replace(as_needed(most=2), least_interval=timedelta(hours=1))

    assert as_needed_states(*lifts(at(8), at(10), at(12)), plan=plan) == [
        DoseState.TAKEN, DoseState.TAKEN, DoseState.DOUBLE,
    ]  # fmt: skip
    # In Berlin it is tomorrow.
    assert as_needed_states(*lifts(at(8), at(10), at(22)), plan=plan) == [DoseState.TAKEN] * 3


def test_a_lift_that_takes_a_scheduled_dose_takes_nothing_as_needed() -> None:
    doses = tuple(doses_of(*ONCE))

    assert as_needed_states(*lifts(at(8)), plan=as_needed(), doses=doses) == []
    assert as_needed_states(*lifts(at(8), at(12)), plan=as_needed(), doses=doses) == [DoseState.TAKEN]
    assert states(list(doses), *lifts(at(8))) == [DoseState.TAKEN]


def test_what_was_settled_before_the_upgrade_is_not_judged_again() -> None:
    (dose,) = doses_of(*ONCE)
    fixed = replace(dose, state=DoseState.TAKEN, settled_at=at(8), fixed_at=at(12))
    before = fold([fixed], lifts(at(8), at(10)), given={dose.dose_id: at(8)})
    after = fold([fixed], lifts(at(8), at(10), at(13)), given={dose.dose_id: at(8)})

    assert taken(before[dose.dose_id]) == fixed
    assert taken(after[dose.dose_id]).state is DoseState.DOUBLE


def test_a_missed_dose_of_before_the_upgrade_takes_no_event() -> None:
    (dose,) = doses_of(*ONCE)
    fixed = replace(dose, state=DoseState.MISSED, settled_at=at(20), fixed_at=at(23))

    assert taken(fold([fixed], lifts(at(8)))[dose.dose_id]) == fixed


minutes = st.integers(0, 4 * 24 * 60).map(lambda number: START + timedelta(minutes=number))
plans = st.lists(st.integers(0, 95).map(lambda q: time(q // 4, 15 * (q % 4))), min_size=1, max_size=5, unique=True)
stories = st.lists(
    st.tuples(minutes, st.sampled_from([LIFTED, LIFTED, CONFIRMED, DISPENSED]), st.sampled_from([2, 3])), max_size=40,
    unique=True,
)  # fmt: skip


@settings(deadline=None)
@given(plans, plans, st.booleans(), stories, st.lists(st.tuples(minutes, minutes), max_size=2), st.integers())
def test_any_story_in_any_order_leaves_each_dose_in_one_state_and_the_counts_add_up(
    one: list[time],
    other: list[time],
    needed: bool,  # noqa: FBT001
    story: list[tuple[datetime, int, int]],
    paused: list[tuple[datetime, datetime]],
    seed: int,
) -> None:
    doses = [
        *doses_of(*one, days=4),
        *doses_of(*other, plan_id=METOPROLOL, days=4),
        *doses_of(*other, plan_id=UUID(int=7), compartment=3, days=4),
    ]
    events = [event(moment, kind=kind, compartment=place) for moment, kind, place in story]
    pauses = [Pause(LEVODOPA, min(pair), max(pair)) for pair in paused]
    plan = [as_needed()] if needed else []
    found = fold(doses, events, needed=plan, pauses=pauses)

    shuffled = [*events, *events[:5]]
    Random(seed).shuffle(shuffled)
    assert fold(list(reversed(doses)), shuffled, needed=plan, pauses=pauses) == found

    counted = [one for taking in found.values() for one in taking.counted]
    assert len(counted) == len({(item.event, item.dose_id) for item in counted})
    by_event = Counter[tuple[DoseEvent, EvidenceRole]]((item.event, item.role) for item in counted)
    for item in events:
        mine = {role for (which, role) in by_event if which == item}
        # An event is one thing; but a lift that takes one plan's dose may be of another that is paused.
        assert len(mine) <= 1 or mine == {EvidenceRole.DECIDED, EvidenceRole.HELD}
        assert item.kind != DISPENSED or not mine
    for taking in found.values():
        check(taking)


def check(taking: Taking) -> None:
    dose, after = taking.dose, taken(taking)
    by_role = Counter(one.role for one in taking.counted)
    assert by_role[EvidenceRole.DECIDED] == (taking.taken_at is not None) <= 1
    assert by_role[EvidenceRole.DOUBLE] + by_role[EvidenceRole.HELD] >= len(taking.again)
    if taking.held:
        assert not by_role[EvidenceRole.DECIDED]
    if taking.taken_at is None:
        assert after.state is DoseState.PENDING
        return
    if not dose.as_needed:
        assert dose.early_after < taking.taken_at <= dose.missed_at
    assert (after.state is DoseState.DOUBLE) == bool(after.doubles)
    assert all(one.observed_at > taking.taken_at + timedelta(minutes=10) for one in taking.again)


@settings(deadline=None)
@given(plans, stories)
def test_of_one_plan_no_two_doses_are_taken_within_ten_minutes(
    times: list[time], story: list[tuple[datetime, int, int]]
) -> None:
    found = fold(doses_of(*times, days=4), [event(moment, kind=kind, compartment=2) for moment, kind, _ in story])
    taken_at = sorted(one.taken_at for one in found.values() if one.taken_at is not None)

    gaps = [after - before for before, after in pairwise(taken_at)]
    assert all(gap > timedelta(minutes=10) for gap in gaps)
    order = sorted((one for one in found.values() if one.taken_at), key=lambda one: one.dose.due_at)
    # The oldest comes first, so that nobody is early across a dose that is not settled.
    assert [one.taken_at for one in order] == taken_at
