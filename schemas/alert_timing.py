"""How long it is until people are notified of an alert again. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity

CALLED_AGAIN_AFTER_MS: Final = 2 * 60_000
"""Who presses the button again, or falls again, sooner than this after the last notification notifies nobody anew."""
FIRST_REPEAT_MS: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.HIGH: 15 * 60_000, Severity.MEDIUM: 2 * 60 * 60_000}
)
"""An unanswered alert is notified again after this, ..."""
SOON_REPEATS: Final[Mapping[Severity, int]] = MappingProxyType({Severity.HIGH: 4, Severity.MEDIUM: 1})
"""... this many times, ..."""
LATER_REPEAT_MS: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.HIGH: 60 * 60_000, Severity.MEDIUM: 8 * 60 * 60_000}
)
"""... and then each time after this, until somebody acts: an unanswered alert never expires."""


def wait_after(severity: Severity, repeats: int) -> int | None:
    """Platform ms until people are notified again after ``repeats`` repetitions; None: never, of what is mild."""
    if severity not in FIRST_REPEAT_MS:
        return None
    return FIRST_REPEAT_MS[severity] if repeats < SOON_REPEATS[severity] else LATER_REPEAT_MS[severity]
