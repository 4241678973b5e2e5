"""The case table of weight: people with heart failure on their scales."""

from schemas.devices.scale import SCALE
from schemas.limits import Condition
from schemas.records import JudgedUplink
from services.score.limit_book import ALWAYS, NEVER, LimitBook, PersonCondition
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.story import PERSON, series, uplink

DAY = 24 * 60
HEART_FAILURE_BOOK = LimitBook(
    conditions=[PersonCondition(person_no=PERSON, condition=Condition.HEART_FAILURE, valid_from=ALWAYS, valid_to=NEVER)]
)


def weighed(*samples: tuple[float, float], device: int = 24) -> list[JudgedUplink]:
    """Weights in kg, ``(day, value)``."""
    return series("weight", [(day * DAY, kg) for day, kg in samples], device_type=SCALE.number, device=device)


def late(day: float, kg: float, *, received: float, seq: int = 900) -> JudgedUplink:
    """A weight in kg of one day, received on another."""
    return uplink(seq, day * DAY, {"weight": kg}, received=received * DAY, device=24, device_type=SCALE.number)


def daily(*values: float) -> list[tuple[float, float]]:
    """One each morning."""
    return [(float(day), value) for day, value in enumerate(values)]


def both(*stories: list[JudgedUplink]) -> list[JudgedUplink]:
    """Of two scales, in the order of time."""
    return sorted([record for story in stories for record in story], key=lambda record: record.received_at)


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
_FLAT = [80.0] * 14
WEIGHT_CASES: list[Row] = [
    (F, "2.1 kg in two days", weighed((0, 80), (2, 82.1)), [(1, 2 * DAY)]),
    (F, "3.1 kg in two days", weighed((0, 80), (2, 83.1)), [(2, 2 * DAY)]),
    (F, "from the lowest of three days", weighed(*daily(81, 80, 81.5, 82.1)), [(1, 3 * DAY)]),
    (F, "a day each: level 1, then 2", weighed(*daily(80, 81, 82.2, 83.3)), [(1, 2 * DAY), (2, 3 * DAY)]),
    (
        F,
        "a gain that comes slowly, above the own moving average",
        weighed(*daily(*_FLAT, *[80 + 0.2 * n for n in range(1, 22)])),
        [(1, 30 * DAY)],
    ),
    (
        F,
        "it goes on slowly, and a kilogram more is worse",
        weighed(*daily(80, 81, 82.1, 82.4, 82.8, 83.2, 83.2)),
        [(1, 2 * DAY), (1, 5 * DAY)],
    ),
    (F, "back within 1.5 kg ends it", weighed(*daily(80, 81, 82.5, 81.6, 81.5)), [(1, 2 * DAY), (0, 4 * DAY)]),
    (F, "and not that it stays", weighed(*daily(80, 82.5, *[82.5] * 20)), [(1, DAY)]),
    (
        F,
        "over when both scales say so",
        both(
            weighed((0, 80), (1, 82.5), (3, 81), (4, 81)),
            weighed((0.1, 80.5), (1.1, 83), (2.1, 81.9), device=25),
        ),
        [(1, DAY), (0, 3 * DAY)],
    ),
    (F, "each weight decides, twice a day too", weighed((0, 80), (0.5, 82.2)), [(1, 0.5 * DAY)]),
    (
        F,
        "what comes late shows that it was somebody else",
        [*weighed((0, 80), (2, 85)), late(1.9, 79.9, received=2.1)],
        [(2, 2 * DAY), (0, 2 * DAY)],
    ),
    (D, "a loss says nothing", weighed(*daily(84, 83, 81.5, 80.2, 79)), []),
    (D, "clothes: 0.8 kg more or less", weighed(*daily(*[80, 80.8, 79.2, 80.8, 79.2] * 6)), []),
    (D, "two scales that differ", both(weighed((0, 80), (2, 80)), weighed((1, 82.5), (3, 82.5), device=25)), []),
    (D, "5 kg more within a day is somebody else", weighed((0, 80), (0.4, 85), (1, 80.4)), []),
    (D, "and what they weigh counts for nothing later", weighed((0, 80), (0.4, 75), (1, 80)), []),
    (D, "more than 5 kg off the week's median is too", weighed(*daily(70, 70.2, 69.9), (3.5, 76)), []),
    (D, "in more than three days", weighed((0, 80), (3.25, 82.3)), []),
    (D, "the moving average is too young", weighed(*daily(80, 80, 80), (6, 82.5)), []),
    (B, "2.0 kg are not more than 2", weighed((0, 80.3), (2, 82.3)), []),
    (B, "3.0 kg are level 1", weighed((0, 61), (2, 64)), [(1, 2 * DAY)]),
    (B, "three days to the minute", weighed((0, 80), (3, 82.1)), [(1, 3 * DAY)]),
    (B, "a minute more", weighed((0, 80), (3 + 1 / DAY, 82.1)), []),
    (B, "4.9 kg within a day are the same person's", weighed((0, 80), (0.4, 84.9)), [(2, 0.4 * DAY)]),
    (B, "5 kg off the week's median, not within a day", weighed((0, 80), (2, 85)), [(2, 2 * DAY)]),
    (
        M,
        "four days without a weight are a pause",
        weighed((0, 80), (2, 82.5), (7, 82.6)),
        [(1, 2 * DAY), (0, 6 * DAY)],
    ),
    (M, "after it the same episode goes on", weighed((0, 80), (2, 82.5), (7, 81)), [
        (1, 2 * DAY), (0, 6 * DAY), (0, 7 * DAY)]),
    (M, "what somebody else weighs is no weight", weighed((0, 80), (2, 82.5), (3, 95), (6.5, 82.5)), [
        (1, 2 * DAY), (0, 6 * DAY)]),
    (M, "after two weeks the average begins anew", weighed(*daily(*_FLAT), (28, 84)), []),
]  # fmt: skip
