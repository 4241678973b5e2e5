"""Trees of falls as plain arrays say what scikit-learn says."""

import numpy as np
import pytest

from services.score.models.fall_posture import Impact
from tests.proving.scorecard.impacts import measured
from tests.proving.training.fall import FallTrial, boosted, fall_trees, trees_of
from tests.unit.proving.scorecard.falls_made import people

TRIALS = [
    FallTrial(one.person, one.is_fall, one.is_elderly, measured(one).impacts) for one in people(falls=20, daily=20)
]


def test_plain_arrays_give_the_chances_of_the_model_they_were_taken_from() -> None:
    model = boosted(TRIALS, seed=1)
    trees = trees_of(model, cutoff=0.5)
    generator = np.random.default_rng(2)
    drawn = np.column_stack([generator.uniform(2, 9, 60), generator.uniform(0, 130, 60), generator.uniform(0, 0.1, 60)])
    said = [trees.chance_of(Impact(*row)) for row in drawn.tolist()]
    assert np.allclose(said, model.chances(drawn))
    assert max(said) > 0.9
    assert min(said) < 0.1


def test_falls_are_known_from_other_impacts_and_the_same_trials_give_the_same_trees() -> None:
    trees = fall_trees(TRIALS, seed=1)
    assert 0.75 <= trees.cutoff <= 0.9
    assert trees.is_fall(Impact(8, 90, 0.01))
    assert not trees.is_fall(Impact(2.2, 20, 0.01))
    again = fall_trees(TRIALS, seed=1)
    assert (again.cutoff, again.trees.value.tolist()) == (trees.cutoff, trees.trees.value.tolist())


def test_a_harder_impact_or_more_tilt_never_makes_a_fall_less_likely() -> None:
    trees = trees_of(boosted(TRIALS, seed=1), cutoff=0.5)
    by_peak = [trees.chance_of(Impact(peak, 70, 0.01)) for peak in np.linspace(2, 9, 40)]
    by_tilt = [trees.chance_of(Impact(3, tilt, 0.01)) for tilt in np.linspace(0, 130, 40)]
    assert by_peak == sorted(by_peak)
    assert by_tilt == sorted(by_tilt)


def test_nobody_who_fell_is_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="both needed"):
        fall_trees([one for one in TRIALS if not one.is_fall], seed=1)
    with pytest.raises(ValueError, match="both needed"):
        fall_trees([one for one in TRIALS if one.is_fall], seed=1)
