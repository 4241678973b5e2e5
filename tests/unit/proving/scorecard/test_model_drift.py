"""The drift check's section: people like those of training are not called others, changed monitors are."""

import pytest
from matplotlib.figure import Figure

from tests.proving.scorecard.model_drift import CHANGES, model_drift
from tests.proving.scorecard.section import Section, Wanted
from tests.unit.proving.scorecard.made_glucose import write


@pytest.fixture(scope="module", name="section")
def _section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    folder = tmp_path_factory.mktemp("made")
    write(folder, people=24, days=2)
    return model_drift(Wanted(data=folder, seed=1))


def test_who_is_like_those_of_training_is_not_called_another(section: Section) -> None:
    assert section.summary["same_called_drifted"] == 0
    assert section.missed == []


def test_what_changes_much_is_seen_and_what_is_not_is_said(section: Section) -> None:
    shares = {line.detector: line.figures["called drifted"].value for line in section.lines}
    assert shares["monitors changed: each 15 min only"] == 1
    unseen = [name for name in CHANGES if shares[f"monitors changed: {name}"] < 0.5]
    assert all(name in section.counted for name in unseen)


def test_more_people_are_nearer_to_training(section: Section) -> None:
    medians = [line.figures["index, median"].value for line in section.lines if "as at training" in line.detector]
    assert len(medians) == 2
    assert medians == sorted(medians, reverse=True)


def test_its_plot_can_be_drawn(section: Section) -> None:
    (plot,) = section.plots
    axes = Figure().subplots()
    plot.draw(axes)
    assert len(axes.get_yticklabels()) == len(section.lines)
