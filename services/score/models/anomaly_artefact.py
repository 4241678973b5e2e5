"""The anomaly model as the arrays of an artefact, and back. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from services.score.models.anomaly import FEATURES, AnomalyModel
from services.score.models.artefact import Artefact, ArtefactError, Form, Numbers
from services.score.models.isolation_forest import IsolationForest

FORM: Final = Form(
    kind="anomaly",
    version=1,
    features=FEATURES,
    shapes=MappingProxyType(
        {
            "feature": (None, None),
            "threshold": (None, None),
            "path_length": (None, None),
            "samples": (1,),
            "medians": (len(FEATURES),),
            "spreads": (len(FEATURES),),
            "oddness": (None,),
            "limits": (2,),
        }
    ),
)
"""``limits`` are the on and the off quantile; the other names are those of the model and its forest."""


def arrays_of(model: AnomalyModel) -> Mapping[str, Numbers]:
    """What an artefact of ``FORM`` holds."""
    forest = model.forest
    return {
        "feature": forest.feature,
        "threshold": forest.threshold,
        "path_length": forest.path_length,
        "samples": np.array([forest.samples], dtype=np.int32),
        "medians": model.medians,
        "spreads": model.spreads,
        "oddness": np.array(model.oddness),
        "limits": np.array([model.on, model.off]),
    }


def model_of(artefact: Artefact) -> AnomalyModel:
    """The model of an artefact of ``FORM``. Raises ArtefactError where its arrays do not belong together."""
    arrays = artefact.arrays
    (trees, nodes), depth = arrays["feature"].shape, int(arrays["feature"].shape[1]).bit_length()
    on, off = arrays["limits"].tolist()
    for is_so, what in (
        (nodes == 2**depth - 1 and arrays["threshold"].shape == (trees, nodes), "feature and threshold"),
        (arrays["path_length"].shape == (trees, nodes + 1), "path_length"),
        (trees > 0 and int(arrays["samples"][0]) > 1, "samples"),
        (arrays["feature"].min() >= 0 and arrays["feature"].max() < len(FEATURES), "feature"),
        (bool((arrays["spreads"] > 0).all()), "spreads"),
        (len(arrays["oddness"]) > 1 and bool((np.diff(arrays["oddness"]) > 0).all()), "oddness"),
        (0 <= off <= on <= 1, "limits"),
    ):
        if not is_so:
            raise ArtefactError(f"{what} of the arrays is no such thing of an anomaly model")
    return AnomalyModel(
        forest=IsolationForest(
            feature=arrays["feature"].astype(np.uint8),
            threshold=arrays["threshold"].astype(np.float32),
            path_length=arrays["path_length"].astype(np.float64),
            samples=int(arrays["samples"][0]),
        ),
        medians=arrays["medians"].astype(np.float64),
        spreads=arrays["spreads"].astype(np.float64),
        oddness=tuple(arrays["oddness"].tolist()),
        on=on,
        off=off,
    )
