"""The anomaly model as an artefact with its card: what people have to know before they trust an alarm."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.score.models.anomaly import SCORE_HALF_LIFE_H, AnomalyModel
from services.score.models.anomaly_artefact import FORM, arrays_of
from services.score.models.artefact import Artefact, Card
from services.score.models.feature_drift import spread_of
from services.score.models.own_course import LEVEL_HALF_LIFE_H, USUAL_HALF_LIFE_H

PURPOSE: Final = (
    "Says when pulse, SpO2, temperature, systolic pressure and respiratory rate together are unlike those of other"
    " people and unlike the person's own, for hours. It names no illness, and replaces no limit of a single vital."
)
LIMITS_OF_USE: Final = (
    "A person of whom fewer than three of the five vitals are known is not scored; nobody is in the first hour.",
    "What is usual for a person is known after some five hours, and follows a lasting change within days.",
    "It can't know why somebody is unlike others: an athlete's slow pulse and treatment with oxygen are odd too.",
    "Fitted on few recorded people at home, whose pulse and breathing alone were measured, and on simulated ones.",
    "Neither the recorded nor the simulated have age or sex: how it does by them is not known.",
    "It is not the forest that is measured on stays in intensive care, which the same code fits anew there.",
    "Nobody has shown that what it finds at home is illness. It goes on the list, and notifies nobody.",
    "A model fitted in hospitals says nothing of homes, and the other way round.",
)


def artefact_of(
    model: AnomalyModel,
    *,
    people: Iterable[str],
    licences: Mapping[str, str],
    figures: Mapping[str, Mapping[str, float | None]],
    rows: NDArray[np.float64] | None = None,
) -> Artefact:
    """``people`` hashed, ``licences`` by recording, ``figures`` by group, ``rows`` it was fitted on; the rest is of it.

    Without ``rows`` nobody can say later whether what comes in is still like them.
    """
    card = Card(
        kind=FORM.kind,
        version=FORM.version,
        features=FORM.features,
        purpose=PURPOSE,
        people=tuple(people),
        licences=licences,
        figures=figures,
        limits_of_use=LIMITS_OF_USE,
        settings={
            "trees": len(model.forest.feature),
            "rows a tree": model.forest.samples,
            "on from quantile": round(model.on, 4),
            "off below quantile": round(model.off, 4),
            "half-life of a vital's level, h": LEVEL_HALF_LIFE_H,
            "half-life of what is usual, h": USUAL_HALF_LIFE_H,
            "half-life of the score, h": SCORE_HALF_LIFE_H,
        },
        at_training={} if rows is None else {name: spread_of(rows[:, at]) for at, name in enumerate(FORM.features)},
    )
    return Artefact(card=card, arrays=arrays_of(model))
