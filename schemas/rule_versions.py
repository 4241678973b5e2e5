"""Which fitted model runs in which place of a rule: what may be done about it."""

from enum import StrEnum
from typing import Final

RULES_LEAD_S: Final = 10.0
"""A version begins so long after its commit, so that score, which looks every 2 s, is never wrong about it."""
LONGEST_REASON: Final = 500


class VersionChange(StrEnum):
    """What was done."""

    SHIPPED = "shipped"
    """A release has brought it; nobody had chosen another."""
    TRIED = "tried"
    """It runs beside the live one, and alerts nobody."""
    ENDED = "ended"
    """It is tried no more."""
    PROMOTED = "promoted"
    """What was tried is live."""
    ROLLED_BACK = "rolled_back"
    """What was live before is live again."""
