"""Doses of a past that comes in at once: each is what its events make of it, and nothing is said of any."""

from dataclasses import replace
from datetime import date, time, timedelta
from uuid import UUID

from schemas.doses import DoseState
from services.medication.machine import Dose, DoseEvent, fold
from services.medication.past import closed_days, settled_by
from tests.unit.services.medication.dose_world import START, doses_of, event

DAYS = 3
UNTIL = START + timedelta(days=DAYS, hours=9)
DOSES = [one for one in doses_of(time(8), time(20), critical=True, days=DAYS + 1) if one.due_at < UNTIL]


def lift(dose: Dose, minutes: int) -> DoseEvent:
    return event(dose.due_at + timedelta(minutes=minutes))


def settled(*events: DoseEvent) -> list[Dose]:
    return settled_by(DOSES, fold(DOSES, events), UNTIL)


def test_what_was_taken_in_time_late_or_not_at_all_is_settled_as_that() -> None:
    found = settled(lift(DOSES[0], 3), lift(DOSES[1], 90))

    assert [one.state for one in found[:3]] == [DoseState.TAKEN, DoseState.LATE, DoseState.MISSED]


def test_nothing_is_said_of_any_and_nobody_is_reminded() -> None:
    found = settled(lift(DOSES[0], 3), lift(DOSES[0], 50))

    assert found[0].state is DoseState.DOUBLE
    for one in found:
        assert (one.episode, one.said_last, one.said, one.double_episode, one.double_said) == (None, None, 0, None, 0)
        # A caregiver's notice goes by it.
        assert one.judged_from is None


def test_what_may_be_taken_still_is_left_out_and_what_was_taken_already_is_not() -> None:
    assert DOSES[-1].missed_at > UNTIL
    assert settled() == settled()[: len(DOSES) - 1]
    assert len(settled()) == len(DOSES) - 1

    found = settled(lift(DOSES[-1], 3))

    assert len(found) == len(DOSES)
    assert found[-1].state is DoseState.TAKEN


def test_a_dose_is_settled_when_it_was_taken_or_when_it_could_not_be_any_more() -> None:
    found = settled(lift(DOSES[0], 3))

    assert found[0].settled_at == DOSES[0].due_at + timedelta(minutes=3)
    assert found[1].settled_at == DOSES[1].missed_at


def test_each_day_that_has_ended_has_its_figure() -> None:
    takings = fold(DOSES, [lift(one, 3) for number, one in enumerate(DOSES) if number != 2])
    rows = closed_days(settled_by(DOSES, takings, UNTIL), takings, UNTIL)

    assert rows == [
        (1, date(2026, 6, 1), 2, 2, UNTIL),
        (1, date(2026, 6, 2), 3, 4, UNTIL),
        (1, date(2026, 6, 3), 5, 6, UNTIL),
    ]


def test_doses_of_other_people_are_counted_apart() -> None:
    other = [replace(one, dose_id=UUID(int=100 + number), person_no=2) for number, one in enumerate(DOSES)]
    both = [*DOSES, *other]
    takings = fold(both, [lift(one, 3) for one in DOSES])
    rows = closed_days(settled_by(both, takings, UNTIL), takings, UNTIL)

    assert {(row[0], row[2]) for row in rows if row[1] == date(2026, 6, 3)} == {(1, 6), (2, 0)}
