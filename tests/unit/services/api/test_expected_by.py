"""What a forecast says is likely stands with the time of day by which it would have come."""

from datetime import UTC, datetime

import pytest

from services.api.rendering import expected_by

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
