"""When a doctor is not to be disturbed, and until when a notification is held for that. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.alerts import Severity
from schemas.wall_clock import moment_of

LONGEST_HOLD_MS: Final = 24 * 60 * 60_000
"""Nothing is held for longer, also where clocks are set back in hours that are quiet nearly all day."""
_HELD: Final = frozenset({Severity.MEDIUM})
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From ``begins`` to ``ends`` on the clock of ``zone``, each day; over midnight where ``ends`` is the earlier."""

    begins: time
    ends: time
    zone: str


def held_until(severity: Severity, quiet: QuietHours | None, now: int) -> int | None:
    """When a notification that is queued at ``now`` may go out; None: at once, as HIGH always does.

    Platform milliseconds, at most LONGEST_HOLD_MS after ``now``. Hours in a zone that nobody knows hold nothing.
    """
    if severity not in _HELD or quiet is None:
        return None
    try:
        zone = ZoneInfo(quiet.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    at = datetime.fromtimestamp(now / 1000, UTC)
    today = at.astimezone(zone).date()
    # Those of yesterday may last until today.
    for day in (today - _ONE_DAY, today):
        last = day + _ONE_DAY if quiet.ends < quiet.begins else day
        begins, ends = moment_of(day, quiet.begins, zone), moment_of(last, quiet.ends, zone)
        if begins <= at < ends:
            return min(round(ends.timestamp() * 1000), now + LONGEST_HOLD_MS)
    return None
