"""Which readings can call for help, and are never held."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_LIMITS
from schemas.limits import CONCERN_BY_NAME, Limits
from schemas.validity import VALUE_RULES
from schemas.vitals import BODY_TEMPERATURE, DIASTOLIC, GLUCOSE, HEART_RATE, SPO2, SYSTOLIC, VITALS, WEIGHT
from services.score.models.urgent_values import can_call_for_help

_LIMITS = [one.limits for one in DEFAULT_LIMITS if one.condition is None]
_VALUES = st.sampled_from(VITALS).flatmap(
    lambda one: st.tuples(st.just(one.number), st.floats(one.lowest, one.highest))
)


def _of(concern: str) -> Limits:
    return next(one.limits for one in DEFAULT_LIMITS if one.limits.concern == concern)


def _calls(measured: dict[int, float]) -> bool:
    return can_call_for_help(measured, _LIMITS)


@given(measured=_VALUES)
def test_whatever_is_beyond_a_limit_of_a_high_is_never_held(measured: tuple[int, float]) -> None:
    vital, value = measured
    for limits in _LIMITS:
        concern = CONCERN_BY_NAME[limits.concern]
        if concern.vital.number == vital and concern.bounds is None:
            for level in limits.levels:
                if level.severity is Severity.HIGH and level.is_beyond(value, concern.side):
                    assert _calls({vital: value})


def test_a_low_glucose_calls_and_so_does_one_that_may_come_onto_the_list() -> None:
    assert [_calls({GLUCOSE.number: value}) for value in (12, 45, 69, 70, 250, 251, 400, 600)] == [
        True, True, True, False, False, True, True, True,
    ]  # fmt: skip


def test_a_pressure_calls_that_a_symptom_makes_an_emergency() -> None:
    def _pressure(upper: float, lower: float) -> bool:
        return _calls({SYSTOLIC.number: upper, DIASTOLIC.number: lower})

    assert _pressure(181, 90)
    assert _pressure(150, 121)
    assert _pressure(90, 60)
    assert not _pressure(180, 120)


def test_whatever_has_points_in_news2_calls_and_so_does_the_measurement_that_it_is_part_of() -> None:
    assert _calls({SYSTOLIC.number: 110})
    assert not _calls({SYSTOLIC.number: 111})
    assert _calls({SYSTOLIC.number: 125, HEART_RATE.number: 92})
    assert _calls({SPO2.number: 95})
    assert _calls({BODY_TEMPERATURE.number: 38.1})


def test_no_weight_calls_unless_a_doctor_wants_it() -> None:
    assert not can_call_for_help({WEIGHT.number: 150}, [*_LIMITS, _of("weight")])
    usual = _of("weight")
    strict = replace(usual, levels=(usual.levels[0], replace(usual.levels[1], severity=Severity.HIGH)))
    assert can_call_for_help({WEIGHT.number: 80}, [*_LIMITS, strict])
    assert not can_call_for_help({GLUCOSE.number: 120}, [*_LIMITS, strict])


def test_a_persons_own_limits_decide() -> None:
    usual = _of("glucose_low")
    higher = replace(usual, levels=tuple(replace(one, on=one.on + 30) for one in usual.levels), off=100)
    assert can_call_for_help({GLUCOSE.number: 95}, [higher])
    assert not can_call_for_help({GLUCOSE.number: 95}, [usual])


def test_no_glucose_in_mmol_is_held_that_ingest_takes_for_mg() -> None:
    """All of them are below 34: scored at once, and asked about."""
    rule = VALUE_RULES["glucose_meter"]["glucose"]
    for tenths in range(10, 334):
        value = tenths / 10
        assert not rule.lowest <= value or _calls({GLUCOSE.number: value})


def test_a_temperature_in_another_unit_never_gets_past_ingest() -> None:
    rule = VALUE_RULES["thermometer"]["body_temperature"]
    for tenths in range(300, 431):
        celsius = tenths / 10
        for wrong in (celsius * 9 / 5 + 32, (celsius - 32) * 5 / 9):
            assert not rule.lowest <= wrong <= rule.highest
