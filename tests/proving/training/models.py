"""All that is trained: what each model is fitted with, and the section of the scorecard that measures it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Final

from services.score.models.artefact import Artefact
from tests.proving.alarms.recordings import WORN_FILE
from tests.proving.scorecard.anomaly_at_home import LICENCE as STRAP_LICENCE
from tests.proving.scorecard.anomaly_at_home import anomaly_at_home, fitted_at_home, home_people
from tests.proving.scorecard.hypoglycaemia import hypoglycaemia
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE
from tests.proving.scorecard.recorded_glucose import traces
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.training import anomaly_card, glucose_forecast
from tests.proving.training.artefact_files import hashed


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


def _anomaly(wanted: Wanted, measured: Section) -> Artefact:
    people = home_people(wanted)
    figures = {line.group: {name: known(one.value) for name, one in line.figures.items()} for line in measured.lines}
    return anomaly_card.artefact_of(
        fitted_at_home(people, seed=wanted.seed),
        people=hashed(WORN_FILE, people.recorded),
        licences={WORN_FILE: STRAP_LICENCE, "HearthBeat's own simulated people": "as HearthBeat"},
        figures={"all": {name: known(value) for name, value in measured.summary.items()}, **figures},
        rows=people.rows,
    )


def known(value: float) -> float | None:
    """None where there was nothing to count."""
    return None if isnan(value) else value


TRAINED: Final = (
    Trained(kind="glucose_forecast", measured=hypoglycaemia, fitted=_glucose_forecast),
    Trained(kind="anomaly", measured=anomaly_at_home, fitted=_anomaly),
)
