"""The anomaly model out of its artefact decides as before, and arrays that do not belong together are refused."""

from typing import Any

import numpy as np
import pytest

from services.score.models.anomaly import FEATURES, AnomalyModel
from services.score.models.anomaly_artefact import FORM, model_of
from services.score.models.artefact import Artefact, ArtefactError, from_bytes, to_bytes
from tests.proving.training.anomaly_card import artefact_of
from tests.proving.training.isolation_forest import fitted_forest

ROWS = np.random.default_rng(1).normal(0, 1, (400, len(FEATURES)))
MODEL = AnomalyModel(
    forest=fitted_forest(ROWS, trees=100, samples=64, seed=1),
    medians=np.zeros(len(FEATURES)),
    spreads=np.ones(len(FEATURES)),
    oddness=tuple(np.linspace(0.3, 0.7, 1001).tolist()),
    on=0.82,
    off=0.46,
)
WRITTEN = artefact_of(MODEL, people=("0f",), licences={"drawn": "none"}, figures={"all": {"stays": 4.0}})


def artefact(**but: Any) -> Artefact:
    return Artefact(
        card=WRITTEN.card, arrays={**WRITTEN.arrays, **{name: np.asarray(value) for name, value in but.items()}}
    )


def test_a_model_that_was_written_decides_as_before() -> None:
    read = model_of(from_bytes(*to_bytes(artefact()), FORM))
    assert read.answer(ROWS).tolist() == MODEL.answer(ROWS).tolist()
    assert (read.oddness, read.on, read.off) == (MODEL.oddness, MODEL.on, MODEL.off)
    assert read.explanation(ROWS[0].tolist()) == MODEL.explanation(ROWS[0].tolist())


def test_it_is_small_enough_to_ship() -> None:
    assert sum(map(len, to_bytes(artefact()))) < 200_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", np.zeros((100, 62))),
        ("path_length", np.zeros((100, 63))),
        ("samples", [1]),
        ("feature", np.full((100, 63), len(FEATURES))),
        ("spreads", np.zeros(len(FEATURES))),
        ("oddness", [0.5, 0.5, 0.6]),
        ("oddness", [0.5]),
        ("limits", [0.5, 0.6]),
        ("limits", [1.1, 0.6]),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ArtefactError, match=name):
        model_of(artefact(**{name: value}))


def test_its_card_says_what_was_chosen_and_where_it_ends() -> None:
    card = from_bytes(*to_bytes(WRITTEN), FORM).card
    assert card.settings["trees"] == 100
    assert card.settings["on from quantile"] == 0.82
    assert "hospitals" in card.limits_of_use[-1]
