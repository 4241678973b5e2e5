"""Figures over people, goals, and the two forms of the scorecard: JSON and a page."""

import json
from math import isnan, nan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from tests.proving.scorecard.figures import exact, over_people
from tests.proving.scorecard.page import write_page
from tests.proving.scorecard.report import document, said, write
from tests.proving.scorecard.section import Goal, Line, MissingDataError, Plot, Section, Wanted, folds_of


def plotted(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1])


def section(sensitivity: float = 0.9) -> Section:
    return Section(
        name="lows",
        title="Lows",
        counted="First. " * 40 + "\n\nSecond.",
        summary={"sensitivity": sensitivity, "false_per_day": 0.5},
        lines=[
            Line(detector="ours", figures={"found": exact(sensitivity)}, group="women", is_ours=True),
            Line(detector="ours", figures={"found": over_people([9, 9], [10, 10], seed=1)}, is_ours=True),
            Line(detector="line", figures={"found": exact(0.5), "a day": exact(2.0)}),
        ],
        goals=[Goal(figure="sensitivity", at_least=0.8), Goal(figure="false_per_day", at_most=0.5)],
        plots=[Plot(name="lows", caption="Found", draw=plotted)],
        details={"people": 2},
    )


def test_a_figure_is_the_ratio_of_sums_and_its_interval_is_that_of_other_people() -> None:
    figure = over_people([1, 9], [10, 10], seed=3, scale=2)

    assert figure == (1.0, 0.2, 1.8)
    assert over_people([5] * 40, [10] * 40, seed=3) == (0.5, 0.5, 0.5)


def test_nothing_to_divide_by_is_no_figure() -> None:
    assert all(isnan(number) for number in over_people([0, 0], [0, 0], seed=1))
    # One of two people has nothing: those resamples that have only them are left out.
    assert over_people([1, 0], [2, 0], seed=1) == (0.5, 0.5, 0.5)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30), st.integers(0, 99)
)  # fmt: skip
def test_the_interval_lies_within_what_single_people_have(people: list[tuple[int, int]], seed: int) -> None:
    figure = over_people([one for one, _ in people], [one for _, one in people], seed=seed)
    each = [above / below for above, below in people]

    assert min(each) - 1e-9 <= figure.low <= figure.high <= max(each) + 1e-9


@given(st.sets(st.text(min_size=1), min_size=5, max_size=40), st.integers(2, 5), st.integers(0, 9))
def test_each_person_is_in_one_fold_whatever_their_order(people: set[str], folds: int, seed: int) -> None:
    found = folds_of(sorted(people), folds, seed)

    assert sorted(one for fold in found for one in fold) == sorted(people)
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert folds_of(sorted(people, reverse=True), folds, seed) == found


def test_a_goal_that_nothing_was_counted_for_is_missed() -> None:
    assert not Goal(figure="x", at_most=1).is_met(nan)
    assert Goal(figure="x", at_most=1).is_met(1)
    assert not Goal(figure="x", at_least=0.5, at_most=1).is_met(0.4)
    assert section(0.79).missed == ["lows.sensitivity is 0.79, and has to be at least 0.8"]
    assert section().missed == []


def test_the_json_has_the_figures_of_ours_under_their_section(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "scorecard.json"
    write(document([section(nan)], {"illness": "no file"}, seed=4, took_s=1.23), path)

    found = json.loads(path.read_text())
    assert found["lows"]["sensitivity"] is None
    assert found["lows"]["false_per_day"] == 0.5
    assert found["lows"]["people"] == 2
    assert found["lows"]["goals"][1] == {"figure": "false_per_day", "at_least": None, "at_most": 0.5, "met": True}
    assert found["lows"]["detectors"][1]["found"] == [0.9, 0.9, 0.9]
    assert found["illness"] == {"not_run": "no file"}
    assert len(found["missed"]) == 1


def test_the_page_has_goals_tables_and_pictures_and_lines_that_fit(tmp_path: Path) -> None:
    page, pictures = tmp_path / "scorecard.md", tmp_path
    write_page([section(0.7)], {"illness": "no file"}, page, pictures)

    text = page.read_text()
    assert "| Lows | sensitivity | 0.7 | ≥ 0.8 | **no** |" in text
    assert text.index("| **ours** |") < text.index("| **ours, women** |")
    assert "| line | 0.5 | 2 |" in text
    assert "**illness** was not run: no file" in text
    assert (tmp_path / "scorecard-lows.png").stat().st_size > 1000
    assert all(len(line) <= 100 for line in text.splitlines() if not line.startswith(("|", "!")))


def test_a_figure_is_said_with_its_interval_where_it_has_one() -> None:
    assert said(exact(0.123456)) == "0.123"
    assert said(over_people([1, 9], [10, 10], seed=3)) == "0.5 (0.1 to 0.9)"
    assert said(exact(nan)) == ""


def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"days\.csv"):
        Wanted(data=tmp_path, seed=1).file("days.csv")
    with pytest.raises(MissingDataError, match="DATA=folder"):
        Wanted(data=None, seed=1).file("days.csv")
