"""The vocabulary of medication: plans, dose slots and their states."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class DoseState(StrEnum):
    """Where a dose slot stands (clinical.md 4.8). The last four are final."""

    PENDING = "pending"
    REMINDED = "reminded"
    TAKEN = "taken"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"


DOSE_TRANSITIONS: Final[Mapping[DoseState, frozenset[DoseState]]] = MappingProxyType(
    {
        DoseState.PENDING: frozenset({DoseState.REMINDED, DoseState.EARLY, DoseState.TAKEN, DoseState.MISSED}),
        DoseState.REMINDED: frozenset({DoseState.TAKEN, DoseState.LATE, DoseState.MISSED}),
        DoseState.TAKEN: frozenset(),
        DoseState.EARLY: frozenset(),
        DoseState.LATE: frozenset(),
        DoseState.MISSED: frozenset(),
    }
)

TIME_CRITICAL_WINDOW_MIN: Final = 30
"""Time-critical doses are on time within +/-30 min (ISMP timely-administration guideline)."""
DAILY_WINDOW_MIN: Final = 120
"""Daily doses are on time within +/-2 h (ISMP timely-administration guideline)."""
