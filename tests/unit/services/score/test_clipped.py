"""A value beyond what its sensor can measure is said as a bound, one that a device has measured as a number."""

import pytest

from schemas.alerts import EndReason, Finding
from schemas.reasons import Flag
from tests.unit.services.score.cases import pricked, sugar
from tests.unit.services.score.story import minute, run

CLIPPED = int(Flag.CLIPPED)


@pytest.mark.parametrize(
    ("values", "bound", "number"), [((39, 39, 39), "below 40 mg/dL", "39"), ((300, 401), "above 400 mg/dL", "401")]
)
def test_what_a_sensor_cannot_measure_is_said_as_a_bound(values: tuple[float, ...], bound: str, number: str) -> None:
    (finding,) = [one for one in run(sugar(*values, flags=CLIPPED)) if isinstance(one, Finding)]
    assert bound in finding.doctor_text
    assert number not in finding.doctor_text
    assert number not in finding.caregiver_text


def test_a_pause_after_a_bound_says_the_bound() -> None:
    # The meter's value shows how much time has passed, and that of the sensor is the last of its own.
    records = [*sugar(39, 39, 39, flags=CLIPPED), *pricked((200, 110))]
    (pause,) = [one for one in run(records) if isinstance(one, Finding) and one.end_reason is EndReason.NO_DATA]
    assert pause.observed_at == minute(40)
    assert "below 40 mg/dL" in pause.doctor_text
    assert "39" not in pause.doctor_text


def test_what_a_meter_measures_is_said_as_a_number() -> None:
    (finding,) = [one for one in run(pricked((0, 39))) if isinstance(one, Finding)]
    assert finding.doctor_text.startswith("Glucose 39 mg/dL")
