"""A panel's JSON is read back the way its picture needs it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from grafana.boards import boards
from grafana.looks import Looks, age

PANELS = {panel["title"]: panel for board in boards() for panel in json.loads(board.json)["panels"]}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86_400, "1 d"), (-120, "-2 min")]
)
def test_an_age_is_shown_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("panel", "column", "value", "text"),
    [
        ("Newest values", "Age", 7200, "2 h"),
        ("Newest values", "Value", "72 /min", "72 /min"),
        ("Newest values", "Measured", datetime(2026, 11, 22, 6, 40, tzinfo=UTC), "Sun 22 Nov 06:40"),
        ("Medicine of the day", "Taken", None, "-"),
        ("Received a minute", "Readings", 16_000, "16,000"),
    ],
)
def test_a_value_is_shown_in_words(panel: str, column: str, value: Any, text: str) -> None:
    assert Looks.of(PANELS[panel]).text(column, value) == text


@pytest.mark.parametrize(("waiting", "colour"), [(0, "#3a8f5c"), (1, "#c4383a"), (5, "#c4383a")])
def test_a_number_has_the_colour_of_the_highest_threshold_it_has_reached(waiting: int, colour: str) -> None:
    assert Looks.of(PANELS["Waiting for the doctor"]).colour_of_number("Waiting", waiting) == colour


def test_doses_are_stacked_bars_and_vitals_lines() -> None:
    assert Looks.of(PANELS["Medicine of the last 14 days"]).stacked
    assert Looks.of(PANELS["Heart rate"]).style == "line"
    assert Looks.of(PANELS["Heart rate"]).of_column("Highest", "custom.fillBelowTo") == "Lowest"
    assert Looks.of(PANELS["Blood pressure"]).style == "points"
