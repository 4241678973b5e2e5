"""Who leaves when, how, and for how long; the same every time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final, Literal

Way = Literal["kill", "stop"]

_IN_TURN: Final = (
    "store-1", "score-1", "store", "score", "ingest-1", "store-1",
    "score-1", "store", "score", "alert-1", "medication-1", "api-1",
)  # fmt: skip
_WAYS: Final[Sequence[Way]] = ("kill", "stop")
_AWAY_S: Final = (13.0, 13.0, 1.0, 1.0, 5.0, 5.0)
"""Longer than a session, so that the others take over; a restart; and between the two. Nobody is away for so long that
the other instance of its service leaves meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An instance leaves ``at_s`` after the beginning and joins again ``away_s`` later."""

    instance: str
    way: Way
    at_s: float
    away_s: float


def plan(changes: int, *, every_s: float) -> list[Change]:
    """So many changes; stores and scorers have their turn most often."""
    turns = zip(cycle(_IN_TURN), cycle(_WAYS), cycle(_AWAY_S), strict=False)
    return [
        Change(instance=instance, way=way, at_s=every_s * number, away_s=away_s)
        for number, (instance, way, away_s) in enumerate(islice(turns, changes))
    ]
