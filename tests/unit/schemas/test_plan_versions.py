"""What an edit of a plan does, and when the register file is believed rather than a doctor."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from schemas.doses import PlanKind
from schemas.plan_versions import Edit, PlanContent, PlanVersion, Registered, edited, registered

PLAN, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CONTENT = PlanContent(
    device="pills", compartment=1, drug="Levodopa", zone="Europe/Berlin", at_times=(time(8), time(20))
)
IN_FORCE = PlanVersion(version_no=4, content=CONTENT, begins=NOON - timedelta(days=9))


def test_the_first_version_begins_now() -> None:
    assert edited(PLAN, None, CONTENT, NOON) == Edit(plan_id=PLAN, at=NOON, ends_version=None, begins=CONTENT)


def test_an_edit_ends_the_version_in_force_where_it_begins_the_next() -> None:
    new = replace(CONTENT, at_times=(time(9),))

    assert edited(PLAN, IN_FORCE, new, NOON) == Edit(plan_id=PLAN, at=NOON, ends_version=4, begins=new)
    assert edited(PLAN, IN_FORCE, None, NOON) == Edit(plan_id=PLAN, at=NOON, ends_version=4, begins=None)


def test_what_says_the_same_is_no_edit() -> None:
    assert edited(PLAN, IN_FORCE, replace(CONTENT, at_times=(time(20), time(8), time(8))), NOON) is None
    ended = replace(IN_FORCE, ends=NOON)
    assert edited(PLAN, ended, None, NOON) is None
    assert edited(PLAN, None, None, NOON) is None


@pytest.mark.parametrize(
    "change",
    [
        {"device": "other"}, {"compartment": 2}, {"drug": "Metoprolol"}, {"strength": "5 mg"}, {"count": 2.0},
        {"kind": PlanKind.AS_NEEDED}, {"at_times": (time(8),)}, {"weekdays": (1,)}, {"every_days": 2},
        {"anchor": date(2026, 6, 1)}, {"from_day": date(2026, 6, 1)}, {"until_day": date(2026, 6, 1)},
        {"least_interval_min": 360}, {"most_per_day": 4}, {"time_critical": True}, {"listed": True}, {"zone": "UTC"},
    ],
)  # fmt: skip
def test_each_field_is_part_of_what_a_plan_says(change: dict[str, object]) -> None:
    assert edited(PLAN, IN_FORCE, replace(CONTENT, **change), NOON) is not None  # type: ignore[arg-type]


def test_every_version_holds_for_some_time() -> None:
    just_begun = replace(IN_FORCE, begins=NOON)
    new = replace(CONTENT, drug="Metoprolol")

    for now in (NOON, NOON - timedelta(hours=1)):
        edit = edited(PLAN, just_begun, new, now)
        assert edit is not None
        assert edit.at == NOON + timedelta(milliseconds=1)


def test_a_plan_that_had_ended_begins_again_and_not_before_its_end() -> None:
    ended = replace(IN_FORCE, ends=NOON)

    again = edited(PLAN, ended, CONTENT, NOON + timedelta(hours=1))
    assert again == Edit(plan_id=PLAN, at=NOON + timedelta(hours=1), ends_version=None, begins=CONTENT)
    too_soon = edited(PLAN, ended, CONTENT, NOON - timedelta(hours=1))
    assert too_soon is not None
    assert too_soon.at == NOON


def test_a_register_file_begins_edits_and_ends() -> None:
    new = replace(CONTENT, drug="Metoprolol")
    known = {PLAN: Registered(newest=IN_FORCE, register_key=CONTENT.key)}

    assert registered({PLAN: CONTENT}, known, [PLAN], NOON) == []
    assert [edit.begins for edit in registered({PLAN: new, OTHER: CONTENT}, known, [PLAN], NOON)] == [new, CONTENT]
    (ended,) = registered({}, known, [PLAN], NOON)
    assert (ended.ends_version, ended.begins) == (4, None)
    # Of people whom it does not list it says nothing.
    assert registered({}, known, [], NOON) == []


def test_what_a_doctor_left_stays_until_the_file_says_something_else() -> None:
    by_doctor = replace(IN_FORCE, content=replace(CONTENT, at_times=(time(9),)), by_doctor=True)
    known = {PLAN: Registered(newest=by_doctor, register_key=CONTENT.key)}

    assert registered({PLAN: CONTENT}, known, [PLAN], NOON) == []
    changed = replace(CONTENT, compartment=3)
    (edit,) = registered({PLAN: changed}, known, [PLAN], NOON)
    assert edit.begins == changed
    # A doctor's end of it holds likewise.
    ended = {PLAN: Registered(newest=replace(by_doctor, ends=NOON), register_key=CONTENT.key)}
    assert registered({PLAN: CONTENT}, ended, [PLAN], NOON) == []
