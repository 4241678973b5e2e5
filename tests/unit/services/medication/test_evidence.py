"""Evidence is written anew where it differs, and only added to doses that are not judged again."""

from dataclasses import replace
from datetime import time
from uuid import UUID

from schemas.doses import EvidenceRole
from services.medication.evidence import Evidence, evidence_of
from services.medication.machine import Taking, fold
from tests.unit.services.medication.dose_world import at, doses_of, lifts

(DOSE,) = doses_of(time(8))


def found(*hours: int, fixed: bool = False) -> dict[UUID, Taking]:
    dose = replace(DOSE, fixed_at=at(9)) if fixed else DOSE
    return fold([dose], lifts(*(at(hour) for hour in hours)), given={DOSE.dose_id: at(8)} if fixed else None)


def known_of(takings: dict[UUID, Taking]) -> dict[UUID, set[Evidence]]:
    return {
        dose_id: {Evidence(*one.event[:4], str(one.role)) for one in taking.counted}
        for dose_id, taking in takings.items()
    }


def test_what_stands_there_already_is_left_alone() -> None:
    takings = found(8, 10)

    assert evidence_of(takings, known_of(takings)) == ([], [])


def test_what_differs_is_written_anew() -> None:
    anew, rows = evidence_of(found(7, 8), known_of(found(8)))

    assert anew == [DOSE.dose_id]
    assert [(row[8], row[9]) for row in rows] == [(True, "decided"), (False, "double")]


def test_evidence_that_no_event_shows_any_more_is_taken_away() -> None:
    assert evidence_of(found(), known_of(found(8))) == ([DOSE.dose_id], [])


def test_to_a_dose_that_is_not_judged_again_what_came_since_is_added() -> None:
    anew, rows = evidence_of(found(8, 10, fixed=True), {})

    assert anew == []
    assert [(row[7], row[8], row[9]) for row in rows] == [(at(10), False, str(EvidenceRole.DOUBLE))]
