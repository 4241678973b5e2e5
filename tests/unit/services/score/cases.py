"""The case table of every rule: what fires it, what doesn't, the boundary, missing data."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.devices.glucose import GLUCOSE_METER
from schemas.devices.pressure_cuff import PRESSURE_CUFF
from schemas.devices.thermometer import THERMOMETER
from schemas.reasons import Flag
from schemas.records import DeviceWord, JudgedUplink
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.rule_book import RULE_BOOK, RuleBook
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, ANOMALY_CASES
from tests.unit.services.score.baseline_cases import BASELINE_CASES
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.device_cases import DEVICE_TABLES
from tests.unit.services.score.forecast_cases import FORECAST_BOOK, FORECAST_CASES
from tests.unit.services.score.news2_cases import NEWS2_CASES
from tests.unit.services.score.pressure_cases import PRESSURE_CASES
from tests.unit.services.score.story import series, uplink
from tests.unit.services.score.weight_cases import DAY, HEART_FAILURE_BOOK, WEIGHT_CASES


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``records`` lead to the findings ``expected`` under ``limits``: level and minute of each."""

    rule: str
    kind: Kind
    story: str
    records: Sequence[JudgedUplink | DeviceWord]
    expected: list[tuple[int, float]]
    limits: LimitBook = DEFAULT_BOOK
    rules: RuleBook = RULE_BOOK


def held(value: float, first: int, last: int) -> list[tuple[float, float]]:
    """The same value each minute from one to another, both included."""
    return [(number, value) for number in range(first, last + 1)]


def rate(*parts: tuple[float, int, int]) -> list[JudgedUplink]:
    """Heart rates, once a minute, of ``(value, first, last)``."""
    return series("heart_rate", [sample for value, first, last in parts for sample in held(value, first, last)])


def oxygen(*parts: tuple[float, int, int]) -> list[JudgedUplink]:
    """Saturations, once a minute, of ``(value, first, last)``."""
    return series("spo2", [sample for value, first, last in parts for sample in held(value, first, last)])


def breath(*parts: tuple[float, int, int]) -> list[JudgedUplink]:
    """Respiratory rates, once a minute, of ``(value, first, last)``."""
    return series("respiratory_rate", [sample for value, first, last in parts for sample in held(value, first, last)])


def sugar(*values: float, every: float = 5, flags: int = 0) -> list[JudgedUplink]:
    """Glucose values of a monitor, each five minutes."""
    return series("glucose", [(number * every, value) for number, value in enumerate(values)], flags=flags)


def pricked(*samples: tuple[float, float], flags: int = 0) -> list[JudgedUplink]:
    """Glucose values of a meter, ``(minute, value)``."""
    return series("glucose", samples, flags=flags, device_type=GLUCOSE_METER.number, device=21)


def fever(*samples: tuple[float, float]) -> list[JudgedUplink]:
    """Temperatures of a thermometer, ``(minute, value)``."""
    return series("body_temperature", samples, device_type=THERMOMETER.number, device=22)


def usual(value: float, days: int) -> list[tuple[float, float]]:
    """One temperature each day."""
    return [(day * DAY, value) for day in range(days)]


def finger(*samples: tuple[float, float]) -> list[JudgedUplink]:
    """Saturations of a finger oximeter, ``(minute, value)``."""
    return series("spo2", samples, device_type=FINGER_OXIMETER.number, device=23)


def walking(*minutes: float, steps: float = 40) -> list[JudgedUplink]:
    """Steps of each of these minutes, from another place of the sequence."""
    return [uplink(1000 + place, at, {"steps": steps}) for place, at in enumerate(minutes)]


def off(at: float) -> JudgedUplink:
    """The band says that it is not worn."""
    return uplink(2000, at, events=["not_worn"])


def together(*stories: list[JudgedUplink]) -> list[JudgedUplink]:
    """The records of several devices in the order of time."""
    return sorted([record for story in stories for record in story], key=lambda record: record.received_at)


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
MOVING = int(Flag.MOVING)
_HEART_RATE: list[Row] = [
    (F, "125 for ten minutes", rate((80, 0, 5), (125, 6, 20)), [(1, 16)]),
    (F, "150 for three minutes is level 3", rate((80, 0, 0), (139, 1, 1), (150, 2, 20)), [(3, 5)]),
    (F, "38 for ten minutes", rate((60, 0, 0), (38, 1, 12)), [(1, 11)]),
    (F, "33 is level 2", rate((60, 0, 0), (33, 1, 12)), [(2, 11)]),
    (F, "30 for three minutes is level 3", rate((60, 0, 0), (30, 1, 12)), [(3, 4)]),
    (F, "it rises", rate((125, 0, 12), (140, 13, 30)), [(1, 10), (2, 23)]),
    (F, "20 more are worse, and said again", rate((122, 0, 12), (129, 13, 13), (142, 14, 16)), [(1, 10), (1, 14)]),
    (F, "back below 110 for ten minutes ends it", rate((125, 0, 12), (90, 13, 30)), [(1, 10), (0, 23)]),
    (F, "and it may begin again at once", rate((125, 0, 12), (90, 13, 30), (125, 31, 45)), [(1, 10), (0, 23), (1, 41)]),
    (
        F,
        "far too slow while it was too fast",
        rate((125, 0, 12), (70, 13, 13), (28, 14, 19)),
        [(1, 10), (0, 17), (3, 17)],
    ),
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
        [(1, 10), (0, 24), (1, 24)],
    ),
    (F, "150 for ten minutes of walking", series("heart_rate", held(150, 0, 12), flags=MOVING), [(1, 10)]),
    (F, "170 for five", series("heart_rate", held(170, 0, 8), flags=MOVING), [(2, 5)]),
    (F, "35 for ten", series("heart_rate", held(35, 0, 12), flags=MOVING), [(2, 10)]),
    (F, "one step each nine minutes blinds nobody", [*walking(-9, 0, 9, steps=1), *rate((125, 0, 10))], [(1, 10)]),
    (
        F,
        "poor steps show no walking",
        [uplink(900 + n, n, {"steps": 90}, flags=int(Flag.POOR_QUALITY)) for n in range(9)] + rate((125, 0, 10)),
        [(1, 10)],
    ),
    (D, "a normal day", rate((72, 0, 60)), []),
    (D, "nine minutes are not ten", rate((80, 0, 5), (125, 6, 15), (80, 16, 40)), []),
    (D, "walking", [*walking(*range(-2, 21)), *rate((140, 0, 20))], []),
    (D, "the band says active", series("heart_rate", held(149, 0, 60), flags=MOVING), []),
    (D, "poor contact", series("heart_rate", held(150, 0, 60), flags=int(Flag.POOR_QUALITY)), []),
    (D, "a clock that jumped", series("heart_rate", held(150, 0, 60), flags=int(Flag.JUMPED)), []),
    (D, "somebody of another home", series("heart_rate", held(150, 0, 60), flags=int(Flag.OTHER_HOME)), []),
    (D, "the band lies on a table", [off(0), *rate((160, 0, 14))], []),
    (D, "a cuff measures it", series("heart_rate", held(150, 0, 30), device_type=PRESSURE_CUFF.number), []),
    (B, "120 is not above 120", rate((120, 0, 30)), []),
    (B, "40 is not below 40", rate((40, 0, 30)), []),
    (B, "131 is level 2, 130 is not", [*rate((130, 0, 10)), uplink(50, 11, {"heart_rate": 131})], [(1, 10)]),
    (B, "131 for ten minutes", rate((131, 0, 10)), [(2, 10)]),
    (B, "five minutes after the last step", [*walking(-2, -1), *rate((125, 0, 14))], [(1, 14)]),
    (B, "111 does not end it, 110 does", rate((125, 0, 10), (111, 11, 40), (110, 41, 60)), [(1, 10), (0, 51)]),
    (B, "19 more are not worse", rate((122, 0, 12), (141, 13, 16)), [(1, 10)]),
    (M, "a gap over six minutes is not persistence", rate((125, 0, 5), (125, 13, 20)), []),
    (M, "two of a band that measures each 15 min", rate((125, 0, 0), (125, 15, 15)), [(1, 15)]),
    (M, "two readings over an hour apart", rate((125, 0, 0), (125, 61, 61)), []),
    (M, "one reading", rate((150, 0, 0)), []),
    (M, "an hour without readings is a pause", rate((125, 0, 12), (125, 80, 100)), [(1, 10), (0, 72)]),
    (M, "it was not worn, as is heard later", [*rate((125, 0, 12)), off(-1)], [(1, 10), (0, 12)]),
]
_SPO2: list[Row] = [
    (F, "92 for five minutes", oxygen((96, 0, 5), (92, 6, 12)), [(1, 11)]),
    (F, "88 for three minutes is level 2", oxygen((96, 0, 5), (88, 6, 12)), [(2, 9)]),
    (F, "91 for half an hour is, too", oxygen((91, 0, 30)), [(1, 5), (2, 30)]),
    (F, "84 for a minute is level 3", oxygen((96, 0, 5), (84, 6, 12)), [(3, 7)]),
    (F, "back at 94 for five minutes ends it", oxygen((88, 0, 5), (95, 6, 15)), [(2, 3), (0, 11)]),
    (F, "four points less are worse", oxygen((92, 0, 6), (88, 7, 15)), [(1, 5), (1, 7), (2, 10)]),
    (F, "88 for five minutes of walking", series("spo2", held(88, 0, 10), flags=MOVING), [(2, 5)]),
    (F, "88 by a finger oximeter", finger((0, 88)), [(2, 0)]),
    (F, "92 by a finger oximeter, and again half a minute later", finger((0, 92), (0.5, 91)), [(1, 0.5)]),
    (F, "its next reading ends it", finger((0, 88), (20, 96)), [(2, 0), (0, 20)]),
    (B, "92 by a finger oximeter, and again after 15 min", finger((0, 92), (15, 92)), [(1, 15)]),
    (B, "and after 16 min", finger((0, 92), (16, 92)), []),
    (D, "92 by a finger oximeter, once", finger((0, 92)), []),
    (D, "a normal night", oxygen((95, 0, 60)), []),
    (D, "a dip of two minutes", oxygen((95, 0, 5), (88, 6, 8), (95, 9, 20)), []),
    (D, "while walking", series("spo2", held(89, 0, 30), flags=MOVING), []),
    (D, "one value that no body could reach", oxygen((97, 0, 5), (60, 6, 6), (97, 7, 20)), []),
    (B, "93 is not 92", oxygen((93, 0, 30)), []),
    (B, "89 is not 88", oxygen((89, 0, 20)), [(1, 5)]),
    (B, "93 does not end it", oxygen((92, 0, 6), (93, 7, 30)), [(1, 5)]),
    (M, "a gap over six minutes", oxygen((88, 0, 2), (88, 9, 11)), []),
    (M, "two of a band that measures each five minutes", series("spo2", [(0, 88), (5, 88)]), [(2, 5)]),
    (M, "an hour without readings is a pause", oxygen((88, 0, 5), (88, 70, 71)), [(2, 3), (0, 65)]),
    (M, "it was not worn, as is heard later", [*oxygen((88, 0, 5)), off(-1)], [(2, 3), (0, 5)]),
]
_RESPIRATORY_RATE: list[Row] = [
    (F, "25 for half an hour", breath((16, 0, 5), (25, 6, 40)), [(1, 36)]),
    (F, "30 for ten minutes is level 2", breath((16, 0, 5), (30, 6, 17)), [(2, 16)]),
    (F, "10 for half an hour", breath((10, 0, 31)), [(1, 30)]),
    (F, "8 for ten minutes is level 2", breath((8, 0, 12)), [(2, 10)]),
    (F, "35 for ten minutes of walking", series("respiratory_rate", held(35, 0, 12), flags=MOVING), [(1, 10)]),
    (F, "back at 22 for ten minutes ends it", breath((30, 0, 10), (22, 11, 25)), [(2, 10), (0, 21)]),
    (
        F,
        "too slow while it was too fast",
        breath((30, 0, 10), (8, 11, 20), (23, 21, 21), (8, 22, 40)),
        [(2, 10), (0, 32), (2, 32)],
    ),
    (D, "an ordinary night", breath((15, 0, 60)), []),
    (D, "29 minutes are not thirty", breath((16, 0, 5), (25, 6, 35), (16, 36, 50)), []),
    (D, "breathing fast while walking", series("respiratory_rate", held(34, 0, 60), flags=MOVING), []),
    (B, "24 is not 25", breath((24, 0, 60)), []),
    (B, "11 is not 10", breath((11, 0, 60)), []),
    (B, "29 is not 30", breath((29, 0, 29)), []),
    (M, "a gap over six minutes", breath((30, 0, 6), (30, 14, 22)), []),
    (M, "an hour without readings is a pause", breath((30, 0, 10), (30, 75, 76)), [(2, 10), (0, 70)]),
    (M, "it was not worn, as is heard later", [*breath((30, 0, 10)), off(-1)], [(2, 10), (0, 10)]),
]
_TEMPERATURE: list[Row] = [
    (F, "37.9 once", fever((0, 36.6), (60, 37.9)), [(1, 60)]),
    (F, "39.1 is level 2, 40 is level 3", fever((0, 39.1), (60, 40.0)), [(2, 0), (3, 60)]),
    (F, "0.7 more are worse", fever((0, 37.9), (60, 38.6)), [(1, 0), (1, 60)]),
    (F, "34.9 once", fever((0, 34.9)), [(1, 0)]),
    (F, "33.9 is level 2", fever((0, 33.9)), [(2, 0)]),
    (F, "37.4 ends it", fever((0, 38.2), (60, 37.4)), [(1, 0), (0, 60)]),
    (F, "too cold after a fever", fever((0, 38.2), (60, 34.5)), [(1, 0), (0, 60), (1, 60)]),
    (D, "as usual", fever(*((60 * n, 36.4 + n % 3 / 10) for n in range(9))), []),
    (B, "37.8 is not above 37.8", fever((0, 37.8)), []),
    (B, "35.0 is not below 35", fever((0, 35.0)), []),
    (B, "39.0 is level 1", fever((0, 39.0)), [(1, 0)]),
    (B, "37.5 does not end it", fever((0, 38.2), (60, 37.5)), [(1, 0)]),
    (M, "a day without a reading is a pause", fever((0, 38.2), (1500, 38.3)), [(1, 0), (0, 1440)]),
    (M, "a day later it is the same fever", fever((0, 38.2), (1440, 38.3)), [(1, 0)]),
    (M, "it was not worn, as is heard later", [*series("body_temperature", [(0, 38.2)]), off(-1)], [(1, 0), (0, 0)]),
    (F, "1.1 above the own median of five days", fever(*usual(36.3, 5), (5 * DAY, 37.4)), [(1, 5 * DAY)]),
    (
        F,
        "over at 0.7 above it",
        fever(*usual(36.2, 5), (5 * DAY, 37.4), (5 * DAY + 1, 37), (5 * DAY + 2, 36.9)),
        [(1, 5 * DAY), (0, 5 * DAY + 2)],
    ),
    (F, "above both, the limit that stands is said", fever(*usual(36.2, 6), (6 * DAY, 38)), [(1, 6 * DAY)]),
    (D, "1.0 above it", fever(*usual(36.6, 6), (6 * DAY, 37.6)), []),
    (D, "four days make no median", fever(*usual(36.3, 4), (4 * DAY, 37.4)), []),
    (B, "days of more than two weeks before do not count", fever(*usual(36.3, 5), (15 * DAY, 37.4)), []),
    (B, "two weeks before they do", fever(*usual(36.3, 5), (14 * DAY, 37.4)), [(1, 14 * DAY)]),
    (
        M,
        "what a band says of the skin is no day",
        series("skin_temperature", usual(36.3, 6)) + fever((6 * DAY, 37.4)),
        [],
    ),
]
_GLUCOSE_LOW: list[Row] = [
    (F, "65 for fifteen minutes", sugar(100, 65, 66, 64, 65), [(1, 20)]),
    (F, "two in a row below 54 are level 2", sugar(80, 50, 50, 50, 50), [(2, 10)]),
    (F, "39 is level 3 at once", sugar(80, 39, 39), [(3, 5)]),
    (F, "so is a sensor's own limit", sugar(39, 39, 39, flags=int(Flag.CLIPPED)), [(3, 0)]),
    (F, "39 for fifteen minutes and then more said of it", sugar(69, 69, 69, 69, 54, 39), [(1, 15), (1, 20), (3, 25)]),
    (F, "levels one after the other", sugar(60, 60, 60, 60, 53, 53, 39), [(1, 15), (2, 25), (3, 30)]),
    (F, "fifteen minutes at 70 or above end it", sugar(65, 65, 65, 65, 80, 80, 80, 80), [(1, 15), (0, 35)]),
    (
        F,
        "the next one is another episode",
        sugar(60, 60, 60, 60, 90, 90, 90, 90, 60, 60, 60, 60),
        [(1, 15), (0, 35), (1, 55)],
    ),
    (F, "steps never remove a reading", sugar(60, 60, 60, 60, flags=MOVING), [(1, 15)]),
    (F, "a meter's 65", pricked((0, 65)), [(1, 0)]),
    (F, "a meter's 50", pricked((0, 50)), [(2, 0)]),
    (F, "a meter's 35", pricked((0, 35)), [(3, 0)]),
    (F, "a meter's LO", pricked((0, 20), flags=int(Flag.CLIPPED)), [(3, 0)]),
    (F, "a meter's next reading ends it", pricked((0, 65), (20, 90)), [(1, 0), (0, 20)]),
    (
        F,
        "it is over when monitor and meter say so",
        together(sugar(*[65] * 4, *[90] * 4), pricked((17, 66), (40, 90))),
        [(1, 15), (0, 40)],
    ),
    (D, "a normal day", sugar(*[110, 130, 170, 140] * 20), []),
    (D, "ten minutes are not fifteen", sugar(100, 65, 65, 65, 80, 80, 80, 80), []),
    (D, "a reading of 80 in between begins it anew", sugar(65, 80, 80, 65, 65, 65), []),
    (B, "70 is not below 70", sugar(70, 70, 70, 70, 70), []),
    (B, "nor of a meter", pricked((0, 70)), []),
    (B, "54 is level 1", sugar(54, 54, 54, 54, 54), [(1, 15)]),
    (B, "40 is not below 40", pricked((0, 40)), [(2, 0)]),
    (B, "two below 54 that are not in a row", sugar(53, 60, 53), []),
    (B, "in a row is twenty minutes at most", sugar(53, 53, every=20.02), []),
    (B, "twenty minutes apart", sugar(53, 53, every=20), [(2, 20)]),
    (B, "fourteen minutes and 59 seconds", sugar(60, 60, every=14.98), []),
    (B, "fifteen minutes", sugar(60, 60, every=15), [(1, 15)]),
    (B, "70 counts towards the end", sugar(60, 60, 60, 60, 70, 70, 70, 70), [(1, 15), (0, 35)]),
    (
        M,
        "half an hour without a reading is a pause",
        series("glucose", [(0, 60), (15, 60), (46, 60)]),
        [(1, 15), (0, 45)],
    ),
    (M, "a gap of 30 min is none", series("glucose", [(0, 60), (15, 60), (45, 60)]), [(1, 15)]),
    (M, "a gap is no fifteen minutes", series("glucose", [(0, 60), (31, 60), (40, 60)]), []),
    (M, "four hours without a meter are a pause", pricked((0, 65), (241, 65)), [(1, 0), (0, 240)]),
    (M, "it was not worn, as is heard later", [*sugar(60, 60, 60, 60), off(-1)], [(1, 15), (0, 15)]),
]
_GLUCOSE_HIGH: list[Row] = [
    (F, "260 for an hour", sugar(*[200] * 2, *[260] * 14), [(1, 70)]),
    (F, "310 for two hours", sugar(*[310] * 26), [(1, 60), (2, 120)]),
    (F, "401 at once", sugar(300, 401, flags=int(Flag.CLIPPED)), [(2, 5)]),
    (F, "50 more are worse", sugar(*[255] * 14, 306), [(1, 60), (1, 70)]),
    (F, "240 for fifteen minutes ends it", sugar(*[260] * 13, *[240] * 4), [(1, 60), (0, 80)]),
    (F, "a meter's HI", pricked((0, 600), flags=int(Flag.CLIPPED)), [(2, 0)]),
    (F, "twice by meter", pricked((0, 260), (70, 260)), [(1, 70)]),
    (D, "after a meal", sugar(*[140, 200, 249, 200] * 6), []),
    (D, "55 minutes are no hour", sugar(*[260] * 12, 200), []),
    (B, "250 is not above 250", sugar(*[250] * 20), []),
    (B, "400 is not above 400", sugar(400), []),
    (B, "by meter within the hour", pricked((0, 260), (59, 260)), []),
    (B, "by meter four hours apart", pricked((0, 260), (240, 260)), [(1, 240)]),
    (B, "by meter over four hours apart", pricked((0, 260), (241, 260)), []),
    (M, "half an hour without a reading is a pause", series("glucose", [(0, 410), (40, 410)]), [(2, 0), (0, 30)]),
    (M, "it was not worn, as is heard later", [*sugar(410), off(-1)], [(2, 0), (0, 0)]),
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
    (F, "every press", [uplink(n, 5 * n, events=["sos_pressed"]) for n in range(4)], [(1, 5 * n) for n in range(4)]),
    (
        D,
        "the same press, sent again under another number",
        [uplink(n, 5, events=["sos_pressed"], received=5 + n) for n in range(3)],
        [(1, 5)],
    ),
    (D, "an answer is no call", [uplink(0, 5, events=["check_in_answered"])], []),
    (B, "ten minutes later", [uplink(n, 10 * n, events=["sos_pressed"]) for n in range(2)], [(1, 0), (1, 10)]),
    (
        B,
        "more than ten minutes later",
        [uplink(n, 10.02 * n, events=["sos_pressed"]) for n in range(2)],
        [(1, 0), (1, 10.02)],
    ),
    (M, "the uplink before it never came", [uplink(8, 5, events=["sos_pressed"])], [(1, 5)]),
]
_TABLES = {
    "heart_rate": _HEART_RATE,
    "spo2": _SPO2,
    "respiratory_rate": _RESPIRATORY_RATE,
    "temperature": _TEMPERATURE,
    "blood_pressure": PRESSURE_CASES,
    "glucose_low": _GLUCOSE_LOW,
    "glucose_forecast": FORECAST_CASES,
    "glucose_high": _GLUCOSE_HIGH,
    "weight": WEIGHT_CASES,
    "news2": NEWS2_CASES,
    "baseline": BASELINE_CASES,
    "anomaly": ANOMALY_CASES,
    "sos": _SOS,
    **DEVICE_TABLES,
}
_RULES = {"glucose_forecast": FORECAST_BOOK, "anomaly": ANOMALY_BOOK}
"""Of rules that say nothing without what was learned."""
_LIMITS = {"weight": HEART_FAILURE_BOOK}
"""Of rules that only people with a condition have limits of, and of those with a model."""
CASES = [
    Case(
        rule=rule,
        kind=kind,
        story=story,
        records=records,
        expected=expected,
        limits=_LIMITS.get(rule, DEFAULT_BOOK),
        rules=_RULES.get(rule, RULE_BOOK),
    )
    for rule, rows in _TABLES.items()
    for kind, story, records, expected in rows
]
"""Falls and silence are decided by rows of the database: their cases stand in tests/integration/score_cases.py."""
