"""Counts what rules find on recorded people, beside every crossing of the same limits: a table for docs/clinical.md.

Run as ``python -m tests.proving.alarms.count FOLDER``; the folder holds the recordings, which stay outside.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from schemas.alerts import Finding
from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.limits import CONCERN_BY_NAME, LevelLimit
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from tests.proving.alarms.recordings import People, Row, glucose, pressure, records, worn

DAY_MIN: Final = 24 * 60
_GAP_MIN: Final = 30
"""A longer time between two rows is no time in which something was measured."""


@dataclass(frozen=True, slots=True)
class Source:
    """People of a recording, the type of their device, and the concerns that are counted."""

    name: str
    people: People
    device: str
    concerns: Sequence[str]
    per_reading: bool = False


@dataclass(slots=True)
class Found:
    """By concern and level: findings, and episodes that came so far and no further."""

    findings: Counter[tuple[str, int]] = field(default_factory=Counter)
    episodes: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, rows: Sequence[Row], device: str) -> None:
        """What the rules make of a person's rows."""
        state, tally = HomeState(), Tally()
        highest: dict[tuple[str, int], int] = {}
        for record in records(rows, device):
            for effect in step(state, record, tally):
                if isinstance(effect, Finding) and effect.level:
                    self.findings[effect.concern, effect.level] += 1
                    episode = effect.concern, effect.episode
                    highest[episode] = max(effect.level, highest.get(episode, 0))
        self.episodes.update((concern, level) for (concern, _), level in highest.items())


def crossings_of(rows: Sequence[Row], concern: str, level: int) -> int:
    """How often values cross a level's mildest limit at rest, whatever follows and whether they move or not."""
    vital, side = CONCERN_BY_NAME[concern].vital.code, CONCERN_BY_NAME[concern].side
    limit = _mildest(concern, level)
    values = [limit.is_beyond(row.values[vital], side) for row in rows if vital in row.values]
    return sum(now and not before for before, now in zip([False, *values], values, strict=False))


def _mildest(concern: str, level: int) -> LevelLimit:
    side = CONCERN_BY_NAME[concern].side
    limits = DEFAULT_BY_CONDITION[None, concern].levels
    return min((one for one in limits if one.level == level and not one.moving), key=lambda one: one.on * side)


def days_of(rows: Sequence[Row]) -> float:
    """For how long something was measured, in days."""
    apart = (after.minute - before.minute for before, after in pairwise(rows))
    return sum(one for one in apart if one <= _GAP_MIN) / DAY_MIN


def count(source: Source) -> Table:
    """One line a concern and level."""
    total = Found()
    for rows in track(source.people.values(), description=source.name, transient=True):
        total.add(rows, source.device)
    readings = sum(len(rows) for rows in source.people.values())
    measured = readings / 100 if source.per_reading else sum(days_of(rows) for rows in source.people.values())
    unit = "per 100 readings" if source.per_reading else "a measured day"
    table = Table(title=f"{source.name}: {len(source.people)} people, {readings:,} readings, {measured:,.1f} {unit}")
    for title in ("concern", "level", f"episodes {unit}", f"findings {unit}", f"every crossing {unit}"):
        table.add_column(title)
    for concern in source.concerns:
        for level in sorted({one.level for one in DEFAULT_BY_CONDITION[None, concern].levels}):
            crossed = sum(crossings_of(rows, concern, level) for rows in source.people.values())
            numbers = (total.episodes[concern, level], total.findings[concern, level], crossed)
            table.add_row(concern, str(level), *(f"{number / measured:.2f}" for number in numbers))
    return table


def sources(folder: Path) -> Mapping[str, Source]:
    """What there is to count in."""
    pulse = ("heart_rate.fast", "heart_rate.slow", "respiratory_rate.fast", "respiratory_rate.slow")
    cuff = ("blood_pressure.high", "blood_pressure.low")
    return {
        "glucose": Source("Glucose monitors", glucose(folder), "cgm", ("glucose_low", "glucose_high")),
        "worn": Source("Chest straps", worn(folder), "wearable_band", pulse),
        "pressure": Source("Home cuffs", pressure(folder), "pressure_cuff", cuff, per_reading=True),
    }


def main() -> None:
    """Prints a table for each source."""
    for source in sources(Path(sys.argv[1])).values():
        Console().print(count(source))


if __name__ == "__main__":
    main()
