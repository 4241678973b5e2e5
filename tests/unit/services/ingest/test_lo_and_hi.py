"""LO and HI of a meter: bounds that are kept whatever their number is, and never taken for numbers."""

from typing import Any

import pytest

from schemas.reasons import Flag, RejectionReason
from tests.unit.services.ingest.test_core import NOW, body, device, judged


@pytest.mark.parametrize(
    ("code", "comparator", "value", "unit", "kept"),
    [
        ("glucose_meter", "<", 20, "mg/dL", 20),
        ("glucose_meter", "<", 40, "mg/dL", 39),
        ("glucose_meter", "<", 39.9, "mg/dL", 39.9),
        ("glucose_meter", "<", 1.1, "mmol/L", 19.8198),
        ("glucose_meter", "<", 0, "mg/dL", 10),
        ("glucose_meter", ">", 400, "mg/dL", 401),
        ("glucose_meter", ">", 600, "mg/dL", 600),
        ("glucose_meter", ">", 33.4, "mmol/L", 600),
        ("cgm", "<", 40, "mg/dL", 39),
        ("cgm", ">", 400, "mg/dL", 401),
    ],
)
def test_lo_and_hi_are_bounds_beyond_what_sensors_measure_and_never_out_of_range(
    code: str, comparator: str, value: float, unit: str, kept: float
) -> None:
    reading = {"vital": "glucose", "value": value, "unit": unit, "comparator": comparator, "at": NOW}
    (one,) = judged(body(readings=[reading]), device(code)).readings
    assert (one.value, one.flags) == (kept, Flag.CLIPPED)


@pytest.mark.parametrize(
    ("code", "reading"),
    [
        ("glucose_meter", {"vital": "glucose", "value": 41, "unit": "mg/dL", "comparator": "<"}),
        ("glucose_meter", {"vital": "glucose", "value": 399, "unit": "mg/dL", "comparator": ">"}),
        ("glucose_meter", {"vital": "glucose", "value": 20, "unit": "mg/dL", "comparator": ">"}),
        ("glucose_meter", {"vital": "glucose", "value": 20, "unit": "mg/dL", "comparator": "LO"}),
        ("glucose_meter", {"vital": "glucose", "value": 20, "unit": "mg/dL", "comparator": 1}),
        ("finger_oximeter", {"vital": "spo2", "value": 70, "comparator": "<"}),
    ],
)
def test_a_bound_that_says_nothing_is_rejected_and_not_taken_for_a_number(code: str, reading: dict[str, Any]) -> None:
    uplink = judged(body(readings=[{**reading, "at": NOW}]), device(code))
    assert [(one.reason, one.field) for one in uplink.rejections] == [(RejectionReason.BAD_ITEM, "comparator")]
    assert not uplink.readings


def test_a_comparator_that_is_null_is_none() -> None:
    reading = {"vital": "glucose", "value": 61, "unit": "mg/dL", "comparator": None, "at": NOW}
    assert [one.flags for one in judged(body(readings=[reading]), device("glucose_meter")).readings] == [0]
