"""The moments at which doses of a version of a plan are due, from wall-clock times of its zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.wall_clock import moment_of

_ONE_DAY: Final = timedelta(days=1)
_ABOUT_A_DAY: Final = timedelta(hours=26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """``at_times`` of ``zone`` on some local days.

    Those are of ``weekdays`` (1 Monday to 7 Sunday; none: each), a multiple of ``every_days`` from ``anchor``, and from
    ``from_day`` to ``until_day``, both inclusive.
    """

    zone: str
    at_times: tuple[time, ...]
    weekdays: tuple[int, ...] = ()
    every_days: int = 1
    anchor: date | None = None
    from_day: date | None = None
    until_day: date | None = None

    def falls_on(self, day: date) -> bool:
        """Whether the pattern holds on that local day, whatever the first and the last day are."""
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return False
        return self.anchor is None or (day - self.anchor).days % self.every_days == 0

    def holds_on(self, day: date) -> bool:
        """Whether doses are due on that local day."""
        is_over = self.until_day is not None and day > self.until_day
        return not is_over and (self.from_day is None or self.from_day <= day) and self.falls_on(day)


def instants_on(recurrence: Recurrence, day: date) -> list[datetime]:
    """Those of a local day in order; of times that a clock change moves together, one."""
    zone = ZoneInfo(recurrence.zone)
    return sorted({moment_of(day, at, zone) for at in recurrence.at_times})


def due_moments(recurrence: Recurrence, since: datetime, until: datetime) -> Iterator[datetime]:
    """The moments in [``since``, ``until``), in order, each once; the same however a time is divided."""
    seen: datetime | None = None
    for day in _days(recurrence, since, until):
        if recurrence.holds_on(day):
            for due in instants_on(recurrence, day):
                # A day that a zone left out is at the same instant as the next one's beginning.
                if since <= due < until and (seen is None or due > seen):
                    seen = due
                    yield due


def neighbours(recurrence: Recurrence, due: datetime, reach: timedelta) -> tuple[timedelta, timedelta]:
    """How long before and after ``due`` the pattern has another moment; ``reach`` at most.

    The first and the last day of the plan are no matter: the first dose has as much time as the others.
    """
    pattern = Recurrence(
        zone=recurrence.zone,
        at_times=recurrence.at_times,
        weekdays=recurrence.weekdays,
        every_days=recurrence.every_days,
        anchor=recurrence.anchor,
    )
    # Most are within a day or so, with an hour more for a clock change; further away is looked only for the others.
    for near in (min(_ABOUT_A_DAY, reach), reach):
        before = list(due_moments(pattern, due - near, due))
        after = next((one for one in due_moments(pattern, due, due + near) if one > due), None)
        if before and after is not None:
            break
    return due - before[-1] if before else reach, reach if after is None else after - due


def _days(recurrence: Recurrence, since: datetime, until: datetime) -> Iterator[date]:
    """Local days that may hold moments of that time: one more on both sides, for a zone may leave one out."""
    zone = ZoneInfo(recurrence.zone)
    day, last = since.astimezone(zone).date() - _ONE_DAY, until.astimezone(zone).date() + _ONE_DAY
    while day <= last:
        yield day
        day += _ONE_DAY
