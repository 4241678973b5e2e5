"""The case table of the baseline: weeks of usual days of somebody with a band, and days that drift from them."""

from collections.abc import Iterable

from schemas.records import JudgedUplink
from services.score.days import DAY_MS
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import START, uplink

EVERY_MIN = 120
_FIRST_DAY = START // DAY_MS
USUAL = {"heart_rate": 62.0, "respiratory_rate": 14.0, "steps": 250.0}
ILL = {"heart_rate": 70.0, "respiratory_rate": 17.0, "steps": 250.0}


def ends(day: int) -> float:
    """The minute at which a day of UTC ends, the day of the story's first moment being 0."""
    return ((_FIRST_DAY + day + 1) * DAY_MS - START) / 60_000


def day(number: int, values: dict[str, float], hours: int = 24) -> list[JudgedUplink]:
    """One of which a band has measured the first so many hours; what is usual differs a little from day to day."""
    more = number % 3 - 1
    begins = round(ends(number - 1))
    return [
        uplink(1000 * number + at, begins + 1 + at, values | {"heart_rate": values["heart_rate"] + more})
        for at in range(0, hours * 60, EVERY_MIN)
    ]


def days(numbers: Iterable[int], values: dict[str, float]) -> list[JudgedUplink]:
    """Several whole ones."""
    return [record for number in numbers for record in day(number, values)]


def usual_until(last: int) -> list[JudgedUplink]:
    """Whole days: that of the story's first moment is none."""
    return days(range(1, last), USUAL)


def closing(number: int) -> list[JudgedUplink]:
    """One reading, with which all days before the day before it close."""
    return day(number, USUAL, 1)


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
_WEEKS = usual_until(20)
BASELINE_CASES: list[Row] = [
    (F, "pulse and breathing rise", [*_WEEKS, *days(range(20, 22), ILL), *closing(24)], [(1, ends(20))]),
    (
        F,
        "for a week",
        [*_WEEKS, *days(range(20, 28), ILL), *closing(30)],
        [(1, ends(20)), (2, ends(26))],
    ),
    (
        F,
        "five days below end it",
        [*_WEEKS, *days(range(20, 22), ILL), *days(range(22, 34), USUAL), *closing(36)],
        [(1, ends(20)), (0, ends(29))],
    ),
    (F, "fewer steps alone", [*_WEEKS, *days(range(20, 22), USUAL | {"steps": 25.0}), *closing(24)], [(1, ends(21))]),
    (D, "weeks as usual", [*usual_until(40)], []),
    (D, "a breath more, for days", [*_WEEKS, *days(range(20, 26), USUAL | {"respiratory_rate": 14.5})], []),
    (D, "better than usual", [*_WEEKS, *days(range(20, 26), USUAL | {"heart_rate": 50.0, "steps": 900.0})], []),
    (D, "what came too late for its day", [
        *_WEEKS, *(one._replace(received_at=one.received_at + 3 * DAY_MS) for one in days([20], ILL)), *closing(26)],
        []),
    (B, "nine days are too few", [*usual_until(12), *days([12], ILL), *closing(15)], []),
    (B, "ten are enough", [*usual_until(13), *days([13], ILL), *closing(16)], [(1, ends(13))]),
    (B, "worn for five hours of the clock", [*_WEEKS, *day(20, ILL, 10), *closing(23)], []),
    (B, "worn for six", [*_WEEKS, *day(20, ILL, 12), *closing(23)], [(1, ends(20))]),
    (B, "two days without a figure are no pause", [
        *_WEEKS, *days([20], ILL), *days([23], ILL), *closing(25)], [(1, ends(20))]),
    (M, "three days without a figure are a pause", [*_WEEKS, *days([20], ILL), *closing(26)], [
        (1, ends(20)), (0, ends(23))]),
    (M, "after it the same episode goes on, and ends", [
        *_WEEKS, *days([20], ILL), *days(range(25, 32), USUAL), *closing(34)],
        [(1, ends(20)), (0, ends(23)), (0, ends(29))]),
    (M, "what is usual is not known any more after weeks", [
        *_WEEKS, *days([20], ILL), *days(range(40, 60), USUAL), *closing(62)],
        [(1, ends(20)), (0, ends(23)), (0, ends(43)), (0, ends(55))]),
]  # fmt: skip
