"""What a dose plan may say, and that a contradiction is refused by its field without repeating what stood there."""

import json
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.doses import PlanKind
from schemas.plan_terms import WEEKDAYS, AsNeeded, PlanTerms, problem_of, terms_of, weekday_numbers
from schemas.registry import DosePlan

SCHEDULED: dict[str, Any] = {"drug": "Metformin", "at": ["08:00", "20:00:30"]}
AT_WILL: dict[str, Any] = {"drug": "Ibuprofen", "as_needed": {"least_interval_min": 360}}
PLACE: dict[str, Any] = {"device": "pills", "compartment": 1, "zone": "Europe/Berlin"}


def test_a_file_of_before_is_still_read() -> None:
    plan = DosePlan.model_validate_json(
        json.dumps(
            {
                "plan_id": "6f2d0c1e-0000-4000-8000-000000000002",
                "device": "pills",
                "compartment": 1,
                "drug": "Metformin",
                "at": ["08:00"],
                "time_critical": True,
            }
        )
    )
    content = plan.content(**PLACE)
    assert (content.at_times, content.time_critical, content.weekdays) == ((time(8),), True, ())
    assert (content.kind, content.count, content.strength) == (PlanKind.SCHEDULED, 1.0, "")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"at": []}, "at"),
        ({"at": ["24:00"]}, "at.0"),
        ({"at": [28800]}, "at.0"),
        ({"at": ["08:00Z"]}, "at.0"),
        ({"at": ["08:00"] * 13}, "at"),
        ({"count": 0}, "count"),
        ({"count": True}, "count"),
        ({"count": float("inf")}, "count"),
        ({"drug": ""}, "drug"),
        ({"drug": "secret\nsecret"}, "drug"),
        ({"strength": "secret\u202e"}, "strength"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": ["monday"]}, "weekdays.0"),
        ({"weekdays": ["mon", "mon"]}, "weekdays:"),
        ({"weekdays": ["mon"], "every_days": 2, "anchor": "2026-11-29"}, "weekdays:"),
        ({"every_days": 0}, "every_days"),
        ({"every_days": 2}, "anchor:"),
        ({"from_day": 20000}, "from_day"),
        ({"from_day": "2026-11-29T00:00"}, "from_day"),
        ({"from_day": "2026-12-02", "until_day": "2026-12-01"}, "until_day:"),
        ({"as_needed": {"least_interval_min": 60}}, "at:"),
        ({"at": [], "as_needed": {"most_per_day": 3}}, "as_needed.least_interval_min"),
        ({"at": [], "as_needed": {"least_interval_min": 0}}, "as_needed.least_interval_min"),
        ({"at": [], "as_needed": {"least_interval_min": 60}, "time_critical": True}, "time_critical:"),
        ({"at": [], "as_needed": {"least_interval_min": 60}, "weekdays": ["mon"]}, "weekdays:"),
        ({"at": [], "as_needed": {"least_interval_min": 60}, "every_days": 2}, "every_days:"),
        ({"colour": "secret"}, "colour"),
    ],
)
def test_what_can_not_be_is_refused_by_its_field(more: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PlanTerms.model_validate(SCHEDULED | more)

    assert field in str(refused.value)
    assert "secret" not in str(refused.value).replace("'colour'", "")


def test_every_n_days_counts_from_the_first_day_where_no_other_is_named() -> None:
    terms = PlanTerms.model_validate(SCHEDULED | {"every_days": 3, "from_day": "2026-12-01"})
    assert terms.content(**PLACE).anchor == date(2026, 12, 1)
    own = PlanTerms.model_validate(SCHEDULED | {"every_days": 3, "from_day": "2026-12-01", "anchor": "2026-11-30"})
    assert own.content(**PLACE).anchor == date(2026, 11, 30)


def test_an_anchor_that_counts_for_nothing_makes_no_other_plan() -> None:
    plain = PlanTerms.model_validate(SCHEDULED).content(**PLACE)
    assert PlanTerms.model_validate(SCHEDULED | {"anchor": "2026-12-01"}).content(**PLACE).key == plain.key
    assert PlanTerms.model_validate(SCHEDULED | {"weekdays": list(WEEKDAYS)}).content(**PLACE).key == plain.key


def test_all_seven_days_are_each_day() -> None:
    assert weekday_numbers(tuple(reversed(WEEKDAYS))) == weekday_numbers(None) == ()
    assert weekday_numbers(("sun", "mon")) == (1, 7)


DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
TERMS = st.builds(
    PlanTerms,
    drug=st.just("X"),
    strength=st.sampled_from(["", "5 mg"]),
    count=st.sampled_from([0.5, 1.0, 2.0]),
    at=st.lists(st.times().map(lambda at: at.replace(microsecond=0)), min_size=1, max_size=5).map(tuple),
    weekdays=st.none() | st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True).map(tuple),
    from_day=st.none() | DAYS,
    time_critical=st.booleans(),
    listed=st.booleans(),
) | st.builds(
    PlanTerms,
    drug=st.just("X"),
    as_needed=st.builds(
        AsNeeded, least_interval_min=st.integers(1, 10_080), most_per_day=st.none() | st.integers(1, 48)
    ),
)


@given(TERMS)
def test_a_version_read_back_says_the_same(terms: PlanTerms) -> None:
    content = terms.content(**PLACE)
    assert problem_of(terms) == ""
    assert terms_of(content).content(**PLACE) == content
