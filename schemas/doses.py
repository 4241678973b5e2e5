"""The vocabulary of medication: plans, doses and their states."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class DoseState(StrEnum):
    """Where a dose stands. The last four are final."""

    PENDING = "pending"
    REMINDED = "reminded"
    TAKEN = "taken"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    DOUBLE = "double"
    UNKNOWN = "unknown"
    HELD = "held"


DOSE_TRANSITIONS: Final[Mapping[DoseState, frozenset[DoseState]]] = MappingProxyType(
    {
        DoseState.PENDING: frozenset(
            {DoseState.REMINDED, DoseState.EARLY, DoseState.TAKEN, DoseState.LATE, DoseState.MISSED}
        ),
        # To itself as well: a dose may be reminded of several times.
        DoseState.REMINDED: frozenset(
            {DoseState.REMINDED, DoseState.EARLY, DoseState.TAKEN, DoseState.LATE, DoseState.MISSED}
        ),
        DoseState.TAKEN: frozenset(),
        DoseState.EARLY: frozenset(),
        DoseState.LATE: frozenset(),
        DoseState.MISSED: frozenset(),
        DoseState.DOUBLE: frozenset(),
        DoseState.UNKNOWN: frozenset(),
        DoseState.HELD: frozenset(),
    }
)
"""A dose can be late without a reminder (none was sent in time), and early after one: its event was on its way."""


class IllegalDoseTransitionError(ValueError):
    """A dose that is settled can't be settled again."""


def moved(before: DoseState, after: DoseState) -> DoseState:
    """``after``, where a dose may go there from ``before``. Raises IllegalDoseTransitionError."""
    if after not in DOSE_TRANSITIONS[before]:
        raise IllegalDoseTransitionError(f"a dose that is {before} can't become {after}")
    return after


TIME_CRITICAL_WINDOW_MIN: Final = 30
"""Time-critical doses are on time within +/-30 min (ISMP timely-administration guideline)."""
DAILY_WINDOW_MIN: Final = 120
"""Daily doses are on time within +/-2 h (ISMP timely-administration guideline)."""
SEVERAL_A_DAY_WINDOW_MIN: Final = 60
"""Doses more often than daily are on time within +/-1 h (ISMP timely-administration guideline)."""
LONGEST_CUT_OFF_MIN: Final = 12 * 60
"""A dose is missed after half the time to the next, 12 h at most (ours)."""
SHORTEST_CUT_OFF_MIN: Final = 15
"""Doses that a clock change moves together still leave this long to take each (ours)."""
REMINDERS_MIN: Final = (0, 15, 30)
"""The dispenser reminds at the dose's time and again while it is not taken (as dispensers on sale do)."""
SAME_TAKING_MIN: Final = 10
"""A cup lifted and a confirmation this close together are one dose taken, never two (ours)."""
