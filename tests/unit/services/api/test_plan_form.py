"""The form of a plan: what is typed becomes a plan, what is wrong stands beside its field, what is shown reads back."""

from datetime import date, time

import pytest
from hypothesis import given

from schemas.doses import PlanKind
from schemas.plan_terms import PlanTerms, PlanWish
from services.api.plan_form import PlanForm, empty_form, form_of, read_form, typed_form
from tests.unit.schemas.test_plan_terms import TERMS

TYPED = {
    "drug": "Metformin",
    "count": "1,5",
    "device": "pills",
    "compartment": "3",
    "at": "20:00; 08:00",
    "kind": "scheduled",
}


def problems_of(**more: str) -> dict[str, str]:
    read = read_form(typed_form(TYPED | more, more.pop("days", "").split()))
    assert isinstance(read, PlanForm)
    return dict(read.problems)


def test_what_is_typed_becomes_a_plan() -> None:
    wish = read_form(typed_form(TYPED | {"reason": " more ", "listed": "yes"}, ["wed", "mon"]))

    assert isinstance(wish, PlanWish)
    content = wish.content("Europe/Berlin")
    assert (wish.device, wish.compartment, wish.reason) == ("pills", 3, "more")
    assert (content.count, content.at_times, content.weekdays) == (1.5, (time(8), time(20)), (1, 3))
    assert (content.listed, content.time_critical) == (True, False)


def test_what_is_taken_as_needed_has_hours_apart() -> None:
    wish = read_form(
        typed_form(TYPED | {"kind": "as_needed", "at": " ", "least_interval_h": "6,5", "most_per_day": "4"}, [])
    )
    assert isinstance(wish, PlanWish)
    content = wish.content("UTC")
    assert (content.kind, content.least_interval_min, content.most_per_day) == (PlanKind.AS_NEEDED, 390, 4)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"drug": " "}, "drug"),
        ({"count": "two"}, "count"),
        ({"count": "nan"}, "count"),
        ({"device": ""}, "device"),
        ({"compartment": "64"}, "compartment"),
        ({"compartment": "first"}, "compartment"),
        ({"at": ""}, "at"),
        ({"at": "8 o'clock"}, "at"),
        ({"every_days": "2"}, "anchor"),
        ({"every_days": "often"}, "every_days"),
        ({"every_days": "2", "anchor": "2026-12-01", "days": "mon"}, "weekdays"),
        ({"from_day": "tomorrow"}, "from_day"),
        ({"from_day": "2026-12-02", "until_day": "2026-12-01"}, "until_day"),
        ({"kind": "as_needed", "least_interval_h": "6"}, "at"),
        ({"kind": "as_needed", "at": ""}, "least_interval_h"),
        ({"kind": "as_needed", "at": "", "least_interval_h": "nan"}, "least_interval_h"),
        ({"kind": "as_needed", "at": "", "least_interval_h": "6", "most_per_day": "x"}, "most_per_day"),
        ({"kind": "as_needed", "at": "", "least_interval_h": "6", "time_critical": "yes"}, "time_critical"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(more: dict[str, str], field: str) -> None:
    found = problems_of(**more)
    assert field in found
    assert found[field].endswith(".")


def test_a_form_that_was_refused_keeps_what_was_typed() -> None:
    read = read_form(typed_form(TYPED | {"count": "two"}, ["mon"]))
    assert isinstance(read, PlanForm)
    assert (read["count"], read["drug"], read.weekdays) == ("two", "Metformin", ("mon",))


def test_a_new_plan_begins_with_the_only_dispenser() -> None:
    assert empty_form(["pills"])["device"] == "pills"
    assert empty_form(["a", "b"])["device"] == empty_form([])["device"] == ""


@given(TERMS)
def test_a_version_shown_and_sent_back_unchanged_is_the_same(terms: PlanTerms) -> None:
    content = terms.content(device="pills", compartment=7, zone="UTC")
    shown = form_of(content)
    wish = read_form(typed_form(shown.values, shown.weekdays))
    assert isinstance(wish, PlanWish), wish
    assert wish.content("UTC") == content


def test_days_are_shown_as_days() -> None:
    terms = PlanTerms(drug="X", at=(time(8),), every_days=2, anchor=date(2026, 12, 1), until_day=date(2026, 12, 9))
    shown = form_of(terms.content(device="pills", compartment=0, zone="UTC"))
    assert (shown["anchor"], shown["from_day"], shown["until_day"]) == ("2026-12-01", "", "2026-12-09")
