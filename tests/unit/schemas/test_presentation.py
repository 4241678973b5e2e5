"""What people see of a vital and of a rule follows from its row alone."""

from datetime import timedelta

import pytest

from schemas.presentation import FIGURES, VITAL_PRESENTATIONS, figures_beside, presentation_of, title_of
from schemas.vitals import (
    BODY_TEMPERATURE,
    DIASTOLIC,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SKIN_TEMPERATURE,
    SPO2,
    STEPS,
    SYSTOLIC,
    WEIGHT,
    Vital,
)


@pytest.mark.parametrize(
    ("vital", "value", "text"),
    [
        (HEART_RATE, 71.6, "72 /min"),
        (SPO2, 96.04, "96 %"),
        (BODY_TEMPERATURE, 36.75, "36.8 °C"),
        (BODY_TEMPERATURE, 37.0, "37.0 °C"),
        (SKIN_TEMPERATURE, 33.24, "33.2 °C"),
        (SYSTOLIC, 141.0, "141 mmHg"),
        (GLUCOSE, 70.27, "70 mg/dL"),
        (WEIGHT, 80.0, "80.0 kg"),
        (STEPS, 3609.0, "3,609 steps"),
    ],
)
def test_a_value_is_said_with_its_decimals_and_the_words_of_its_unit(vital: Vital, value: float, text: str) -> None:
    assert presentation_of(vital).text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(39, "below 40 mg/dL"), (20, "below 40 mg/dL"), (401, "above 400 mg/dL"), (40, "40 mg/dL"), (400, "400 mg/dL")],
)
def test_what_a_sensor_cannot_measure_is_said_as_a_bound(value: float, text: str) -> None:
    row = presentation_of(GLUCOSE)
    assert row.text(value, clipped=True) == text
    assert row.text(value) == f"{value} mg/dL"


def test_a_vital_without_bounds_is_always_a_number() -> None:
    assert presentation_of(SPO2).text(61, clipped=True) == "61 %"


@pytest.mark.parametrize(
    ("vital", "minutes"),
    [
        (HEART_RATE, 60),
        (SPO2, 60),
        (RESPIRATORY_RATE, 60),
        (STEPS, 60),
        (GLUCOSE, 30),
        (SKIN_TEMPERATURE, 60),
        (BODY_TEMPERATURE, 24 * 60),
        (SYSTOLIC, 24 * 60),
        (DIASTOLIC, 24 * 60),
        (WEIGHT, 36 * 60),
    ],
)
def test_a_value_is_current_for_as_long_as_its_devices_usually_leave_between_two(vital: Vital, minutes: int) -> None:
    row, last = presentation_of(vital), timedelta(minutes=minutes)

    assert row.is_fresh(last)
    assert not row.is_fresh(last + timedelta(milliseconds=1))


def test_both_pressures_are_one_figure_and_every_other_vital_has_its_own() -> None:
    together = [figure for figure in FIGURES if len(figure.rows) > 1]

    assert [(figure.title, [row.vital for row in figure.rows]) for figure in together] == [
        ("Blood pressure", [SYSTOLIC, DIASTOLIC])
    ]
    assert all(figure.title == figure.rows[0].label for figure in FIGURES if figure not in together)
    assert [row for figure in FIGURES for row in figure.rows] == list(VITAL_PRESENTATIONS)


def test_a_rule_without_a_row_is_spelled_out_and_has_no_chart() -> None:
    assert title_of("glucose_low") == "Low glucose"
    assert title_of("rule_of_last_year") == "Rule of last year"
    assert figures_beside("rule_of_last_year") == figures_beside("firmware") == ()


def test_an_alert_is_explained_by_the_chart_of_its_vital() -> None:
    assert [figure.title for figure in figures_beside("glucose_low")] == ["Glucose"]
    assert [figure.title for figure in figures_beside("fall")] == ["Heart rate"]
