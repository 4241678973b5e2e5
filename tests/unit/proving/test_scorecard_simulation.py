"""The section of the labelled simulation: its figures, goals and table; without recordings nothing is said of them."""

import pytest

from tests.proving.scorecard.section import Section, Wanted
from tests.proving.scorecard.simulation import simulation_of

PROGRESS: list[float] = []


@pytest.fixture(scope="module", name="section")
def _section() -> Section:
    PROGRESS.clear()
    return simulation_of(Wanted(data=None, seed=3, report=PROGRESS.append), homes=3, days=0.6, processes=1)


def test_it_has_the_figures_that_its_goals_name(section: Section) -> None:
    assert section.name == "simulation"
    assert {goal.figure for goal in section.goals} == {"high_found", "least_found"} <= set(section.summary)
    assert section.summary["near_misses"] > 0
    assert not any(name.startswith("glucose") for name in section.summary)


def test_progress_ends_at_all_of_it(section: Section) -> None:
    assert section.summary
    assert sorted(PROGRESS) == PROGRESS
    assert PROGRESS[-1] == 1.0


def test_a_limit_alone_stands_beside_what_is_ours(section: Section) -> None:
    both = [line for line in section.lines if line.group.startswith("all")]
    assert [(line.detector, line.is_ours) for line in both] == [("HearthBeat", True), ("a limit alone", False)]
    ours, alone = (line.figures["false a home and day"].value for line in both)
    assert ours <= alone


def test_the_table_counts_every_incident_and_near_miss_once(section: Section) -> None:
    table = section.details["confusion"]
    near, nothing = table["near-miss"], table["nothing"]
    assert sum(near.values()) == section.summary["near_misses"]
    counted = sum(sum(row.values()) for row in table.values()) - sum(near.values()) - sum(nothing.values())
    assert counted == section.summary["incidents"]


def test_kinds_that_happened_too_seldom_are_said_apart_with_their_counts(section: Section) -> None:
    counts = section.details["too_few_to_say"]
    assert counts
    for kind, (there, found) in counts.items():
        assert 0 <= found <= there < 5
        assert f"{kind.replace('_', ' ')}, {found} of {there}" in section.counted


def test_the_same_seed_says_the_same(section: Section) -> None:
    again = simulation_of(Wanted(data=None, seed=3), homes=3, days=0.6, processes=1)
    assert again.details == section.details
