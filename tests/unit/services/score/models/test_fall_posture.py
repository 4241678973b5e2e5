"""What looks like a fall, by limits and by trees."""

from math import exp, isclose, nan

import numpy as np
import pytest

from services.score.models.boosted_trees import LEAF, BoostedTrees
from services.score.models.fall_posture import LYING_STILL, LYING_STILL_SOFT, FallTrees, Impact, PostureRule

FALL = Impact(peak_g=2.5, tilt_deg=50.1, spread_g=0.059)


@pytest.mark.parametrize(
    ("impact", "expected"),
    [
        (FALL, True),
        (FALL._replace(peak_g=2.49), False),
        (FALL._replace(tilt_deg=50), False),
        (FALL._replace(spread_g=0.06), False),
        (FALL._replace(tilt_deg=nan), False),
        (FALL._replace(peak_g=nan), False),
    ],
)
def test_a_hard_impact_and_lying_still_after_it_is_a_fall(impact: Impact, *, expected: bool) -> None:
    assert LYING_STILL.is_fall(impact) is expected


def test_an_older_person_falls_more_softly() -> None:
    soft = FALL._replace(peak_g=2.0)
    assert LYING_STILL_SOFT.is_fall(soft)
    assert not LYING_STILL.is_fall(soft)


def test_what_a_rule_does_not_ask_for_does_not_matter() -> None:
    assert PostureRule(least_peak_g=2.5).is_fall(Impact(2.5, 0, 9))
    assert not PostureRule(least_peak_g=2.5, spread_below_g=0.06).is_fall(Impact(2.5, 90, 9))


def trees(cutoff: float = 0.5) -> FallTrees:
    """A tree that splits twice, by impact and then by tilt, and one that is a leaf, filled up."""
    both = BoostedTrees(
        feature=np.array([[0, LEAF, 1, LEAF, LEAF], [LEAF] * 5]),
        threshold=np.array([[3.0, 0, 60, 0, 0], [0.0] * 5]),
        missing_left=np.zeros((2, 5), bool),
        left=np.array([[1, 0, 3, 0, 0], [0] * 5]),
        right=np.array([[2, 0, 4, 0, 0], [0] * 5]),
        value=np.array([[9.0, -2, 9, -1, 3], [0.5, 9, 9, 9, 9]]),
        baseline=-0.25,
    )
    return FallTrees(trees=both, cutoff=cutoff)


@pytest.mark.parametrize(
    ("impact", "leaf"),
    [
        (Impact(3.0, 90, 0), -2),  # at most the threshold: left
        (Impact(3.1, 60, 0), -1),
        (Impact(3.1, 60.1, 0), 3),
        (Impact(nan, nan, 0), 3),  # what was not measured: right
    ],
)
def test_trees_add_what_their_leaves_say(impact: Impact, leaf: float) -> None:
    assert isclose(trees().chance_of(impact), 1 / (1 + exp(0.25 - 0.5 - leaf)))


def test_a_fall_is_a_chance_of_the_cutoff_or_more() -> None:
    impact = Impact(3.1, 90, 0)
    chance = trees().chance_of(impact)
    assert trees(chance).is_fall(impact)
    assert not trees(float(np.nextafter(chance, 1))).is_fall(impact)
