"""Vitals are shown with words and decimals that people expect, and their lines with honest gaps."""

import pytest

from grafana.vital_views import LINES, POINTS, VIEWS, device_rows, view_of, vital_rows
from schemas.devices import DEVICE_TYPES
from schemas.vitals import BODY_TEMPERATURE, GLUCOSE, HEART_RATE, STEPS, SYSTOLIC, VITALS, WEIGHT, Vital


@pytest.mark.parametrize(
    ("vital", "unit", "decimals", "every_s"),
    [
        (HEART_RATE, " /min", 0, 60),
        (BODY_TEMPERATURE, " °C", 1, 60),
        (GLUCOSE, " mg/dL", 0, 300),
        (SYSTOLIC, " mmHg", 0, None),
        (WEIGHT, " kg", 1, None),
    ],
)
def test_a_vital_is_shown_in_words(vital: Vital, unit: str, decimals: int, every_s: int | None) -> None:
    view = view_of(vital)

    assert (view.unit, view.decimals, view.every_s) == (unit, decimals, every_s)


def test_no_unit_is_shown_in_ucum_brackets() -> None:
    assert [view.vital.code for view in VIEWS if set("[]{}") & set(view.unit)] == []


def test_what_people_measure_by_hand_is_never_joined_by_a_line() -> None:
    assert [view.vital for view in POINTS] == [WEIGHT]
    assert STEPS not in [view.vital for view in LINES]
    assert all(view.every_s for view in LINES)


def test_every_vital_and_every_device_type_has_its_row() -> None:
    assert vital_rows().count("(") == len(VITALS)
    assert device_rows().count("(") == len(DEVICE_TYPES)


def test_a_reading_is_current_while_its_device_may_be_silent() -> None:
    assert "('wearable_band', 10800)" in device_rows()
    assert "('scale', 259200)" in device_rows()
