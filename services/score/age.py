"""Whether what is found is news when it becomes known, or a look back. Pure."""

from typing import Final, NamedTuple

from schemas.alerts import Severity
from services.score.rule import HOUR_MS, Mark

URGENT_FOR_MS: Final = HOUR_MS
"""What is urgent is current for so long after the last reading that shows it."""
CURRENT_FOR_MS: Final = 12 * HOUR_MS
"""Everything else, and what nothing usable has followed: a gateway that was away must not swallow a low."""
CALLED_FOR_MS: Final = 24 * HOUR_MS
"""A press of the SOS button, and a fall that nobody answered."""


def is_looked_back_on(called_at: int, received_at: int) -> bool:
    """Whether a call for help, or a fall, of ``called_at`` became known too late to alert anybody. In ms."""
    return received_at - called_at > CALLED_FOR_MS


class Reception(NamedTuple):
    """When a record was received, and the time of the newest usable reading of then. In ms."""

    received_at: int
    newest_at: int

    def is_current(self, mark: Mark) -> bool:
        """Whether an alert may follow from ``mark``, which is of a level above 0."""
        age = self.received_at - mark.at
        if mark.severity is Severity.HIGH and self.newest_at > mark.at:
            return age <= URGENT_FOR_MS
        return age <= CURRENT_FOR_MS
