"""All sections of the scorecard, in the order of the page."""

from collections.abc import Callable
from typing import Final

from deploy.local.settings import CHECKOUT
from services.score.models.artefact import load
from services.score.models.glucose_forecast import FORM
from tests.proving.scorecard.deterioration import deterioration
from tests.proving.scorecard.falls import falls
from tests.proving.scorecard.hypoglycaemia import hypoglycaemia
from tests.proving.scorecard.illness import illness
from tests.proving.scorecard.pressure import pressure
from tests.proving.scorecard.pulse import pulse
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.scorecard.simulation import simulation
from tests.proving.scorecard.swaps import swaps
from tests.proving.scorecard.technical import technical

_SHIPPED: Final = CHECKOUT / "artefacts"


def _hypoglycaemia(wanted: Wanted) -> Section:
    """With the shipped model beside those that are fitted anew. Raises MissingDataError."""
    return hypoglycaemia(wanted, load(_SHIPPED, FORM))


SECTIONS: Final[dict[str, Callable[[Wanted], Section]]] = {
    "hypoglycaemia": _hypoglycaemia,
    "deterioration": deterioration,
    "illness": illness,
    "falls": falls,
    "pulse": pulse,
    "pressure": pressure,
    "technical": technical,
    "swaps": swaps,
    "simulation": simulation,
}
"""By the name of the section."""
