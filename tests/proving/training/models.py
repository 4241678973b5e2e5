"""All that is trained: what each model is fitted with, and the section of the scorecard that measures it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.score.models.artefact import Artefact
from tests.proving.scorecard.hypoglycaemia import hypoglycaemia
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE
from tests.proving.scorecard.recorded_glucose import traces
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.training import glucose_forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """``measured`` scores the model on people it was not fitted on; ``fitted`` fits it on all of them.

    Both raise MissingDataError.
    """

    kind: str
    measured: Callable[[Wanted], Section]
    fitted: Callable[[Wanted, Section], Artefact]


def _glucose_forecast(wanted: Wanted, measured: Section) -> Artefact:
    rows = {person: glucose_forecast.rows_of(trace) for person, trace in traces(wanted.file(GLUCOSE)).items()}
    model = glucose_forecast.fit(rows, seed=wanted.seed)
    return glucose_forecast.artefact_of(model, rows, {"all": dict(measured.summary)})


TRAINED: Final = (Trained(kind="glucose_forecast", measured=hypoglycaemia, fitted=_glucose_forecast),)
