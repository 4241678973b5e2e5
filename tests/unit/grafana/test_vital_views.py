"""Panels show vitals as their rows of presentation say, and their lines with honest gaps."""

import json
from typing import Any

import pytest

from grafana.boards import boards
from grafana.panels import sql_of
from grafana.query_target import Reader
from grafana.vital_views import VIEWS, FigureView, all_vitals, longest_silence_s, number_format, views_of, vital_rows
from schemas.devices import DEVICE_TYPES
from schemas.presentation import VITAL_PRESENTATIONS, ChartKind, VitalPresentation, presentation_of
from schemas.vitals import GLUCOSE, HEART_RATE, SKIN_TEMPERATURE, STEPS, VITALS, WEIGHT, Vital

CAREGIVER = next(json.loads(board.json) for board in boards() if board.reader is Reader.CAREGIVER)
PANELS: dict[str, dict[str, Any]] = {panel["title"]: panel for panel in CAREGIVER["panels"]}


@pytest.mark.parametrize("row", VITAL_PRESENTATIONS, ids=lambda row: row.vital.code)
def test_the_newest_value_is_shown_and_grows_old_as_its_row_says(row: VitalPresentation) -> None:
    """Label, unit words and freshness of the row, in the row that the panel's query holds for the vital."""
    (entry,) = (one for one in vital_rows().removeprefix("(").split("), (") if one.startswith(f"{row.vital.number}, "))
    shown = f"'{row.title}', '{number_format(row)}', ' {row.unit_words}', {row.fresh_for.total_seconds():.0f}"

    bounds = [
        "null::float8" if bound is None else f"{bound}" for bound in (row.vital.clipped_low, row.vital.clipped_high)
    ]
    summed_s = "null::integer" if row.summed_over is None else f"{row.summed_over.total_seconds():.0f}"
    assert entry.removesuffix(")") == f"{row.vital.number}, {shown}, {', '.join(bounds)}, {summed_s}"


def test_how_old_is_old_does_not_depend_on_the_device() -> None:
    newest = PANELS["Newest values"]["targets"][0]["rawSql"]

    assert "latest.age_s > known.fresh_s" in newest
    assert [device.code for device in DEVICE_TYPES if device.code in newest] == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.figure.title)
def test_a_panel_has_the_unit_and_decimals_of_its_row(view: FigureView) -> None:
    title = view.figure.title if view.figure.chart.kind is not ChartKind.BARS else f"{view.row.label} an hour"
    defaults = PANELS[title]["fieldConfig"]["defaults"]

    assert defaults["decimals"] == view.row.decimals
    if view.figure.chart.kind is not ChartKind.BARS:
        assert defaults["unit"] == f"suffix: {view.row.unit_words}"


@pytest.mark.parametrize(("vital", "every_s"), [(HEART_RATE, 60), (SKIN_TEMPERATURE, 60), (GLUCOSE, 300)])
def test_a_line_is_as_fine_as_its_device_measures(vital: Vital, every_s: int) -> None:
    (view,) = (view for view in VIEWS if view.row.vital is vital)

    assert view.every_s == every_s


def test_a_number_has_the_decimals_of_its_row_and_commas_at_the_thousands() -> None:
    assert number_format(presentation_of(STEPS)) == "FM999,990"
    assert number_format(presentation_of(WEIGHT)) == "FM999,990.0"


def test_panels_stand_in_the_order_of_lines_points_and_bars_and_then_of_vitals() -> None:
    drawn = [view for kind in ChartKind for view in views_of(kind)]
    titles = [title for title in PANELS if any(title.startswith(view.figure.title) for view in drawn)]

    assert drawn == sorted(drawn, key=lambda view: (list(ChartKind).index(view.figure.chart.kind), view.first_number))
    assert [title.removesuffix(" an hour") for title in titles] == [view.figure.title for view in drawn]


def test_last_heard_is_amber_once_a_worn_device_counts_as_silent() -> None:
    steps = PANELS["Last heard"]["fieldConfig"]["defaults"]["thresholds"]["steps"]

    assert [step["value"] for step in steps] == [None, longest_silence_s()]
    assert longest_silence_s() == 3 * 3600


def test_every_vital_is_asked_for() -> None:
    assert all_vitals().count(",") == len(VITALS) - 1
    assert all_vitals() in sql_of("last_heard")
