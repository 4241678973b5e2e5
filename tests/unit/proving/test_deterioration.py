"""The section on recorded stays: rows are the product's own, and on people whose illness shows it meets its goals."""

from math import isnan, nan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from pyarrow import parquet

from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score.models.anomaly import Asked
from services.score.rule import HOUR_MS
from tests.proving.scorecard.deterioration import CEILING, OURS, deterioration, rows_of
from tests.proving.scorecard.early_warning import RIVALS
from tests.proving.scorecard.recorded_stays import COLUMNS, RECORDING, Stay
from tests.proving.scorecard.section import MissingDataError, Section, Wanted

MIDDLE = np.array([80.0, 97.0, 36.9, 122.0, 17.0])
SPREAD = np.array([5.0, 1.0, 0.2, 8.0, 1.5])
RISE = np.array([35.0, -5.0, 1.8, -30.0, 9.0])
ILL_FROM, LABEL_FROM, HOURS = 22, 26, 34


def write_recording(folder: Path, people: int) -> None:
    """Every fifth becomes septic, and it shows; others are well. Some values are not measured."""
    random = np.random.default_rng(11)
    rows = []
    for number in range(people):
        is_ill = number % 5 == 0
        own = MIDDLE + random.normal(0, 1, 5) * SPREAD
        for hour in range(HOURS):
            values = own + random.normal(0, 0.5, 5) * SPREAD + (RISE if is_ill and hour >= ILL_FROM else 0)
            values[random.random(5) < 0.1] = nan
            label = int(is_ill and hour >= LABEL_FROM)
            rows.append((f"p{number}", hour + 1, *np.minimum(values, [200, 100, 42, 250, 50]), 20 + number, label))
    names = ("patient", "hour", *(name for name, _ in COLUMNS), "age", "sepsis_label")
    table = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    table["male"] = [int(age % 2) for age in table["age"]]
    parquet.write_table(pa.table(table), folder / RECORDING)


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    folder = tmp_path_factory.mktemp("recordings")
    write_recording(folder, 60)
    return deterioration(Wanted(data=folder, seed=3, folds=2))


def test_an_illness_that_shows_is_found_with_few_alerts(section: Section) -> None:
    assert section.summary["sensitivity"] == 1
    assert section.summary["alerts_per_patient_day"] < 1
    assert section.summary["false_window_rate"] < 0.5
    assert section.summary["chance"] < 1


def test_every_detector_has_a_line_and_ours_one_for_each_group(section: Section) -> None:
    assert [line.detector for line in section.lines if not line.group] == [OURS, CEILING, *RIVALS]
    groups = [line.group for line in section.lines if line.group]
    assert groups == ["under 50 years", "50 to 64 years", "65 to 79 years", "women", "men"]
    assert [line.is_ours for line in section.lines] == [line.detector == OURS for line in section.lines]


def test_goals_are_figures_of_the_summary(section: Section) -> None:
    assert {goal.figure for goal in section.goals} < set(section.summary)
    assert section.details["with_sepsis"] == 12


def test_plots_can_be_drawn(section: Section) -> None:
    for plot in section.plots:
        axes = Figure().subplots()
        plot.draw(axes)
        assert axes.lines


def test_without_the_recording_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=RECORDING):
        deterioration(Wanted(data=tmp_path, seed=1))


def test_rows_are_those_that_the_product_makes_of_the_same_readings() -> None:
    values = np.tile(MIDDLE, (12, 1))
    values[3] = nan
    values[7:, 1] = nan
    stay = Stay(person="a", values=values, age=70, is_male=True, onset=11, began_before=False)
    found = rows_of(stay)
    assert found.hours.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert found.becomes_ill.tolist() == [True] * 10
    asked = Asked()
    for hour in (0, 1, 2, 4):
        for vital, value in zip((HEART_RATE, SPO2, BODY_TEMPERATURE, SYSTOLIC, RESPIRATORY_RATE), MIDDLE, strict=True):
            asked.ask(vital.number, float(value), hour * HOUR_MS + 20 * 60_000)
    np.testing.assert_equal(asked.row_at(5 * HOUR_MS), found.rows[3])


def test_what_comes_later_changes_no_row() -> None:
    values = np.random.default_rng(1).normal(MIDDLE, SPREAD, (30, 5))
    long = Stay(person="a", values=values, age=70, is_male=True, onset=None, began_before=False)
    short = Stay(person="a", values=values[:20], age=70, is_male=True, onset=None, began_before=False)
    np.testing.assert_equal(rows_of(long).rows[:20], rows_of(short).rows)
    assert not isnan(rows_of(long).rows[-1, 0])
