"""How often the same has come before: counted by local days and nights, with "third night in a row". Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

NIGHT_BEGINS: Final = time(22)
NIGHT_ENDS: Final = time(7)
"""Ours; local time. A night belongs to the day on which it began."""
LOOKED_BACK: Final = timedelta(days=30)
"""How far a concern's history goes back."""
_HALF_A_DAY: Final = timedelta(hours=12)
_DAY: Final = timedelta(days=1)
_ORDINALS: Final = ("Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")
_TEENS: Final = range(11, 14)

Part = Literal["night", "day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """``episodes`` began on ``days`` local days; the newest in a ``part`` of the day that it has come in ``in_a_row``.

    ``in_a_row`` is 1 where the night (or day) before had none, and 0 where nothing has begun at all.
    """

    episodes: int
    days: int
    part: Part
    in_a_row: int

    @property
    def streak(self) -> str:
        """As in "Third night in a row"; nothing where it is the first."""
        return f"{_ordinal(self.in_a_row)} {self.part} in a row" if self.in_a_row > 1 else ""


def recurrence_of(onsets: Sequence[datetime], zone: ZoneInfo) -> Recurrence:
    """Of episodes that began at ``onsets``, in any order."""
    if not onsets:
        return Recurrence(episodes=0, days=0, part="day", in_a_row=0)
    places = [place_of(onset, zone) for onset in onsets]
    part, newest = place_of(max(onsets), zone)
    held = {day for one, day in places if one == part}
    in_a_row = 0
    while newest - in_a_row * _DAY in held:
        in_a_row += 1
    days = {onset.astimezone(zone).date() for onset in onsets}
    return Recurrence(episodes=len(onsets), days=len(days), part=part, in_a_row=in_a_row)


def place_of(moment: datetime, zone: ZoneInfo) -> tuple[Part, date]:
    """Whether a moment lies in a night, and in that of which day; or on which day."""
    local = moment.astimezone(zone)
    if local.time() >= NIGHT_BEGINS or local.time() < NIGHT_ENDS:
        # By the wall clock: what follows midnight is still the night of the day before.
        return "night", (local.replace(tzinfo=None) - _HALF_A_DAY).date()
    return "day", local.date()


def _ordinal(number: int) -> str:
    if number < len(_ORDINALS) + 2:
        return _ORDINALS[number - 2]
    ending = "th" if number % 100 in _TEENS else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
