"""What so many people send and look at. Pure. The habits are our assumption, and the page says so."""

from dataclasses import dataclass
from typing import Final

DEVICES_A_PERSON: Final = 3
"""A band, a cuff, and one of scale, glucose monitor, dispenser and robot; each with a connection of its own."""
READINGS_A_BAND_UPLINK: Final = 4
_BAND_EVERY_S: Final = 60
_MONITORS: Final = 0.2
"""So many of all people wear a glucose monitor, which sends one reading at a time."""
_MONITOR_EVERY_S: Final = 300
_SELDOM_A_DAY: Final = 24
"""Uplinks of everything else: cuff, scale, doses, signs of life, falls; a reading or an event each."""
DOSES_AT_EIGHT: Final = 0.25
"""So many of all people have a dose at eight in the morning in a dispenser."""
PEOPLE_A_DOCTOR: Final = 500
"""As many as the worklist was measured with."""
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Demand:
    """Of ``people`` who are all watched."""

    people: int

    @property
    def devices(self) -> int:
        """Registered, each connected all the time."""
        return DEVICES_A_PERSON * self.people

    @property
    def uplinks_per_s(self) -> float:
        """On average over a day."""
        return self.people * (1 / _BAND_EVERY_S + _MONITORS / _MONITOR_EVERY_S + _SELDOM_A_DAY / _DAY_S)

    @property
    def readings_per_s(self) -> float:
        """The same."""
        other = _MONITORS / _MONITOR_EVERY_S + _SELDOM_A_DAY / _DAY_S
        return self.people * (READINGS_A_BAND_UPLINK / _BAND_EVERY_S + other)

    @property
    def readings_a_year(self) -> float:
        """Of 365 days."""
        return self.readings_per_s * _DAY_S * 365

    @property
    def doses_at_once(self) -> int:
        """Due in one moment, where all of them live in one time zone."""
        return round(self.people * DOSES_AT_EIGHT)

    @property
    def doctors(self) -> int:
        """Who look at their worklists, all of them at the same time at worst."""
        return -(-self.people // PEOPLE_A_DOCTOR)


PLACES: Final = {"county": Demand(20_000), "city": Demand(1_000_000), "country": Demand(100_000_000)}
