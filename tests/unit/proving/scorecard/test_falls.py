"""What the section on falls counts, on people who are made up."""

from math import isnan
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Picture

from tests.proving.scorecard.falls import BOOSTED, falls, found_by_chance
from tests.proving.scorecard.impacts import measured
from tests.proving.scorecard.section import MissingDataError, Section, Wanted
from tests.proving.scorecard.worn_day import DAY, false_per_day
from tests.unit.proving.scorecard.falls_made import made, people, write

RULE = "impact ≥ 2.5 g, then still and tilted > 50°"
FOUND, FALSE = "young people's falls found", "elderly people's activities false"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Section:
    folder = tmp_path_factory.mktemp("recorded")
    write(people(falls=15, daily=8), folder)
    return falls(Wanted(data=folder, seed=1, folds=3))


def test_the_trees_are_scored_on_people_they_were_not_fitted_on_and_shown_beside_the_rules(counted: Section) -> None:
    lines = {line.detector: line for line in counted.lines}
    assert [name for name, line in lines.items() if line.is_ours] == [BOOSTED]
    assert len(counted.details["cutoffs"]) == 3
    assert counted.summary["sensitivity"] == lines[BOOSTED].figures[FOUND].value > 0.8
    assert counted.summary["elderly_false_rate"] == lines[BOOSTED].figures[FALSE].value < 0.1
    assert lines["impact ≥ 2.5 g"].figures[FALSE].value > lines[RULE].figures[FALSE].value
    assert 0 < lines[RULE].figures["found by chance"].value < lines[RULE].figures[FOUND].value
    assert "90 falls of 6 young people" in counted.counted
    assert "elderly_sensitivity" not in counted.summary


def test_plots_are_drawn(counted: Section) -> None:
    for plot in counted.plots:
        axes = Picture().subplots()
        plot.draw(axes)
        assert axes.get_xlabel()


def test_an_elderly_person_who_fell_is_shown_and_nothing_is_claimed(tmp_path: Path) -> None:
    everybody = [*people(falls=8, daily=4), made("SE09", "F01"), made("SE09", "F02", peak_g=2.2)]
    write(everybody, tmp_path)
    found = falls(Wanted(data=tmp_path, seed=1, folds=2))
    (line,) = (line for line in found.lines if line.group and line.detector == RULE)
    assert line.group == "falls of 1 elderly person, no claim"
    assert line.figures["elderly people's falls found"].value == 0.5
    assert "2 of 1 people" in found.counted


def test_without_the_recording_there_is_no_section(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="sisfall"):
        falls(Wanted(data=tmp_path, seed=1))


def test_an_alarm_counts_as_chance_if_it_comes_within_8_s_of_a_fall_wherever_it_is_moved_to() -> None:
    # One fall in 4 x 30 s: an alarm hits it from 8 s before it moves past it, so in 80 of 1200 ticks.
    trials = [measured(made("SA01", activity, ticks=300)) for activity in ("F01", "D01", "D02", "D03")]
    chance = found_by_chance(trials, [[], [40], [], []], seed=1)
    assert chance == pytest.approx(80 / 1200, abs=0.04)
    assert found_by_chance(trials, [[], [], [], []], seed=1) == 0
    assert isnan(found_by_chance(trials[1:], [[40], [], []], seed=1))


def test_a_day_s_false_falls_are_shares_of_movements_times_how_often_a_day_has_them() -> None:
    trials = [("SE01", "D14", 12.0, True), ("SE01", "D14", 12.0, False), ("SE02", "D07", 12.0, False)]
    turns = next(kind.a_day for kind in DAY if "D14" in kind.activities)
    figure = false_per_day(trials, seed=1)
    assert figure.value == turns / 2
    assert (figure.low, figure.high) == (0, turns / 2)
    assert isnan(false_per_day([("SE01", "D19", 12.0, True)], seed=1).value)


def test_what_goes_on_for_long_is_counted_by_the_hour() -> None:
    hours = next(kind.a_day for kind in DAY if kind.is_hours)
    assert false_per_day([("SE01", "D01", 1800.0, True), ("SE01", "D02", 1800.0, False)], seed=1).value == hours


def test_every_daily_movement_is_of_one_kind() -> None:
    activities = [one for kind in DAY for one in kind.activities]
    assert sorted(activities) == [f"D{number:02d}" for number in range(1, 18)]
    assert np.isfinite([kind.a_day for kind in DAY]).all()
