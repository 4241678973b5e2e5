"""How people keep to what they should do: doses in time, late or not at all; bands left on the table. Pure."""

from dataclasses import dataclass
from typing import Final

from device_sim.chance import dice
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span

_DAY_MS: Final = 24 * HOUR_MS
_AFTER_A_YEAR: Final = 0.64 / 0.89
"""Of those who measure their pressure at home for a programme, 89 % do at first, and 64 % after a year (Luscii)."""
_LATE_MIN: Final = (45, 150)
"""A time-critical dose that is taken after its window, and before the next one is due for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherence:
    """Of doses that are due, ``in_time`` are, and half of the others late; bands are ``worn`` so much of the day.

    Four of five doses in time is where pharmacy quality measures begin to call a person adherent (PQA, PDC of 0.80).
    Bands were worn 43 to 98 % of the time in recordings of twelve people; the number between is ours.
    """

    seed: int
    in_time: float = 0.8
    worn: float = 0.8

    @property
    def is_perfect(self) -> bool:
        """Everybody does all that they should."""
        return self.in_time >= 1 <= self.worn

    def still_measures(self, days: float) -> float:
        """The share that people measure after so many days, of what they did in the beginning."""
        return 1.0 if self.is_perfect else _AFTER_A_YEAR ** (max(0.0, days) / 365)

    def dose_late_ms(self, device: str, due_ms: int) -> int | None:
        """How late a time-critical dose is taken: 0 for in time, None for not at all."""
        draw = dice(self.seed, "kept", device, due_ms)
        chance = draw.random()
        if chance < self.in_time:
            return 0
        return draw.randrange(*_LATE_MIN) * MINUTE_MS if chance < (1 + self.in_time) / 2 else None

    def off_body(self, device: str, at_ms: int) -> Span:
        """When the band lies on the table on the day of ``at_ms``: some whole hours of it, more or fewer of them."""
        day = at_ms // _DAY_MS
        draw = dice(self.seed, "off", device, day)
        share = (1 - self.worn) * draw.uniform(0.5, 1.5)
        first = day * _DAY_MS + draw.randrange(24) * HOUR_MS
        return Span(first, min(first + round(24 * share) * HOUR_MS, (day + 1) * _DAY_MS))


PERFECT: Final = Adherence(seed=0, in_time=1.0, worn=1.0)
