"""The section on lows, of made people: all that a page needs is there, and the same data give the same figures."""

from math import isnan
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.proving.scorecard.hypoglycaemia import GOALS, OURS, hypoglycaemia
from tests.proving.scorecard.recorded_glucose import FILE, traces
from tests.proving.scorecard.section import MissingDataError, Section, Wanted
from tests.proving.training.glucose_forecast import artefact_of, fit, rows_of
from tests.unit.proving.scorecard.made_glucose import write


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    folder = tmp_path_factory.mktemp("recordings")
    write(folder, people=6, days=2)
    return hypoglycaemia(Wanted(data=folder, seed=1, folds=2))


def test_what_goals_are_about_is_in_the_summary(section: Section) -> None:
    assert {"sensitivity", "false_per_day", "lead_min", "chance", "band_coverage"} <= section.summary.keys()
    assert {goal.figure for goal in GOALS} <= section.summary.keys()
    assert not any(isnan(value) for value in section.summary.values())


def test_ours_is_one_line_and_beats_chance(section: Section) -> None:
    (ours,) = [line for line in section.lines if line.is_ours]
    assert ours.detector == OURS
    assert ours.figures["sensitivity"].value > ours.figures["chance"].value
    assert len({line.detector for line in section.lines}) == len(section.lines) > 6
    assert all(line.figures.keys() == ours.figures.keys() for line in section.lines)


def test_every_plot_can_be_drawn(section: Section) -> None:
    for plot in section.plots:
        axes = Figure().subplots()
        plot.draw(axes)
        assert axes.lines


def test_what_is_shipped_is_counted_on_people_it_was_not_fitted_on(tmp_path: Path) -> None:
    write(tmp_path, people=4, days=2)
    known = {person: rows_of(trace) for person, trace in traces(tmp_path / FILE).items()}
    wanted = Wanted(data=tmp_path, seed=1, folds=2)
    for fitted, others in ((["made 0"], 3), (list(known), 0)):
        shipped = artefact_of(fit(known, seed=1), {one: known[one] for one in fitted}, {})
        section = hypoglycaemia(wanted, shipped)
        lines = [one.detector for one in section.lines if "as shipped" in one.detector]
        apart = [f"as shipped, of {others} people it was not fitted on"] if others else []
        assert lines == [*apart, f"as shipped, of {4 - others} people it was fitted on"]
        said = section.details["shipped"]
        assert ("not_fitted_on" in said, said["fitted_on"]["people"]) == (bool(others), 4 - others)
        assert len(section.plots) == 2 + len(lines)


def test_without_the_recording_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="cgm_older_adults_t1d"):
        hypoglycaemia(Wanted(data=tmp_path, seed=1))
