"""People at home for the anomaly model: simulated ones, and recorded pulse and breathing with simulated companions.

What is simulated is made in memory, the same for the same seed. Usual values are drawn wider than the simulator's, over
what older adults at home have who are well, so that nobody is odd for being somebody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

import numpy as np

from device_sim.chance import dice
from device_sim.physiology import MINUTE_MS, PROCESS_OF, Body, effort, make_body
from schemas.reasons import Flag
from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC, Vital
from services.score.models.anomaly import FEATURES, Asked
from services.score.rule import HOUR_MS
from tests.proving.alarms.recordings import Row, worn
from tests.proving.scorecard.pulse import MOVING_G
from tests.proving.scorecard.simulated_homes import DAY_MS, START_MS
from tests.proving.training.anomaly import PersonRows

_ZONE: Final = "Europe/Berlin"
_EVERY_MS: Final = 10 * MINUTE_MS
"""Of a band at rest: hours are averaged, so more values would change little."""
_STILL_MS: Final = (0, 2 * MINUTE_MS, 4 * MINUTE_MS)
"""Before a value nobody has walked at these moments: a walk covers five minutes."""
_CUFF_H: Final = (8, 20)
"""When cuff and thermometer are used, in hours of the wall clock."""
_IMPUTED: Final = 36
"""Of a person with fewer hours than three half days little is recorded; the rest was imputed."""

WOBBLE: Final[Mapping[str, float]] = MappingProxyType(
    {"heart_rate": 8.0, "respiratory_rate": 2.5, "spo2": 1.0, "body_temperature": 0.2, "systolic": 9.0}
)
"""From hour to hour a simulated person is so much more or less than usual (one standard deviation, in the vital's
unit): pulse and breathing as of the recorded people, the others ours. The simulator's own noise is gone in an hour."""
_WOBBLE_MS: Final = 3 * HOUR_MS
_SMOOTH: Final = 0.37
"""The standard deviation of the simulator's smooth noise."""

Measured = tuple[int, Vital, float]
"""When, in ms, and what, in its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """An illness as it may begin: from ``at_ms`` on all vitals move for ``rises_ms`` to so much more, and stay.

    ``by``: how much more, by the code of a vital, in its unit.
    """

    at_ms: int
    by: Mapping[str, float]
    rises_ms: int = 6 * HOUR_MS

    def of(self, vital: Vital, at: int) -> float:
        """How much more at ``at``."""
        share = min(1.0, max(0.0, (at - self.at_ms) / self.rises_ms))
        return share * self.by.get(vital.code, 0.0)


def make_person(seed: int, person: str) -> Body:
    """Somebody with usual values of older adults who are well.

    Spreads are ours; temperature is that of nursing homes (36.5 °C, 0.3; High et al., Clin Infect Dis 2009, 48:149).
    """
    draw = dice(seed, "home", person)
    return replace(
        make_body(seed, person, _ZONE),
        resting_heart_rate=_drawn(draw, 72, 9, 52, 98),
        spo2=_drawn(draw, 96, 1.4, 92.5, 98),
        respiratory_rate=_drawn(draw, 16, 2.2, 12, 20),
        temperature=_drawn(draw, 36.5, 0.3, 35.8, 37.1),
        systolic=_drawn(draw, 132, 13, 102, 165),
    )


def simulated(body: Body, days: int, *, drift: Drift | None = None) -> Iterator[Measured]:
    """What a band at rest, a cuff and a thermometer say of somebody."""
    vitals = (HEART_RATE, SPO2, RESPIRATORY_RATE)
    for at in range(START_MS, START_MS + days * DAY_MS, _EVERY_MS):
        if not any(effort(body, at - before).walking for before in _STILL_MS):
            yield from _values(body, at, vitals, drift)
        if _is_cuff_time(body, at):
            yield from _values(body, at, (SYSTOLIC, BODY_TEMPERATURE), drift)


def recorded(rows: Sequence[Row], companion: Body) -> Iterator[Measured]:
    """Pulse and breathing at rest as recorded; oxygen, temperature and pressure are the companion's."""
    for row in rows:
        at = START_MS + round(row.minute * MINUTE_MS)
        if row.flags & Flag.MOVING:
            continue
        for vital in (HEART_RATE, RESPIRATORY_RATE):
            if vital.code in row.values:
                yield at, vital, row.values[vital.code]
        yield from _values(companion, at, (SPO2,), None)
        if _is_cuff_time(companion, at):
            yield from _values(companion, at, (SYSTOLIC, BODY_TEMPERATURE), None)


def worn_at_home(path: Path) -> Mapping[str, Sequence[Row]]:
    """People with enough that was measured and not imputed, by name."""
    return {
        person: rows
        for person, rows in worn(path.parent, MOVING_G).items()
        if len({row.minute // 60 for row in rows if len(row.values) > 1}) >= _IMPUTED
    }


def rows_of(measured: Iterator[Measured]) -> PersonRows:
    """The features of a person who stays well, hour by hour: the product's own, from one value after the other."""
    asked, rows, hours, first, last = Asked(), [], [], 0, 0
    for at, vital, value in measured:
        first = first or at // HOUR_MS
        last = at // HOUR_MS
        row = asked.ask(vital.number, value, at)
        if row is not None:
            rows.append(row)
            hours.append(last - first)
    return PersonRows(
        rows=np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)),
        hours=np.array(hours, dtype=np.int64),
        length=last - first + 1,
        becomes_ill=np.zeros(len(rows), dtype=bool),
    )


def _values(body: Body, at: int, vitals: Sequence[Vital], drift: Drift | None) -> Iterator[Measured]:
    for vital in vitals:
        process = PROCESS_OF[vital.code]
        wobble = WOBBLE[vital.code] / _SMOOTH * body.noise(f"wobble {vital.code}").smooth(at, _WOBBLE_MS)
        more = wobble + (drift.of(vital, at) if drift else 0.0)
        yield at, vital, round(process.value(body, at) + more, process.decimals)


def _is_cuff_time(body: Body, at: int) -> bool:
    hour = body.local_hour(at)
    return any(0 <= hour - one < _EVERY_MS / HOUR_MS for one in _CUFF_H)


def _drawn(draw: Random, middle: float, spread: float, lowest: float, highest: float) -> float:
    return min(highest, max(lowest, draw.gauss(middle, spread)))
