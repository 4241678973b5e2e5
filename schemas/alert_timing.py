"""How long it is until people are notified of an alert again. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.alerts import Severity

CALLED_AGAIN_AFTER_MS: Final = 2 * 60_000
"""Who presses the button again, or falls again, sooner than this after the last notification notifies nobody anew."""
HIGH_REPEAT_MS: Final = 15 * 60_000
"""An unanswered HIGH alert is notified again after this, ..."""
HIGH_SOON_REPEATS: Final = 4
"""... this many times, ..."""
HIGH_LATER_REPEAT_MS: Final = 60 * 60_000
"""... and then each time after this, until somebody acts: an unanswered alert never expires."""
MEDIUM_REPEAT_MS: Final = 2 * 60 * 60_000
MEDIUM_SOON_REPEATS: Final = 1
MEDIUM_LATER_REPEAT_MS: Final = 8 * 60 * 60_000


class _Waits(NamedTuple):
    first_ms: int
    soon: int
    later_ms: int


_WAITS: Final[Mapping[Severity, _Waits]] = MappingProxyType(
    {
        Severity.HIGH: _Waits(HIGH_REPEAT_MS, HIGH_SOON_REPEATS, HIGH_LATER_REPEAT_MS),
        Severity.MEDIUM: _Waits(MEDIUM_REPEAT_MS, MEDIUM_SOON_REPEATS, MEDIUM_LATER_REPEAT_MS),
    }
)


def wait_after(severity: Severity, repeats: int) -> int | None:
    """Platform ms until people are notified again after ``repeats`` repetitions; None: never, of what is mild."""
    waits = _WAITS.get(severity)
    if waits is None:
        return None
    return waits.first_ms if repeats < waits.soon else waits.later_ms
