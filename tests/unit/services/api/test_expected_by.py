"""What a forecast says is likely stands with the time of day by which it would have come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.api.reads import Worklist
from services.api.rendering import TEMPLATES, expected_by, fragment
from services.api.standing import Standing, Stands
from services.api.without_recipient import WithoutRecipient

AT = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "says"),
    [("UTC", "00:30"), ("Asia/Shanghai", "08:30"), ("Europe/Berlin", "01:30"), ("Asia/Kolkata", "06:00")],
)
def test_a_forecast_names_the_end_of_its_hour_in_the_homes_zone(zone: str, says: str) -> None:
    assert expected_by("glucose_forecast", AT, zone) == says


def test_over_a_change_of_the_clock_it_is_an_hour_all_the_same() -> None:
    assert expected_by("glucose_forecast", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "Europe/Berlin") == "03:30"


@pytest.mark.parametrize("rule", ["glucose_low", "no_such_rule"])
def test_what_is_there_has_no_such_time(rule: str) -> None:
    assert not expected_by(rule, AT)


LIKELY_AT = datetime(2026, 11, 22, 9, 25, tzinfo=UTC)


def row(rule: str, **others: Any) -> dict[str, Any]:
    """What the worklist and the morning list show of an alert, in a home of Kolkata."""
    return {
        "rule": rule, "time_zone": "Asia/Kolkata", "subject": "Ada", "person_id": "p", "born_on": LIKELY_AT.date(),
        "label": "Home", "doctor_text": "A low is likely.", "state": "open", "severity": 2, "active_severity": 2,
        "unverified": False, "episodes": 1, "episodes_since_open": 1, "first_at": LIKELY_AT, "opened_at": LIKELY_AT,
        "ended_at": None, "alert_id": "a", "condition_at": LIKELY_AT, "observed_at": LIKELY_AT, "raised_at": None,
        "kind": "open", "acknowledged_by_name": None, "acknowledged_note": None, **others,
    }  # fmt: skip


def worklist(one: Any) -> str:
    """With what it has of alerts alone."""
    found = Worklist(
        open=[one],
        technical=(),
        acknowledged=(),
        cut_off=False,
        without_recipient=WithoutRecipient(people=(), more=0, without_doctor=0),
        standings={one["alert_id"]: Standing(Stands.GOES_ON)},
    )
    return fragment("worklist_rows.html", worklist=found, now=LIKELY_AT + timedelta(minutes=5))


def morning(one: dict[str, Any]) -> str:
    made = {"day": LIKELY_AT.date(), "since": LIKELY_AT, "zone": "UTC", "made_at": LIKELY_AT}
    return TEMPLATES.get_template("morning.html").render(
        doctor=None, morning={"row": made, "entries": [one], "sendings": (), "hidden": 0}, lists=()
    )


def of_a_person(one: dict[str, Any]) -> str:
    rows = TEMPLATES.get_template("parts.html").module
    return str(rows.alert_row(one, LIKELY_AT + timedelta(minutes=5), ""))  # type: ignore[attr-defined]


@pytest.mark.parametrize("shown", [worklist, morning, of_a_person])
def test_each_list_says_by_when_and_only_of_a_forecast(shown: Any) -> None:
    assert "<strong>By 15:55.</strong>" in shown(row("glucose_forecast"))
    assert "A low is likely." in shown(row("glucose_low"))
    assert "<strong>By" not in shown(row("glucose_low"))
