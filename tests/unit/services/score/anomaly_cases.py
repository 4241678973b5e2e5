"""The case table of the anomaly rule, by a small forest of people whose vitals are all close to their usual."""

from collections.abc import Mapping

import numpy as np

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.models.anomaly import FEATURES, AnomalyModel
from services.score.rule import HOUR_MS, MINUTE_MS
from services.score.rule_book import RuleBook
from services.score.rules import RULES
from services.score.rules.anomaly import with_model
from tests.proving.training.isolation_forest import fitted_forest
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import START, uplink

_MEDIANS = np.array([72.0, 97.0, 36.6, 125.0, 15.0, 0.0, 0.0, 0.0, 0.0, 0.0])
_SPREADS = np.array([8.0, 1.0, 0.3, 12.0, 2.0, 4.0, 0.7, 0.2, 6.0, 1.0])
_ROWS = np.random.default_rng(5).normal(_MEDIANS, _SPREADS, (2_000, len(FEATURES)))


def model() -> AnomalyModel:
    """Quantiles are those of its own rows, which are not averaged: so it speaks soon."""
    forest = fitted_forest(_ROWS, trees=40, samples=64, seed=1)
    oddness = np.quantile(-forest.scores(_ROWS), np.linspace(0, 1, 101))
    return AnomalyModel(
        forest=forest, medians=_MEDIANS, spreads=_SPREADS, oddness=tuple(oddness.tolist()), on=0.95, off=0.88
    )


MODEL = model()
ANOMALY_BOOK = RuleBook([with_model(MODEL) if rule.name == "anomaly" else rule for rule in RULES])
USUAL: Mapping[str, float] = {"heart_rate": 72, "spo2": 97, "respiratory_rate": 15, "body_temperature": 36.6}
DRIFTED: Mapping[str, float] = {"heart_rate": 104, "spo2": 94, "respiratory_rate": 22, "body_temperature": 37.7}
"""Each within the limits of its rule, and 4 points of NEWS2 together; far from the usual, all to one side."""


def hour(number: float) -> float:
    """Minutes of the story at which an hour of the clock begins."""
    return (-START % HOUR_MS + number * HOUR_MS) / MINUTE_MS


def hours(vitals: Mapping[str, float], first: float, last: float, *, flags: int = Flag.RESTING) -> list[JudgedUplink]:
    """What devices say at rest, twice an hour, from hour ``first`` until before ``last``."""
    return [uplink(round(100 * at), hour(at), vitals, flags=flags) for at in np.arange(first + 0.1, last, 0.5).tolist()]


def without(code: str, vitals: Mapping[str, float]) -> Mapping[str, float]:
    """All of ``vitals`` but one."""
    return {name: value for name, value in vitals.items() if name != code}


_TWO = ("heart_rate", "respiratory_rate")


def two_of(vitals: Mapping[str, float]) -> Mapping[str, float]:
    """Pulse and breathing alone."""
    return {name: vitals[name] for name in _TWO}


def among(some: list[JudgedUplink], others: list[JudgedUplink]) -> list[JudgedUplink]:
    """All of them in the order of reception."""
    return sorted([*some, *others], key=lambda record: record.received_at)


WELL = hours(USUAL, 0, 30)
F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
ANOMALY_CASES: list[Row] = [
    (F, "all four drift, none beyond a limit", [*WELL, *hours(DRIFTED, 30, 40)], [(1, hour(39))]),
    (
        F,
        "and come back",
        [*WELL, *hours(DRIFTED, 30, 40), *hours(USUAL, 40, 55)],
        [(1, hour(39)), (0, hour(48))],
    ),
    (D, "they stay as they are", hours(USUAL, 0, 48), []),
    (D, "one alone is what its own rule is for", [*WELL, *hours({**USUAL, "heart_rate": 104}, 30, 45)], []),
    (D, "in movement", [*WELL, *hours(DRIFTED, 30, 45, flags=Flag.MOVING)], []),
    (
        D,
        "poor readings among good ones",
        among(hours(USUAL, 0, 45), hours(DRIFTED, 30.2, 45, flags=Flag.POOR_QUALITY)),
        [],
    ),
    (B, "seven hours of it", [*WELL, *hours(DRIFTED, 30, 37), *hours(USUAL, 37, 55)], []),
    (
        B,
        "eight hours of it",
        [*WELL, *hours(DRIFTED, 30, 38), *hours(USUAL, 38, 55)],
        [(1, hour(39)), (0, hour(44))],
    ),
    (M, "two vitals are too few", [*hours(two_of(USUAL), 0, 30), *hours(two_of(DRIFTED), 30, 45)], []),
    (
        M,
        "six hours without an hour that can be scored are a pause, and its episode goes on",
        [*WELL, *hours(DRIFTED, 30, 41), *hours(DRIFTED, 49, 52)],
        [(1, hour(39)), (0, hour(46))],
    ),
]
