"""The case table of every rule: what fires it, what doesn't, the boundary, missing data."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from tests.unit.services.score.story import series, uplink


class Kind(StrEnum):
    """What a case shows about its rule."""

    FIRES = "fires"
    DOES_NOT = "does not"
    BOUNDARY = "boundary"
    MISSING_DATA = "missing data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``records`` lead to the findings ``expected``: level and minute of each."""

    rule: str
    kind: Kind
    story: str
    records: list[JudgedUplink]
    expected: list[tuple[int, float]]


def held(value: float, first: int, last: int) -> list[tuple[float, float]]:
    """The same value each minute from one to another, both included."""
    return [(number, value) for number in range(first, last + 1)]


def rate(*parts: tuple[float, int, int]) -> list[JudgedUplink]:
    """Heart rates, once a minute, of ``(value, first, last)``."""
    return series("heart_rate", [sample for value, first, last in parts for sample in held(value, first, last)])


def oxygen(*parts: tuple[float, int, int]) -> list[JudgedUplink]:
    """Saturations, once a minute, of ``(value, first, last)``."""
    return series("spo2", [sample for value, first, last in parts for sample in held(value, first, last)])


def sugar(*values: float, every: float = 5) -> list[JudgedUplink]:
    """Glucose values, each five minutes."""
    return series("glucose", [(number * every, value) for number, value in enumerate(values)])


def walking(steps_at: float) -> JudgedUplink:
    """Steps at a minute, from another place of the sequence."""
    return uplink(1000, steps_at, {"steps": 40})


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
Row = tuple[Kind, str, list[JudgedUplink], list[tuple[int, float]]]
_HEART_RATE: list[Row] = [
    (F, "125 for ten minutes", rate((80, 0, 5), (125, 6, 20)), [(1, 16)]),
    (F, "150 is level 2 at once", rate((80, 0, 0), (139, 1, 1), (150, 2, 20)), [(2, 11)]),
    (F, "38 for ten minutes", rate((60, 0, 0), (38, 1, 12)), [(1, 11)]),
    (F, "33 is level 2", rate((60, 0, 0), (33, 1, 12)), [(2, 11)]),
    (F, "it rises: level 2 ignores the refractory time", rate((125, 0, 12), (140, 13, 30)), [(1, 10), (2, 23)]),
    (F, "back below 110 for ten minutes ends it", rate((125, 0, 12), (90, 13, 30)), [(1, 10), (0, 23)]),
    (
        F,
        "a third implausible reading in a row is believed",
        series("heart_rate", [(0, 60), *[(n / 6, 130) for n in range(1, 64)]]),
        [(1, 10.5)],
    ),
    (
        F,
        "too fast, then too slow is another episode",
        rate((125, 0, 12), (65.5, 13, 13), (38, 14, 35)),
        [(1, 10), (0, 23), (1, 24)],
    ),
    (D, "a normal day", rate((72, 0, 60)), []),
    (D, "nine minutes are not ten", rate((80, 0, 5), (125, 6, 15), (80, 16, 40)), []),
    (D, "walking until a minute before", [walking(-1), *rate((125, 0, 18))], []),
    (D, "the band says active", series("heart_rate", held(150, 0, 60), flags=int(Flag.MOVING)), []),
    (D, "poor contact", series("heart_rate", held(150, 0, 60), flags=int(Flag.POOR_QUALITY)), []),
    (D, "a clock that jumped", series("heart_rate", held(150, 0, 60), flags=int(Flag.JUMPED)), []),
    (D, "somebody of another home", series("heart_rate", held(150, 0, 60), flags=int(Flag.OTHER_HOME)), []),
    (D, "a repeat within the hour", rate((125, 0, 12), (90, 13, 30), (125, 31, 60)), [(1, 10), (0, 23)]),
    (B, "a repeat when the hour is over", rate((125, 0, 12), (90, 13, 30), (125, 31, 75)), [(1, 10), (0, 23), (1, 70)]),
    (B, "120 is not above 120", rate((120, 0, 30)), []),
    (B, "40 is not below 40", rate((40, 0, 30)), []),
    (B, "131 is level 2, 130 is not", [*rate((130, 0, 10)), uplink(50, 11, {"heart_rate": 131})], [(1, 10)]),
    (B, "131 for ten minutes", rate((131, 0, 10)), [(2, 10)]),
    (B, "ten minutes after the last step", [walking(-10), *rate((125, 0, 10))], [(1, 10)]),
    (B, "111 does not end it, 110 does", rate((125, 0, 10), (111, 11, 40), (110, 41, 60)), [(1, 10), (0, 51)]),
    (M, "a gap over six minutes is not persistence", rate((125, 0, 5), (125, 13, 20)), []),
    (M, "two cuff readings ten hours apart", rate((125, 0, 0), (125, 600, 600)), []),
    (M, "one reading", rate((150, 0, 0)), []),
    (M, "an hour without readings closes the episode", rate((125, 0, 12), (125, 80, 100)), [(1, 10), (0, 80), (1, 90)]),
]
_SPO2: list[Row] = [
    (F, "92 for three minutes", oxygen((96, 0, 5), (92, 6, 12)), [(1, 9)]),
    (F, "86 for three minutes is level 2", oxygen((96, 0, 5), (86, 6, 12)), [(2, 9)]),
    (F, "back at 94 for five minutes ends it", oxygen((88, 0, 5), (95, 6, 15)), [(2, 3), (0, 11)]),
    (F, "it falls further", oxygen((92, 0, 5), (90, 6, 15)), [(1, 3), (2, 9)]),
    (D, "a normal night", oxygen((95, 0, 60)), []),
    (D, "a dip of two minutes", oxygen((95, 0, 5), (88, 6, 8), (95, 9, 20)), []),
    (D, "while walking", series("spo2", held(85, 0, 30), flags=int(Flag.MOVING)), []),
    (D, "one value that no body could reach", oxygen((97, 0, 5), (60, 6, 6), (97, 7, 20)), []),
    (B, "93 is not 92", oxygen((93, 0, 30)), []),
    (B, "91 is level 2", oxygen((91, 0, 3)), [(2, 3)]),
    (B, "93 does not end it", oxygen((92, 0, 5), (93, 6, 30)), [(1, 3)]),
    (M, "a gap over six minutes", oxygen((88, 0, 2), (88, 9, 11)), []),
    (M, "two readings are too few", series("spo2", [(0, 88), (5, 88)]), []),
]
_GLUCOSE_LOW: list[Row] = [
    (F, "65 for fifteen minutes", sugar(100, 65, 66, 64, 65), [(1, 20)]),
    (F, "50 is both levels", sugar(80, 50, 50, 50, 50), [(1, 20), (2, 20)]),
    (F, "fifteen minutes at 70 or above end it", sugar(65, 65, 65, 65, 80, 80, 80, 80), [(1, 15), (0, 35)]),
    (F, "a rise of ten minutes does not interrupt it", sugar(65, 80, 80, 65), [(1, 15)]),
    (
        F,
        "the next one is another episode",
        sugar(60, 60, 60, 60, 90, 90, 90, 90, 60, 60, 60, 60),
        [(1, 15), (0, 35), (1, 55)],
    ),
    (
        F,
        "steps never remove a reading",
        series("glucose", [(5 * n, 60) for n in range(4)], flags=int(Flag.MOVING)),
        [(1, 15)],
    ),
    (
        F,
        "nor does the sensor's own limit",
        series("glucose", [(5 * n, 39) for n in range(4)], flags=int(Flag.CLIPPED)),
        [(1, 15), (2, 15)],
    ),
    (D, "a normal day", sugar(*[110, 130, 170, 140] * 20), []),
    (D, "ten minutes are not fifteen", sugar(100, 65, 65, 65, 80, 80, 80, 80), []),
    (B, "70 is not below 70", sugar(70, 70, 70, 70, 70), []),
    (B, "54 is level 1", sugar(54, 54, 54, 54, 54), [(1, 15)]),
    (B, "fourteen minutes and 59 seconds", series("glucose", [(0, 60), (14.98, 60)]), []),
    (B, "fifteen minutes", series("glucose", [(0, 60), (15, 60)]), [(1, 15)]),
    (B, "70 counts towards the end", sugar(60, 60, 60, 60, 70, 70, 70, 70), [(1, 15), (0, 35)]),
    (M, "a gap over 30 min closes it", series("glucose", [(0, 60), (15, 60), (46, 60)]), [(1, 15), (0, 46)]),
    (M, "a gap of 30 min does not", series("glucose", [(0, 60), (15, 60), (45, 60)]), [(1, 15)]),
    (M, "a gap closes a candidate", series("glucose", [(0, 60), (31, 60), (40, 60)]), []),
]
_SOS: list[Row] = [
    (F, "a press", [uplink(0, 5, events=["sos_pressed"])], [(1, 5)]),
    (F, "a press with a clock that jumped", [uplink(0, 5, events=["sos_pressed"], flags=int(Flag.JUMPED))], [(1, 5)]),
    (
        F,
        "a press of nobody in particular",
        [uplink(0, 5, events=["sos_pressed"], person=0, flags=int(Flag.NOBODY))],
        [(1, 5)],
    ),
    (
        F,
        "a press that comes two days late",
        [uplink(0, 5, {"heart_rate": 70}), uplink(1, -2880, events=["sos_pressed"])],
        [(1, -2880)],
    ),
    (
        D,
        "another press belongs to the same call",
        [uplink(n, 5 * n, events=["sos_pressed"]) for n in range(6)],
        [(1, 0)],
    ),
    (D, "an answer is no call", [uplink(0, 5, events=["check_in_answered"])], []),
    (B, "ten minutes later", [uplink(n, 10 * n, events=["sos_pressed"]) for n in range(2)], [(1, 0)]),
    (
        B,
        "more than ten minutes later",
        [uplink(n, 10.02 * n, events=["sos_pressed"]) for n in range(2)],
        [(1, 0), (1, 10.02)],
    ),
    (M, "the uplink before it never came", [uplink(8, 5, events=["sos_pressed"])], [(1, 5)]),
]
RETAINED = int(Flag.RETAINED)


def steps(*values: float, every: float = 5) -> list[JudgedUplink]:
    """Steps, each five minutes."""
    return series("steps", [(number * every, value) for number, value in enumerate(values)])


def flagged(*minutes: float, plain: tuple[float, ...] = ()) -> list[JudgedUplink]:
    """Uplinks with the retain flag, and others after them without."""
    with_flag = [uplink(n, at, {"spo2": 97}, flags=RETAINED) for n, at in enumerate(minutes)]
    return with_flag + [uplink(100 + n, at, {"spo2": 97}) for n, at in enumerate(plain)]


_DAY = 24 * 60
_TOTAL = (200, 200, 340, 340, 340, 410, 500, 500, 500, 500, 500, 500)
_NEW_DAY = (510, 0, 0, 20, 20, 90, 120, 120, 300, 310, 320, 330, 340, 350, 360)
_WITH_A_GAP = [(5 * n + (1500 if n > 5 else 0), value) for n, value in enumerate(_TOTAL)]
_FIRMWARE: list[Row] = [
    (F, "an uplink with the retain flag", flagged(3), [(1, 3)]),
    (F, "it is reported once", flagged(3, 4, 5, 900), [(1, 3)]),
    (F, "a day without the flag ends it", flagged(3, plain=(10, 3 + _DAY)), [(1, 3), (0, 3 + _DAY)]),
    (
        F,
        "and then it is another episode",
        [*flagged(3, plain=(3 + _DAY,)), uplink(9, 3000, {"spo2": 97}, flags=RETAINED)],
        [(1, 3), (0, 3 + _DAY), (1, 3000)],
    ),
    (F, "steps that only grow", steps(*_TOTAL), [(1, 55)]),
    (F, "a total that begins anew at midnight is the same one", steps(*_TOTAL, *_NEW_DAY), [(1, 55)]),
    (F, "increments after all", steps(*_TOTAL, 30, 0, 40, 12, 0, 7), [(1, 55), (0, 75)]),
    (D, "an ordinary day of steps", steps(*[0, 12, 40, 5, 0, 0, 130, 90, 3, 0] * 20), []),
    (D, "the same number again and again is nothing wrong yet", steps(*[60] * 40), []),
    (D, "no flag", flagged(plain=(1, 2, 3)), []),
    (B, "eleven readings are too few", steps(*_TOTAL[:11]), []),
    (B, "two rises are too few", steps(200, 200, 200, 200, 200, 300, 300, 300, 300, 300, 400, 400, 400), []),
    (B, "a minute less than a day", flagged(3, plain=(2 + _DAY,)), [(1, 3)]),
    (M, "a total with a gap of a day is one all the same", series("steps", _WITH_A_GAP), [(1, 1555)]),
    (M, "late readings are no drop", [*steps(*_TOTAL), uplink(900, 2, {"steps": 3})], [(1, 55)]),
]
_TABLES = {
    "heart_rate": _HEART_RATE,
    "spo2": _SPO2,
    "glucose_low": _GLUCOSE_LOW,
    "sos": _SOS,
    "firmware": _FIRMWARE,
}
CASES = [
    Case(rule=rule, kind=kind, story=story, records=records, expected=expected)
    for rule, rows in _TABLES.items()
    for kind, story, records, expected in rows
]
"""Falls and silence are decided by rows of the database: their cases stand in tests/integration/score_cases.py."""
