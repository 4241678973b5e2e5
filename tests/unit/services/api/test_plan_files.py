"""What a register file makes of plans, by what is known of them: nothing where it says the same."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan_terms import PlanTerms
from schemas.plan_versions import PlanContent
from schemas.registry import DosePlan, Home, Person, Register
from services.api.plan_files import edits_of, plans_of
from services.api.plan_versions import PlanRefusedError, content_of
from tests.unit.schemas.test_plan_terms import TERMS

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RUTH = uuid4()


def file(*plans: DosePlan, zone: str = "UTC") -> Register:
    person = Person(person_id=RUTH, name="Ruth", born_on=date(1940, 1, 1), plans=plans)
    return Register(homes=(Home(home_id=uuid4(), label="home", time_zone=zone, people=(person,)),))


def plan(terms: PlanTerms, plan_id: UUID) -> DosePlan:
    said = {name: getattr(terms, name) for name in PlanTerms.model_fields}
    return DosePlan(**said, plan_id=plan_id, device="pills", compartment=1)


def said_by(terms: PlanTerms, zone: str = "UTC") -> PlanContent:
    return terms.content(device="pills", compartment=1, zone=zone)


def row(content: PlanContent, *, key: str | None, doctor: int | None = None, **more: Any) -> dict[str, Any]:
    """As ``known_plans`` gives it; its newest version began an hour ago."""
    known = {"person_id": RUTH, "register_key": key, "version_no": 1, "author_no": doctor, "of_file": doctor is None}
    times = {"valid_from": NOW - timedelta(hours=1), "ended_at": None}
    return asdict(content) | {"weekdays": list(content.weekdays) or None} | known | times | more


@given(TERMS, TERMS, st.sampled_from([None, 7]))
def test_a_file_that_says_what_it_said_last_changes_nothing(
    said: PlanTerms, stands: PlanTerms, doctor: int | None
) -> None:
    plan_id = uuid4()
    newest = said_by(stands if doctor else said)
    known = {plan_id: row(newest, key=said_by(said).key, doctor=doctor)}
    register = file(plan(said, plan_id))

    assert edits_of(plans_of(register), known, register.homes, NOW) == ([], [])


@given(TERMS, TERMS, TERMS)
def test_a_file_that_says_something_else_holds(before: PlanTerms, after: PlanTerms, stands: PlanTerms) -> None:
    plan_id = uuid4()
    known = {plan_id: row(said_by(stands), key=said_by(before).key, doctor=7)}
    register = file(plan(after, plan_id))

    edits = edits_of(plans_of(register), known, register.homes, NOW)

    holds = edits.of_file[0].begins if edits.of_file else said_by(stands)
    wanted = said_by(stands) if said_by(before).key == said_by(after).key else said_by(after)
    assert holds is not None
    assert (holds.key, edits.rezoned) == (wanted.key, [])


@given(TERMS, TERMS)
def test_another_zone_takes_what_stands_along(said: PlanTerms, stands: PlanTerms) -> None:
    plan_id = uuid4()
    known = {plan_id: row(said_by(stands), key=said_by(said).key, doctor=7)}
    register = file(plan(said, plan_id), zone="Asia/Tokyo")

    edits = edits_of(plans_of(register), known, register.homes, NOW)

    (only,) = (*edits.of_file, *edits.rezoned)
    assert only.begins == replace(said_by(stands), zone="Asia/Tokyo")


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({"key": "some"}, True),
        ({"key": None}, True),
        ({"key": "some", "doctor": 7, "of_file": True}, True),
        ({"key": None, "doctor": 7}, False),
        ({"key": None, "doctor": 7, "of_file": True}, False),
        ({"key": "some", "ended_at": NOW - timedelta(minutes=1)}, False),
    ],
)
def test_what_a_file_leaves_out_ends_unless_a_doctor_began_it(more: dict[str, Any], ends: bool) -> None:  # noqa: FBT001
    plan_id = uuid4()
    known = {plan_id: row(said_by(PlanTerms(drug="X", at=(time(8),))), **more)}

    edits = edits_of([], known, file().homes, NOW)

    assert [(edit.plan_id, edit.begins) for edit in edits.of_file] == ([(plan_id, None)] if ends else [])


def test_a_plan_of_somebody_else_is_refused() -> None:
    plan_id, terms = uuid4(), PlanTerms(drug="X", at=(time(8),))
    register = file(plan(terms, plan_id))
    known = {plan_id: row(said_by(terms), key=None, person_id=uuid4())}
    with pytest.raises(PlanRefusedError, match="plan_id"):
        edits_of(plans_of(register), known, register.homes, NOW)


@given(TERMS)
def test_a_row_read_back_says_the_same(terms: PlanTerms) -> None:
    assert content_of(row(said_by(terms), key=None)) == said_by(terms)
