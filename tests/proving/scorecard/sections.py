"""All sections of the scorecard, in the order of the page."""

from collections.abc import Callable
from typing import Final

from tests.proving.scorecard.section import Section, Wanted

SECTIONS: Final[dict[str, Callable[[Wanted], Section]]] = {}
"""By the name of the section."""
