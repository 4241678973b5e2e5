"""Ten thousand people for score's core alone: a band each, cuffs now and then, a glucose monitor for a fifth. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sin, tau
from random import Random
from typing import Final

from schemas.codec import encode_uplink_record
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import BODY_TEMPERATURE, DIASTOLIC, GLUCOSE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital
from services.score.rule import HOUR_MS, MINUTE_MS

PERIOD_MS: Final = 10_000
"""Each person's band sends so often; whose turn it is goes around, so that uplinks come evenly."""
MONITOR_EVERY_MS: Final = 5 * MINUTE_MS
CUFF_EVERY_MS: Final = 3 * HOUR_MS
"""More often than in life: every row of features is then whole, which is the dearest."""
WITH_MONITOR: Final = 5
"""One in so many people wears a glucose monitor."""
_ON_THE_WAY_MS: Final = 300
_NUMBERS: Final = {one.code: one.number for one in DEVICE_TYPES}
_BANDED: Final = ((HEART_RATE, 72, 14), (SPO2, 96, 2), (RESPIRATORY_RATE, 15, 3), (BODY_TEMPERATURE, 36.6, 0.4))
"""Ours: a middle and how far people lie around it, in the vital's unit."""
_NOISES: Final = 4_093
Received = tuple[int, int, bytes]
"""When an uplink is received, in ms; the number of its home; its record."""


@dataclass(slots=True)
class _Person:
    """What a person's values lie around, and how far each device has counted."""

    usual: tuple[float, ...]
    glucose: float
    phase: float
    band: int = 0
    monitor: int = 0
    cuff: int = 0


class People:
    """``count`` people, each the only one of a home of the same number; ``seed`` gives their values."""

    def __init__(self, count: int, seed: int = 1) -> None:
        """Nobody has sent anything yet."""
        draw = Random(seed)
        self._noise = [draw.gauss(0, 1) for _ in range(_NOISES)]
        self._people = [
            _Person(tuple(draw.gauss(middle, far) for _, middle, far in _BANDED), draw.uniform(100, 160), draw.random())
            for _ in range(count)
        ]
        self.count = count

    def round(self, began_at: int, *, bands: bool = True) -> list[Received]:
        """The uplinks of the ten seconds from ``began_at`` in ms, in the order in which they are received.

        Monitors and cuffs send where it is their turn, everybody's band unless ``bands`` says that none does.
        """
        found: list[Received] = []
        for send, every_ms, places in (
            (self._band, PERIOD_MS, range(self.count if bands else 0)),
            (self._monitor, MONITOR_EVERY_MS, range(0, self.count, WITH_MONITOR)),
            (self._cuff, CUFF_EVERY_MS, range(self.count)),
        ):
            rounds = every_ms // PERIOD_MS
            for place in places[began_at // PERIOD_MS % rounds :: rounds]:
                at = began_at + place * PERIOD_MS // self.count
                found.append((at + _ON_THE_WAY_MS, place + 1, send(self._people[place], place + 1, at)))
        return sorted(found)

    def _band(self, person: _Person, number: int, at: int) -> bytes:
        person.band += 1
        values = [
            (vital, round(usual + far / 6 * self._noisy(number, person.band, item), 1))
            for item, ((vital, _, far), usual) in enumerate(zip(_BANDED, person.usual, strict=True))
        ]
        return _record("wearable_band", number, person.band, at, values)

    def _monitor(self, person: _Person, number: int, at: int) -> bytes:
        person.monitor += 1
        swing = 45 * sin(tau * (at / (5 * HOUR_MS) + person.phase))
        return _record(
            "cgm", number, person.monitor, at,
            [(GLUCOSE, round(person.glucose + swing + 3 * self._noisy(number, person.monitor, 7)))],
        )  # fmt: skip

    def _cuff(self, person: _Person, number: int, at: int) -> bytes:
        person.cuff += 1
        values = [(SYSTOLIC, round(124 + 8 * self._noisy(number, person.cuff, 9))), (DIASTOLIC, 78)]
        return _record("pressure_cuff", number, person.cuff, at, values)

    def _noisy(self, number: int, seq: int, item: int) -> float:
        return self._noise[(number * 7_919 + seq * 31 + item * 1_009) % _NOISES]


def _record(kind: str, number: int, seq: int, at: int, values: Sequence[tuple[Vital, float]]) -> bytes:
    device_type = _NUMBERS[kind]
    readings = tuple(
        JudgedReading(item, number, vital.number, float(value), at, 0) for item, (vital, value) in enumerate(values)
    )
    return encode_uplink_record(
        JudgedUplink(
            number * 1_000 + device_type, f"{kind}-{number}", number, 0, 2**40, seq, 0, at, at + _ON_THE_WAY_MS,
            readings, device_type=device_type,
        )
    )  # fmt: skip
