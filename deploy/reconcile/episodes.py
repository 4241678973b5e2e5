"""Low-glucose episodes straight from recorded data, and their comparison with what the platform found.

Level 1 is below 70 mg/dL (level 2 included), level 2 below 54. An episode runs from its first to its last reading
below the limit and counts from 15 min; it ends after 15 min at or above 70; a gap of more than 30 min closes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

import asyncpg

from schemas.glucose_events import glucose_events
from schemas.reasons import NOT_SCORED
from schemas.vitals import GLUCOSE

LIMITS: Final[Mapping[int, float]] = {1: 70.0, 2: 54.0}
RECOVERED: Final = 70.0
LASTS_MS: Final = 15 * 60_000
GAP_MS: Final = 30 * 60_000

Samples = Sequence[tuple[int, float]]
"""``(ms, mg/dL)``, ascending."""
Key = tuple[str, int, int]
"""Person, level, time of the first reading below, in ms."""

_READINGS: Final = """
select p.person_id::text as person_id, (extract(epoch from r.observed_at) * 1000)::bigint as at, r.value
from readings r join people p using (person_no)
where r.vital = $1 and r.flags & $2 = 0
order by p.person_id, r.observed_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``differences`` names each missed and each extra episode."""

    expected: int
    matched: int
    missed: int
    extra: int
    differences: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Matched / (expected + extra); 1 where there was nothing to find."""
        return self.matched / (self.expected + self.extra) if self.expected + self.extra else 1.0


def episodes(samples: Samples, limit: float) -> list[tuple[int, int]]:
    """``(first below, last below)`` of every episode that counts."""
    runs: list[tuple[int, int]] = []
    first = last = recovering = None
    previous = None
    for at, value in samples:
        over = previous is not None and at - previous > GAP_MS
        previous = at
        if first is not None and last is not None and over:
            runs.append((first, last))
            first = recovering = None
        if value < limit:
            first, last, recovering = (at if first is None else first), at, None
        elif first is not None and last is not None and value >= RECOVERED:
            recovering = at if recovering is None else recovering
            if at - recovering >= LASTS_MS:
                runs.append((first, last))
                first = recovering = None
        else:
            recovering = None
    if first is not None and last is not None:
        runs.append((first, last))
    return [(start, end) for start, end in runs if end - start >= LASTS_MS]


def expected_episodes(people: Mapping[str, Samples]) -> set[Key]:
    """Every episode of every person."""
    return {
        (person, level, first)
        for person, samples in people.items()
        for level, limit in LIMITS.items()
        for first, _ in episodes(samples, limit)
    }


async def found_episodes(dsn: str) -> set[Key]:
    """What a report of the platform counts, in the readings that it has."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_READINGS, GLUCOSE.number, int(NOT_SCORED))
    finally:
        await connection.close()
    return {
        (person, event.level, event.first_at)
        for person, of_person in groupby(rows, key=itemgetter("person_id"))
        for event in glucose_events((row["at"], row["value"]) for row in of_person)
    }


def compare_episodes(expected: set[Key], found: set[Key]) -> Comparison:
    """By person, level and first reading below."""
    missed, extra = expected - found, found - expected
    return Comparison(
        expected=len(expected),
        matched=len(expected & found),
        missed=len(missed),
        extra=len(extra),
        differences=tuple(_difference("missed", missed)) + tuple(_difference("extra", extra)),
    )


def _difference(word: str, keys: Iterable[Key]) -> Iterable[str]:
    for key in sorted(keys):
        yield f"{word}: person {key[0]} level {key[1]} first below at {key[2]}"
