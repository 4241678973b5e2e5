"""The case table of NEWS2, and what several devices of one person send."""

from collections.abc import Iterable

from schemas.devices.pressure_cuff import PRESSURE_CUFF
from schemas.devices.thermometer import THERMOMETER
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import uplink

F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA

FIVE = {"heart_rate": 112.0, "respiratory_rate": 22.0, "spo2": 95.0}
"""2, 2 and 1 points: no rule of one vital finds anything."""
FOUR = FIVE | {"spo2": 96.0}
SIX = FIVE | {"spo2": 93.0}
WELL = {"heart_rate": 72.0, "respiratory_rate": 15.0, "spo2": 97.0}
BAND_TYPE = 1


def quarter(number: int) -> float:
    """The minute of a quarter hour: the story begins 100 s before the first one."""
    return (100_000 + number * 900_000) / 60_000


def band(
    values: dict[str, float], first: int, last: int, *, flags: int = 0, every: int = 1, late: float = 0
) -> list[JudgedUplink]:
    """What a band sends each minute from one to another, both included."""
    return [
        uplink(1_000 + at, at, values, flags=flags, device_type=BAND_TYPE, received=at + late)
        for at in range(first, last + 1, every)
    ]


def thermometer(at: float, value: float = 36.6) -> list[JudgedUplink]:
    """36.6 Cel has no points."""
    return [uplink(round(at * 10), at, {"body_temperature": value}, device=41, device_type=THERMOMETER.number)]


def cuff(at: float, systolic: float, *, flags: int = 0) -> list[JudgedUplink]:
    """A reading of a cuff."""
    values = {"systolic": systolic, "diastolic": 70.0}
    return [uplink(round(at * 10), at, values, device=43, device_type=PRESSURE_CUFF.number, flags=flags)]


def heard(at: float) -> list[JudgedUplink]:
    """Another device, so that time passes."""
    return [uplink(900, at, {"weight": 70}, device=42)]


def by_reception(*parts: Iterable[JudgedUplink]) -> list[JudgedUplink]:
    """As they were received."""
    return sorted((record for part in parts for record in part), key=lambda one: one.received_at)


NEWS2_CASES: list[Row] = [
    (F, "5 of four inputs twice", [*thermometer(0), *band(FIVE, 0, 20)], [(1, quarter(1))]),
    (
        F,
        "3 of them of breathing alone",
        [*thermometer(0), *band({"heart_rate": 112, "respiratory_rate": 25, "spo2": 97}, 0, 20)],
        [(1, quarter(1))],
    ),
    (F, "7 at once", [*thermometer(0, 36.0), *band(SIX, 0, 3)], [(2, quarter(0))]),
    (
        F,
        "7 of three inputs, 3 of one alone",
        band({"heart_rate": 112, "respiratory_rate": 25, "spo2": 93}, 0, 3),
        [(2, quarter(0))],
    ),
    (
        F,
        "from 5 to 7",
        [*thermometer(0), *band(FIVE, 0, 20), *band(SIX, 21, 35), *thermometer(36, 35.9), *band(SIX, 37, 50)],
        [(1, quarter(1)), (2, quarter(3))],
    ),
    (
        F,
        "well at two evaluations ends it",
        [*thermometer(0), *band(FIVE, 0, 20), *band(WELL, 21, 50)],
        [(1, quarter(1)), (0, quarter(3))],
    ),
    (
        F,
        "two points more are worse",
        [*thermometer(0, 36.0), *band(SIX, 0, 3), *cuff(5, 95), *band(SIX, 6, 17)],
        [(2, quarter(0)), (2, quarter(1))],
    ),
    (D, "4 points", [*thermometer(0), *band(FOUR, 0, 50)], []),
    (D, "5 of three inputs", band(FIVE, 0, 50), []),
    (D, "5 at one evaluation", [*thermometer(0), *band(WELL, 0, 5), *band(FIVE, 6, 17), *band(WELL, 18, 50)], []),
    (D, "in movement", [*thermometer(0), *band(FIVE, 0, 50, flags=int(Flag.MOVING))], []),
    (D, "poor readings", [*thermometer(0), *band(FIVE, 0, 50, flags=int(Flag.POOR_QUALITY))], []),
    (
        D,
        "a pressure measured without a cuff is no fourth input",
        [*cuff(0, 125, flags=int(Flag.CUFFLESS)), *band(FIVE, 0, 50)],
        [],
    ),
    (B, "6 is level 1", [*thermometer(0), *band(SIX, 0, 20)], [(1, quarter(1))]),
    (
        B,
        "one point more is not worse",
        [*thermometer(0, 36.0), *band(SIX, 0, 3), *cuff(5, 105), *band(SIX, 6, 17)],
        [(2, quarter(0))],
    ),
    (
        B,
        "well at one evaluation does not end it",
        [*thermometer(0), *band(FIVE, 0, 20), *band(WELL, 21, 40)],
        [(1, quarter(1))],
    ),
    (
        M,
        "an evaluation with too few inputs neither counts nor breaks",
        [
            *thermometer(0), *band(FIVE, 0, 1),
            *band({"heart_rate": 112}, 2, 25),
            *band(FIVE, 26, 33),
        ],
        [(1, quarter(2))],
    ),
    (
        M,
        "an hour without an evaluation is a pause",
        [*thermometer(0), *band(FIVE, 0, 20), *heard(120)],
        [(1, quarter(1)), (0, quarter(2) + 60)],
    ),
    (
        M,
        "nothing comes any more, so that time shows the second evaluation",
        [*thermometer(0), *band(FIVE, 0, 10), *heard(33)],
        [(1, quarter(1))],
    ),
    (
        M,
        "a reading of before the second evaluation comes late and is good",
        by_reception(
            [*thermometer(0), *band(FIVE, 0, 20)], [uplink(5, 16.5, {"heart_rate": 72}, device_type=1, received=20.5)]
        ),
        [(1, quarter(1)), (0, 20)],
    ),
]  # fmt: skip
