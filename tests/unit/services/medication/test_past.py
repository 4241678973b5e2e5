"""Doses of a past that comes in at once: each is what its events make of it, and nothing is said of any."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from schemas.doses import DoseState
from services.medication.machine import LIFTED, Dose, DoseEvent, fold
from services.medication.past import closed_days, dose_of, settled_by
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence

SINCE = datetime(2026, 1, 12, tzinfo=UTC)
DAYS = 3
UNTIL = SINCE + timedelta(days=DAYS, hours=9)
PLAN = Plan(
    version_no=1,
    plan_id=UUID(int=1),
    person_no=1,
    home_no=1,
    device_no=1,
    compartment=2,
    drug="Levodopa",
    time_critical=True,
    recurrence=Recurrence(zone="UTC", at_times=(time(8), time(20))),
    valid_from=SINCE,
)
DOSES = [dose_of(PLAN, one) for one in plan_doses(PLAN, SINCE, UNTIL)]


def lift(seq: int, dose: Dose, minutes: int) -> DoseEvent:
    at = dose.due_at + timedelta(minutes=minutes)
    return DoseEvent(1, 1, seq, 0, 1, LIFTED, 2, at, at)


def settled(*events: DoseEvent) -> list[Dose]:
    return settled_by(DOSES, fold(DOSES, events), UNTIL)


def test_what_was_taken_in_time_late_or_not_at_all_is_settled_as_that() -> None:
    found = settled(lift(0, DOSES[0], 3), lift(1, DOSES[1], 90))

    assert [one.state for one in found[:3]] == [DoseState.TAKEN, DoseState.LATE, DoseState.MISSED]


def test_nothing_is_said_of_any_and_nobody_is_reminded() -> None:
    found = settled(lift(0, DOSES[0], 3), lift(1, DOSES[0], 50))

    assert found[0].state is DoseState.DOUBLE
    for one in found:
        assert (one.episode, one.said_last, one.said, one.double_episode, one.double_said) == (None, None, 0, None, 0)
        # A caregiver's notice goes by it.
        assert one.judged_from is None


def test_what_may_be_taken_still_is_left_out_and_what_was_taken_already_is_not() -> None:
    assert DOSES[-1].missed_at > UNTIL
    assert settled() == settled()[: len(DOSES) - 1]
    assert len(settled()) == len(DOSES) - 1

    found = settled(lift(0, DOSES[-1], 3))

    assert len(found) == len(DOSES)
    assert found[-1].state is DoseState.TAKEN


def test_a_dose_is_settled_when_it_was_taken_or_when_it_could_not_be_any_more() -> None:
    found = settled(lift(0, DOSES[0], 3))

    assert found[0].settled_at == DOSES[0].due_at + timedelta(minutes=3)
    assert found[1].settled_at == DOSES[1].missed_at


def test_each_day_that_has_ended_has_its_figure() -> None:
    takings = fold(DOSES, [lift(number, one, 3) for number, one in enumerate(DOSES) if number != 2])
    rows = closed_days(settled_by(DOSES, takings, UNTIL), takings, UNTIL)

    assert rows == [
        (1, date(2026, 1, 12), 2, 2, UNTIL),
        (1, date(2026, 1, 13), 3, 4, UNTIL),
        (1, date(2026, 1, 14), 5, 6, UNTIL),
    ]


def test_doses_of_other_people_are_counted_apart() -> None:
    other = [replace(one, dose_id=UUID(int=100 + number), person_no=2) for number, one in enumerate(DOSES)]
    both = [*DOSES, *other]
    takings = fold(both, [lift(number, one, 3) for number, one in enumerate(DOSES)])
    rows = closed_days(settled_by(both, takings, UNTIL), takings, UNTIL)

    assert {(row[0], row[2]) for row in rows if row[1] == date(2026, 1, 14)} == {(1, 6), (2, 0)}
