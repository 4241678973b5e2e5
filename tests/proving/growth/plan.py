"""What is generated: who wears what, how many days that takes, and how much disk. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.vitals import VITAL_BY_CODE

BEGIN: Final = datetime(2025, 11, 1, tzinfo=UTC)
"""The first day of the fleet."""
DAY: Final = timedelta(days=1)
STEPS: Final = (1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000)
COPIED_ROWS: Final = 400_000
"""About so many of a step's rows, in whole days, are written as store writes them, and timed."""
BYTES_A_ROW: Final = 260
"""Table, index and write-ahead log left over; measured, rounded up."""
SPARE: Final = 3
"""Free disk is to be so many times what the rows will take."""
_OFF_EVERY: Final = 16
"""A worn device is off its wearer for a sixteenth of the day."""
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A device that one person in ``one_in`` has, the ``rest``-th of them; ``worn`` ones come off every day."""

    code: str
    device_type: str
    every_s: int
    one_in: int
    rest: int
    worn: bool

    @property
    def vitals(self) -> tuple[int, ...]:
        """The numbers of what it measures."""
        return tuple(VITAL_BY_CODE[code].number for code in DEVICE_TYPE_BY_CODE[self.device_type].vitals)

    def owners(self, people: int) -> int:
        """How many of ``people`` have one."""
        return sum(person % self.one_in == self.rest for person in range(1, people + 1))

    def rows_a_day(self, people: int) -> float:
        """Readings of all of them, on average."""
        share = 1 - 1 / _OFF_EVERY if self.worn else 1.0
        return self.owners(people) * len(self.vitals) * _DAY_S / self.every_s * share


MINUTE_BAND: Final = Source(code="band", device_type="wearable_band", every_s=60, one_in=60, rest=1, worn=True)
SOURCES: Final = (
    MINUTE_BAND,
    Source(code="sparing-band", device_type="wearable_band", every_s=300, one_in=20, rest=2, worn=True),
    Source(code="cgm", device_type="cgm", every_s=300, one_in=10, rest=3, worn=False),
    Source(code="cuff", device_type="pressure_cuff", every_s=43_200, one_in=1, rest=0, worn=False),
    Source(code="scale", device_type="scale", every_s=_DAY_S, one_in=1, rest=0, worn=False),
)
"""Few people are measured by the minute, most twice a day: 600 of them make 50 million readings in a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Days ``[first, copied_from)`` are generated in the database, ``[copied_from, until)`` copied as store does."""

    first: int
    copied_from: int
    until: int

    @property
    def ends_at(self) -> datetime:
        """The present of the platform once the step is done."""
        return BEGIN + self.until * DAY


def rows_a_day(people: int) -> float:
    """Readings of the whole fleet, on average."""
    return sum(source.rows_a_day(people) for source in SOURCES)


def steps_to(rows: int) -> tuple[int, ...]:
    """Where to measure on the way to ``rows``."""
    return (*(step for step in STEPS if step < rows), rows)


def steps_of(rows: int, people: int) -> Iterator[Step]:
    """The days of each step; every step has at least one that is generated and one that is copied."""
    daily, first = rows_a_day(people), 0
    for target in steps_to(rows):
        until = max(first + 2, math.ceil(target / daily))
        copied = max(1, min(round(COPIED_ROWS / daily), (until - first) // 2))
        yield Step(first=first, copied_from=until - copied, until=until)
        first = until


def disk_wanted(rows: int) -> int:
    """Bytes that have to be free before the first row is written."""
    return rows * BYTES_A_ROW * SPARE
