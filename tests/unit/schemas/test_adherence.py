"""Days covered, doses taken and doses on time: what counts, what does not, and that the counts add up."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.adherence import (
    LEAST_DOSES,
    RECENT_DAYS,
    CountedDose,
    Measures,
    by_plan_and_week,
    measure,
    recent,
    week_of,
)
from schemas.doses import TAKEN_STATES, DoseState

MONDAY = date(2026, 6, 1)
PLAN = UUID(int=1)


def dose(
    day: date, state: DoseState, *, hour: int = 8, plan: UUID = PLAN, in_window: bool | None = None
) -> CountedDose:
    within = state is DoseState.TAKEN if in_window is None else in_window
    return CountedDose(plan, datetime.combine(day, time(hour), UTC), day, state, within)


def doses_of(*states: DoseState) -> list[CountedDose]:
    """Two a day, from a Monday on."""
    return [
        dose(MONDAY + timedelta(days=place // 2), state, hour=(8, 20)[place % 2]) for place, state in enumerate(states)
    ]


some_doses = st.lists(
    st.builds(
        dose,
        st.dates(MONDAY - timedelta(days=20), MONDAY + timedelta(days=20)),
        st.sampled_from(DoseState),
        hour=st.integers(0, 23),
        plan=st.integers(1, 3).map(lambda number: UUID(int=number)),
        in_window=st.booleans(),
    ),
    max_size=60,
)


def test_a_week_with_one_dose_missed_and_one_late() -> None:
    states = [DoseState.TAKEN] * 14
    states[3], states[8] = DoseState.MISSED, DoseState.LATE

    (week,) = by_plan_and_week(doses_of(*states))

    assert (week.plan_id, week.week) == (PLAN, MONDAY)
    assert (week.measures.taken, week.measures.known) == (13, 14)
    assert week.measures.taking == pytest.approx(13 / 14)
    assert week.measures.timing == pytest.approx(12 / 14)
    assert week.measures.pdc == pytest.approx(6 / 7)


def test_every_day_with_one_dose_missed_is_half_taken_and_not_covered_at_all() -> None:
    found = measure(doses_of(*[DoseState.TAKEN, DoseState.MISSED] * 7))

    assert (found.taking, found.pdc) == (0.5, 0.0)


def test_a_double_is_one_dose_taken_and_on_time_where_its_first_taking_was() -> None:
    on_time = measure([dose(MONDAY, DoseState.DOUBLE, in_window=True)])
    late = measure([dose(MONDAY, DoseState.DOUBLE, in_window=False)])

    assert (on_time.taken, on_time.known, on_time.doubles, on_time.taking, on_time.timing) == (1, 1, 1, 1.0, 1.0)
    assert (late.taking, late.timing, late.pdc) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("state", [DoseState.UNKNOWN, DoseState.PENDING, DoseState.REMINDED])
def test_what_is_not_known_is_neither_taken_nor_missed_and_its_day_not_counted(state: DoseState) -> None:
    found = measure(doses_of(DoseState.TAKEN, state, DoseState.TAKEN, DoseState.TAKEN))

    assert (found.known, found.taking, found.days, found.pdc) == (3, 1.0, 1, 1.0)


def test_a_dose_that_was_held_is_not_asked_for_on_its_day() -> None:
    found = measure(doses_of(DoseState.TAKEN, DoseState.HELD, DoseState.HELD, DoseState.HELD))

    assert (found.held, found.known, found.days, found.days_covered) == (3, 1, 1, 1)


def test_one_dose_missed_decides_a_day_of_which_the_rest_is_not_known() -> None:
    assert measure(doses_of(DoseState.MISSED, DoseState.UNKNOWN)).pdc == 0.0


def test_without_anything_known_there_is_no_share() -> None:
    found = measure(doses_of(DoseState.UNKNOWN, DoseState.HELD))

    assert (found.taking, found.timing, found.pdc, found.is_low) == (None, None, None, None)


@pytest.mark.parametrize(
    ("expected", "taken", "missed"),
    [(None, 7, 2), (None, 9, 0), (False, 8, 2), (True, 7, 3), (True, 0, 10), (True, 11, 3), (False, 12, 3)],
)
def test_adherence_is_low_below_four_of_five_of_ten_doses_at_least(expected: object, taken: int, missed: int) -> None:
    assert measure(doses_of(*[DoseState.TAKEN] * taken, *[DoseState.MISSED] * missed)).is_low is expected


def test_seven_days_are_the_last_one_and_the_six_before() -> None:
    last = MONDAY + timedelta(days=9)
    days = [MONDAY + timedelta(days=number) for number in range(12)]

    found = recent([dose(day, DoseState.TAKEN) for day in days], last)

    assert found.due == RECENT_DAYS
    assert recent([dose(last - timedelta(days=7), DoseState.TAKEN)], last).due == 0
    assert recent([dose(last + timedelta(days=1), DoseState.TAKEN)], last).due == 0


@given(some_doses)
def test_the_counts_add_up_and_shares_are_shares(doses: list[CountedDose]) -> None:
    for found in [measure(doses), *(week.measures for week in by_plan_and_week(doses))]:
        assert found.due == found.taken + found.missed + found.unknown + found.held + found.open
        assert found.doubles <= found.taken
        assert found.in_window <= found.taken <= found.known <= found.due
        assert found.days_covered <= found.days
        for share in (found.taking, found.timing, found.pdc):
            assert share is None or 0 <= share <= 1
        assert (found.is_low is None) is (found.known < LEAST_DOSES)
    assert (measure(doses).known, measure(doses).taken) == (
        sum(one.state in TAKEN_STATES or one.state is DoseState.MISSED for one in doses),
        sum(one.state in TAKEN_STATES for one in doses),
    )


@given(some_doses, st.randoms(use_true_random=False))
def test_the_order_of_doses_changes_nothing(doses: list[CountedDose], random: Random) -> None:
    other = list(doses)
    random.shuffle(other)

    assert measure(other) == measure(doses)
    assert by_plan_and_week(other) == by_plan_and_week(doses)
    assert recent(other, MONDAY) == recent(doses, MONDAY)


@given(some_doses)
def test_each_dose_is_in_one_week_of_its_plan(doses: list[CountedDose]) -> None:
    weeks = by_plan_and_week(doses)

    assert len({(one.plan_id, one.week) for one in weeks}) == len(weeks)
    assert all(one.week.weekday() == 0 and one.measures.due for one in weeks)
    for name in ("due", "taken", "in_window", "missed", "unknown", "held", "open"):
        assert sum(getattr(one.measures, name) for one in weeks) == getattr(measure(doses), name)
    assert {(one.plan_id, one.week) for one in weeks} == {(one.plan_id, week_of(one.day)) for one in doses}


@given(some_doses, st.integers(0, 60))
def test_a_dose_more_that_was_taken_never_lowers_the_share_that_is_taken(doses: list[CountedDose], place: int) -> None:
    before, after = measure(doses), measure([*doses, dose(MONDAY, DoseState.TAKEN, hour=place % 24)])

    assert isinstance(after, Measures)
    assert (after.taking or 0) >= (before.taking or 0)
