"""The case tables of what devices do wrong: their firmware, their clock, their battery."""

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import series, uplink

F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA

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
    (F, "a total that stands at zero for a night is the same one", steps(*_TOTAL, *[0] * 9, 20, 90, 120), [(1, 55)]),
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
AHEAD = int(Flag.CORRECTED_CLOCK)


def clocked(*minutes: float, right: tuple[float, ...] = ()) -> list[JudgedUplink]:
    """Uplinks of a device whose clock is ahead, and others after them of a clock that is right."""
    ahead = [uplink(n, at, {"spo2": 97}, flags=AHEAD) for n, at in enumerate(minutes)]
    return ahead + [uplink(100 + n, at, {"spo2": 97}) for n, at in enumerate(right)]


_CLOCK: list[Row] = [
    (F, "an uplink that had to be corrected", clocked(3), [(1, 3)]),
    (F, "it is reported once", clocked(3, 4, 5, 900), [(1, 3)]),
    (F, "a day with a right clock ends it", clocked(3, right=(10, 3 + _DAY)), [(1, 3), (0, 3 + _DAY)]),
    (
        F,
        "and then it is another episode",
        [*clocked(3, right=(3 + _DAY,)), uplink(9, 3000, {"spo2": 97}, flags=AHEAD)],
        [(1, 3), (0, 3 + _DAY), (1, 3000)],
    ),
    (D, "a right clock", clocked(right=(1, 2, 3)), []),
    (B, "a minute less than a day", clocked(3, right=(2 + _DAY,)), [(1, 3)]),
    (M, "an event is enough", [uplink(0, 3, events=["charging"], flags=AHEAD)], [(1, 3)]),
]
_LOW_BATTERY: list[Row] = [
    (F, "a device says so", [uplink(0, 3, events=["low_battery"])], [(1, 3)]),
    (F, "it is said once", [uplink(n, 3 + n, events=["low_battery"]) for n in range(5)], [(1, 3)]),
    (
        F,
        "it is charged, and low again",
        [
            uplink(n, at, events=[kind])
            for n, (at, kind) in enumerate([(3, "low_battery"), (9, "charging"), (50, "low_battery")])
        ],
        [(1, 3), (0, 9), (1, 50)],
    ),
    (
        F,
        "a day without it ends it",
        [uplink(0, 3, events=["low_battery"]), uplink(1, 3 + _DAY, {"spo2": 97})],
        [(1, 3), (0, 3 + _DAY)],
    ),
    (D, "another event", [uplink(0, 3, events=["charging"])], []),
    (
        B,
        "a minute less than a day",
        [uplink(0, 3, events=["low_battery"]), uplink(1, 2 + _DAY, {"spo2": 97})],
        [(1, 3)],
    ),
    (M, "the uplink before it never came", [uplink(8, 5, events=["low_battery"])], [(1, 5)]),
]

DEVICE_TABLES = {"low_battery": _LOW_BATTERY, "clock": _CLOCK, "firmware": _FIRMWARE}
