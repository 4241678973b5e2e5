"""The case tables of what is wrong with devices: their firmware, their clock, their battery, their commands."""

from schemas.devices import DEVICE_TYPES
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import BAND, series, uplink, word

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
    (F, "its status says so", [word(3, 15)], [(1, 3)]),
    (F, "status and event are one matter", [word(3, 12), uplink(0, 4, events=["low_battery"]), word(5, 9)], [(1, 3)]),
    (F, "charged by its status", [word(3, 14), word(20, 20), word(40, 26), word(90, 15)], [(1, 3), (0, 40), (1, 90)]),
    (F, "charged after it said so", [uplink(0, 3, events=["low_battery"]), word(40, 80)], [(1, 3), (0, 40)]),
    (
        F,
        "on its charger it is not low again, off it at once it is",
        [word(3, 10), uplink(0, 9, events=["charging"]), word(12, 12), word(15, 14), word(18, 13)],
        [(1, 3), (0, 9), (1, 18)],
    ),
    (D, "another event", [uplink(0, 3, events=["charging"])], []),
    (D, "a status of a full one", [word(3, 90), word(9, 16)], []),
    (B, "sixteen percent", [word(3, 16)], []),
    (B, "at twenty-five it is not charged yet", [word(3, 9), word(60, 25)], [(1, 3)]),
    (M, "a status does not say how full it is", [word(3, 9), word(60)], [(1, 3)]),
    (
        M,
        "a status that does not change is not said again, and it is low all the same",
        [word(3, 9), uplink(0, 9 + _DAY, {"spo2": 97})],
        [(1, 3)],
    ),
    (
        B,
        "a minute less than a day",
        [uplink(0, 3, events=["low_battery"]), uplink(1, 2 + _DAY, {"spo2": 97})],
        [(1, 3)],
    ),
    (M, "the uplink before it never came", [uplink(8, 5, events=["low_battery"])], [(1, 5)]),
]


def results(*said: tuple[float, str], device: int = 11) -> list[JudgedUplink]:
    """How commands went, each with its minute."""
    return [
        uplink(n, at, events=["command_result"], details={"command_id": f"c{n}", "result": result}, device=device)
        for n, (at, result) in enumerate(said)
    ]


_COMMAND_FAILED: list[Row] = [
    (F, "a command failed", results((3, "failed")), [(1, 3)]),
    (F, "it is said once", results((3, "failed"), (9, "failed"), (400, "failed")), [(1, 3)]),
    (
        F,
        "one is done, and another fails",
        results((3, "failed"), (9, "done"), (15, "done"), (40, "failed")),
        [(1, 3), (0, 9), (1, 40)],
    ),
    (F, "of each device by itself", [*results((3, "failed")), *results((4, "failed"), device=12)], [(1, 3), (1, 4)]),
    (D, "commands are done", results((3, "done"), (9, "done")), []),
    (D, "one came too late, one is not known", results((3, "expired"), (9, "unsupported")), []),
    (D, "these two end nothing either", results((3, "failed"), (9, "expired"), (15, "unsupported")), [(1, 3)]),
    (B, "done in the same moment", results((3, "failed"), (3, "done")), [(1, 3), (0, 3)]),
    (M, "a failure that is heard of after a later success", results((9, "done"), (3, "failed")), [(1, 3)]),
    (M, "one that is older than what is known", results((3, "failed"), (15, "done"), (9, "failed")), [(1, 3), (0, 15)]),
]

RESTING, POOR = int(Flag.RESTING), int(Flag.POOR_QUALITY)
_TYPES = {one.code: one.number for one in DEVICE_TYPES}
_CGM, _CUFF = _TYPES["cgm"], _TYPES["pressure_cuff"]


def worn(first: float, hours: float, *, then: int = 0, every: float = 20, device: int = BAND) -> list[JudgedUplink]:
    """A pulse at rest for two hours from minute ``first`` on, then for ``hours`` readings with the flags ``then``."""
    end = round(first + 120 + hours * 60)
    return [
        uplink(
            round(first + n * every), first + n * every, {"heart_rate": 70}, device=device,
            flags=RESTING if n * every < 120 else then,
        )
        for n in range(round((end - first) / every))
    ]  # fmt: skip


def off(at: float, kind: str = "not_worn") -> JudgedUplink:
    """A device says that it is off the body."""
    return uplink(10**6 + round(at), at, events=[kind])


def story(*records: list[JudgedUplink] | JudgedUplink) -> list[JudgedUplink]:
    """All of them, as they come."""
    every = [one for some in records for one in (some if isinstance(some, list) else [some])]
    return sorted(every, key=lambda one: one.received_at)


def sensed(hours: float, flags: int) -> list[JudgedUplink]:
    """Glucose of a sensor each five minutes: two hours, then ``hours`` of readings with ``flags``."""
    return [
        uplink(n, 5 * n, {"glucose": 110}, device_type=_CGM, flags=0 if n < 24 else flags)
        for n in range(round(24 + hours * 12))
    ]


_HALF_A_DAY = 720
_WATCH_GAP: list[Row] = [
    (F, "not worn for half a day and heard all the time", story(worn(0, 14), off(110)), [(1, 110 + _HALF_A_DAY)]),
    (F, "on its charger as long", story(worn(0, 14), off(110, "charging")), [(1, 110 + _HALF_A_DAY)]),
    (F, "worn again", story(worn(0, 14), off(110), worn(970, 0)), [(1, 110 + _HALF_A_DAY), (0, 970)]),
    (F, "poor readings alone, an hour after the last good one", worn(0, 16, then=POOR), [(1, 160 + _HALF_A_DAY)]),
    (F, "poor readings of a glucose sensor for six hours", sensed(8, POOR), [(1, 145 + 360)]),
    (
        F,
        "a band that says nothing of the pulse any more",
        story(worn(0, 0), [uplink(5000 + n, n, {"steps": 0}) for n in range(120, 960, 20)]),
        [(1, 160 + _HALF_A_DAY)],
    ),
    (
        F,
        "nothing has come of the pulse for a week",
        story(worn(0, 0), [uplink(5000 + n, n, {"steps": 0}) for n in range(120, 10_300, 30)]),
        [(1, 160 + _HALF_A_DAY), (0, 100 + 7 * _DAY)],
    ),
    (
        F,
        "readings that come late show that somebody was watched",
        story(worn(0, 13), off(110), [
            uplink(9000 + n, 300 + n, {"heart_rate": 71}, device=12, received=850 + n) for n in range(0, 60, 20)
        ]),
        [(1, 110 + _HALF_A_DAY), (0, 300)],
    ),
    (D, "a night on the charger", story(worn(0, 9), off(110, "charging"), worn(660, 3, then=RESTING)), []),
    (D, "worn all day", worn(0, 30, then=RESTING), []),
    (D, "another band is worn meanwhile", story(worn(0, 14), off(110), worn(0, 14, then=RESTING, device=12)), []),
    (B, "a minute less than half a day", story(worn(0, 11.8), off(110)), []),
    (B, "the band lies there for half a day, heard at its very end", story(worn(0, 12, every=10), off(110)),
     [(1, 110 + _HALF_A_DAY)]),
    (M, "a device that is not heard is silent, and no gap", story(worn(0, 0), off(110), uplink(
        7000, 900, {"systolic": 130, "diastolic": 80}, device=30, device_type=_CUFF)), []),
    (M, "and a gap as soon as it is heard again", story(worn(0, 0), off(110), worn(1500, 0)[:0], uplink(
        7000, 1500, events=["charging"]), uplink(7001, 1520, {"steps": 0})), [(1, 110 + _HALF_A_DAY)]),
]  # fmt: skip

DEVICE_TABLES = {
    "command_failed": _COMMAND_FAILED,
    "low_battery": _LOW_BATTERY,
    "watch_gap": _WATCH_GAP,
    "clock": _CLOCK,
    "firmware": _FIRMWARE,
}
