"""The open anomaly on a person's page: which vitals it rests on, their levels, their usual, and how far apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.presentation import presentation_of
from schemas.vitals import VITAL_BY_CODE
from services.api.charts import Window
from services.api.console import Console
from services.sentences.catalogue import Deviation, deviations_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OddVital:
    """In words, with the vital's unit. ``usual`` and ``difference`` are "" where the person's usual is not known."""

    label: str
    level: str
    usual: str
    difference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAnomaly:
    """What was found at ``at`` and is not over; ``paused_at``: when it paused last, None for never."""

    at: datetime
    paused_at: datetime | None
    vitals: Sequence[OddVital]


async def anomaly_of(console: Console, person_no: int, window: Window) -> OpenAnomaly | None:
    """The open anomaly of a person at the end of the window; None where there is none."""
    row = await console.pool.fetchrow(console.sql["open_anomaly"], person_no, window.ends_at)
    if row is None:
        return None
    vitals = [_in_words(one) for one in deviations_of(row["facts"] or {})]
    return OpenAnomaly(at=row["observed_at"], paused_at=row["paused_at"], vitals=vitals)


def _in_words(one: Deviation) -> OddVital:
    shown = presentation_of(VITAL_BY_CODE[one.code])
    level = f"{shown.number(one.level)} {shown.unit_words}"
    if one.from_usual is None:
        return OddVital(label=shown.label, level=level, usual="", difference="")
    # Of the numbers as they are shown, so that they add up.
    usual = float(shown.number(one.level - one.from_usual))
    apart = float(shown.number(one.level)) - usual
    side = "above" if apart > 0 else "below"
    difference = shown.number(abs(apart))
    return OddVital(
        label=shown.label,
        level=level,
        usual=f"{shown.number(usual)} {shown.unit_words}",
        difference=f"{difference} {side}" if float(difference) else "as usual",
    )
