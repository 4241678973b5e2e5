"""The case table of the glucose forecast, by a model that warns below 80 mg/dL and forecasts what there is."""

from schemas.devices.glucose import CGM, GLUCOSE_METER
from schemas.records import JudgedUplink
from services.score.rule_book import RuleBook
from services.score.rules import RULES
from services.score.rules.glucose_forecast import with_model
from tests.unit.services.score.case import Kind, Row
from tests.unit.services.score.models.made_model import model
from tests.unit.services.score.story import series, uplink

FORECAST_BOOK = RuleBook([with_model(model()) if rule.name == "glucose_forecast" else rule for rule in RULES])
METER = 21


def monitor(*values: float, first: float = 0) -> list[JudgedUplink]:
    """Values of a monitor, each five minutes."""
    readings: list[tuple[float, float]] = [(first + 5 * place, value) for place, value in enumerate(values)]
    return series("glucose", readings, device_type=CGM.number)


def pricked(at: float, value: float) -> JudgedUplink:
    """A value of a meter."""
    return uplink(900, at, {"glucose": value}, device_type=GLUCOSE_METER.number, device=METER)


F, D, B, M = Kind.FIRES, Kind.DOES_NOT, Kind.BOUNDARY, Kind.MISSING_DATA
FORECAST_CASES: list[Row] = [
    (F, "it falls below 80", monitor(*[100] * 7, 90, 79), [(1, 40)]),
    (F, "an hour without a low ends it", monitor(*[100] * 7, 79, *[90] * 12), [(1, 35), (0, 95)]),
    (F, "it goes on, and is said anew", monitor(*[79] * 14), [(1, 0), (0, 60), (1, 60)]),
    (F, "the low comes", monitor(79, 69, 68, 67), [(1, 0), (0, 15)]),
    (D, "it stays where it is", monitor(*[85] * 20), []),
    (D, "it is low already", monitor(69, 68, 67, 66)[:3], []),
    (D, "a meter has shown a low, and then its end", [pricked(0, 70), *monitor(85, 85, first=5)], []),
    (B, "80 is what it warns of, and 80.1 is not", monitor(80.1), []),
    (B, "80 itself", monitor(80), [(1, 0)]),
    (B, "an hour less a moment", monitor(*[79] * 12), [(1, 0)]),
    (
        M,
        "half an hour without a reading is a pause",
        [*monitor(79), uplink(9, 45, {"glucose": 85}, device_type=CGM.number)],
        [(1, 0), (0, 30)],
    ),
    (
        M,
        "a reading that comes late shows that it was low before",
        [
            uplink(0, 0, {"glucose": 69}, device_type=CGM.number),
            uplink(1, 5, {"glucose": 69}, device_type=CGM.number),
            uplink(3, 15, {"glucose": 79}, device_type=CGM.number),
            uplink(2, 10, {"glucose": 69}, device_type=CGM.number, received=16),
        ],
        [(1, 15), (0, 15)],
    ),
]
