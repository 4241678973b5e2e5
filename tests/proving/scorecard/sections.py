"""All sections of the scorecard, in the order of the page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from services.score.models.glucose_forecast import FORM
from tests.proving.scorecard.anomaly_at_home import anomaly_at_home
from tests.proving.scorecard.deterioration import deterioration
from tests.proving.scorecard.falls import falls
from tests.proving.scorecard.hypoglycaemia import hypoglycaemia
from tests.proving.scorecard.illness import illness
from tests.proving.scorecard.model_drift import model_drift
from tests.proving.scorecard.pressure import pressure
from tests.proving.scorecard.pulse import pulse
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.scorecard.shipped import shipped
from tests.proving.scorecard.simulated_recordings import as_simulated, with_simulated
from tests.proving.scorecard.simulation import simulation
from tests.proving.scorecard.swaps import swaps
from tests.proving.scorecard.technical import technical


def _hypoglycaemia(wanted: Wanted) -> Section:
    """With the shipped model beside those that are fitted anew. Raises MissingDataError."""
    artefact, missing = shipped(FORM)
    section = hypoglycaemia(wanted, artefact)
    return replace(section, details={**section.details, **missing})


def _or_simulated(measure: Callable[[Wanted], Section]) -> Callable[[Wanted], Section]:
    """Of recordings where they are given, else of simulated ones."""
    return lambda wanted: measure(wanted) if wanted.data else with_simulated(measure, wanted)


def _illness(wanted: Wanted) -> Section:
    """It makes its people up itself. Raises MissingDataError."""
    return illness(wanted) if wanted.data else as_simulated(illness(wanted))


SECTIONS: Final[dict[str, Callable[[Wanted], Section]]] = {
    "hypoglycaemia": _or_simulated(_hypoglycaemia),
    "deterioration": deterioration,
    "anomaly_at_home": anomaly_at_home,
    "illness": _illness,
    "falls": falls,
    "pulse": _or_simulated(pulse),
    "pressure": _or_simulated(pressure),
    "technical": _or_simulated(technical),
    "drift": _or_simulated(model_drift),
    "swaps": _or_simulated(swaps),
    "simulation": simulation,
}
"""By the name of the section."""
