"""What the console decides without a database: sign-in throttling, ages, chart points. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from schemas.presentation import Side

# --- signing in ---------------------------------------------------------------------------------------------------

ATTEMPTS_WINDOW: Final = timedelta(minutes=15)
MOST_TOGETHER: Final = 5
"""Failures of one account from one address, or with one device cookie, within the window."""
MOST_OF_ADDRESS: Final = 30
"""Failures of one address, whatever the account."""
MOST_OF_ACCOUNT: Final = 10
"""Failures of one account from everywhere, after which unfamiliar addresses have to wait their turn."""
TURN: Final = timedelta(seconds=10)
"""How often unfamiliar addresses together may then try."""
_HOST_BITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempts:
    """What speaks for and against a sign-in attempt. ``familiar``: this account has signed in from this address before.

    ``of_device``: failures of this account with the device cookie that came; None where none of this account came.
    """

    together: int
    of_address: int
    of_account: int
    newest_of_account: datetime | None
    familiar: bool
    of_device: int | None = None


def admits(past: PastAttempts, now: datetime) -> bool:
    """Whether to look at the password at all.

    Guessing is slowed per account and per address. A browser with a device cookie of the account is
    judged by its own failures alone, so nobody else can lock the doctor out of it. Without a
    cookie, failures from elsewhere count only at addresses from which the account has never signed
    in.
    """
    if past.of_device is not None:
        return past.of_device < MOST_TOGETHER
    if past.together >= MOST_TOGETHER or past.of_address >= MOST_OF_ADDRESS:
        return False
    if past.familiar or past.of_account < MOST_OF_ACCOUNT or past.newest_of_account is None:
        return True
    return now - past.newest_of_account >= TURN


def counted_address(address: str) -> str:
    """The address that attempts count by; of IPv6 the /64, as one customer has all of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _HOST_BITS << _HOST_BITS)}/64"


def is_own_request(site: str | None, origin: str | None, host: str) -> bool:
    """Whether a browser says that a form or script of our own pages sent a request (absent headers say nothing)."""
    if site is not None and site not in {"same-origin", "none"}:
        return False
    try:
        return origin is None or urlsplit(origin).netloc == host
    except ValueError:
        return False


# --- how old, how fresh -------------------------------------------------------------------------------------------


def age_text(age: timedelta) -> str:
    """An age in words: the two largest units that matter."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min ago"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004 - a day
        return f"{hours} h {minutes:02} min ago"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h ago"


# --- charts -------------------------------------------------------------------------------------------------------

MOST_POINTS: Final = 300
"""A line has at most about this many points; more can't be seen at this width."""
_SPARSE: Final = timedelta(minutes=30)
_SHORTEST_GAP: Final = timedelta(minutes=5)
_MISSED_IN_A_ROW: Final = 3


class Point(NamedTuple):
    """A value at a moment, in seconds since the chart's left edge. ``side``: it is a bound; the truth lies there."""

    second: float
    value: float
    side: Side = ""


def gap_after(points: Sequence[Point]) -> float:
    """Seconds between two neighbours from which the line must break: data is missing there."""
    steps = sorted(after.second - before.second for before, after in pairwise(points))
    if not steps:
        return _SHORTEST_GAP.total_seconds()
    return max(_MISSED_IN_A_ROW * steps[len(steps) // 2], _SHORTEST_GAP.total_seconds())


def is_sparse(points: Sequence[Point]) -> bool:
    """Whether values stand alone (a cuff, a scale), so that a line between them would claim what nobody measured."""
    return gap_after(points) > _MISSED_IN_A_ROW * _SPARSE.total_seconds()


def runs_of(points: Sequence[Point]) -> list[list[Point]]:
    """``points`` (in time order) cut wherever data is missing."""
    gap = gap_after(points)
    runs: list[list[Point]] = []
    for point in points:
        if runs and point.second - runs[-1][-1].second <= gap:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def thin_out(run: Sequence[Point], most: int) -> list[Point]:
    """At most about ``most`` points of a run: first, lowest, highest and last of each stretch, no peak lost."""
    if len(run) <= max(most, 4):
        return list(run)
    stretches = max(most // 4, 1)
    kept: list[Point] = []
    for number in range(stretches):
        stretch = run[number * len(run) // stretches : (number + 1) * len(run) // stretches]
        peaks = (min(stretch, key=lambda point: point.value), max(stretch, key=lambda point: point.value))
        kept.extend(sorted({stretch[0], *peaks, stretch[-1]}))
    return kept


def lines_of(points: Sequence[Point], most: int = MOST_POINTS) -> list[list[Point]]:
    """The pieces of line to draw for a day's points: broken at gaps, thinned to about ``most`` points in all."""
    return [thin_out(run, most * len(run) // max(len(points), 1)) for run in runs_of(points)]
