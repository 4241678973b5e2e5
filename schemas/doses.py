"""The vocabulary of medication: plans, doses and their states, and the numbers that decide between them."""

from enum import StrEnum
from typing import Final


class DoseState(StrEnum):
    """Where a dose stands. ``unknown``: its time has passed and its dispenser could not be heard since."""

    PENDING = "pending"
    REMINDED = "reminded"
    TAKEN = "taken"
    EARLY = "early"
    LATE = "late"
    MISSED = "missed"
    DOUBLE = "double"
    UNKNOWN = "unknown"
    HELD = "held"


OPEN_STATES: Final = frozenset({DoseState.PENDING, DoseState.REMINDED, DoseState.UNKNOWN})
"""Not settled yet; such a dose has no ``settled_at``."""
TAKEN_STATES: Final = frozenset({DoseState.TAKEN, DoseState.EARLY, DoseState.LATE, DoseState.DOUBLE})
"""It was taken; when, and how often, stands in its evidence."""


class EvidenceRole(StrEnum):
    """What an event is to a dose.

    It decided it, was part of the same taking, or was one too many; or a cup was lifted that was empty, or while a
    doctor had paused the plan: neither of these is a taking.
    """

    DECIDED = "decided"
    SAME = "same"
    DOUBLE = "double"
    EMPTY = "empty"
    HELD = "held"


class PlanKind(StrEnum):
    """Whether a plan has times, or is taken when it is needed."""

    SCHEDULED = "scheduled"
    AS_NEEDED = "as_needed"


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
EARLY_PART: Final = 4
"""A dose can be taken early from a quarter of the time since the one before (docs/clinical.md)."""
LONGEST_EARLY_MIN: Final = 48 * 60
"""... two days before at most: a drug of once a month is not taken a week early (ours)."""
REMINDERS_MIN: Final = (0, 15, 30)
"""The dispenser reminds at the dose's time and again while it is not taken (as dispensers on sale do)."""
SAME_TAKING_MIN: Final = 10
"""What happens up to so long after the event that took a dose is the same taking (docs/clinical.md)."""
DISPENSES_WITHIN_DAYS: Final = 7
"""A dispenser that has said within this time that it dispensed says so each time (ours)."""
HEARD_LATELY_MIN: Final = 45
"""A dispenser heard so shortly before the cut-off would have sent what was taken until then (ours)."""
AWAY_MIN: Final = 15
"""A dispenser that was not heard for longer may have something to make up for (ours)."""
MAKES_UP_MIN: Final = 2
"""One that was away longer has so long to send what it kept, before anything is said of a dose (ours)."""
RESENDS: Final = 3
"""So many times a device's time to a resend it has for an uplink that is missing, but not less than AWAY_MIN (ours)."""
REPORTED_LATE_MIN: Final = 10
"""A taking that was received so long after it happened is said to have been reported late (ours)."""
JUDGED_FOR_DAYS: Final = 30
"""What is reported later than this settles no dose any more: as long as readings are judged (ours)."""
