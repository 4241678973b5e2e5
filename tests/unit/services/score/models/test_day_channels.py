"""A closed day's channels: medians, the lowest fifth, sums; and nothing of a day on which the band lay on the table."""

from collections import Counter
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import vitals
from services.score.models.day_channels import DayOfVital, channels_of, day_of_vital
from services.score.models.drift import (
    CHANNELS,
    RESPIRATORY_RATE,
    RESTING_PULSE,
    SKIN_TEMPERATURE,
    SLEEPING_PULSE,
    STEPS,
    WEIGHT,
    DriftModel,
    DriftState,
)

PULSE, STEPS_NO, WEIGHT_NO = vitals.HEART_RATE.number, vitals.STEPS.number, vitals.WEIGHT.number
ALL_DAY = (1 << 24) - 1
FIVE_HOURS, SIX_HOURS = 0b11111, 0b111111


def day(values: list[int], hours: int = ALL_DAY, steps_a_unit: int = 1) -> DayOfVital:
    return day_of_vital(sorted(Counter(values).items()), steps_a_unit, hours)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60), st.sampled_from([1, 10]))
def test_figures_of_counted_values_are_those_of_the_values(values: list[int], steps_a_unit: int) -> None:
    found = day(values, steps_a_unit=steps_a_unit)

    assert found.values == len(values)
    assert found.median == pytest.approx(median(values) / steps_a_unit)
    assert found.total == pytest.approx(sum(values) / steps_a_unit)
    assert found.low == sorted(values)[int((len(values) - 1) * 0.2)] / steps_a_unit


def test_a_day_has_every_channel_that_the_model_knows() -> None:
    found = channels_of(
        {
            PULSE: day([55] * 30 + [66] * 70),
            vitals.RESPIRATORY_RATE.number: day([15]),
            vitals.SKIN_TEMPERATURE.number: day([341], steps_a_unit=10),
            STEPS_NO: day([0, 250, 1_200]),
            WEIGHT_NO: day([712], hours=1, steps_a_unit=10),
        }
    )
    assert found == {
        RESTING_PULSE: 66,
        SLEEPING_PULSE: 55,
        RESPIRATORY_RATE: 15,
        SKIN_TEMPERATURE: 34.1,
        STEPS: 1_450,
        WEIGHT: 71.2,
    }
    assert found.keys() == {one.code for one in CHANNELS}


def test_a_band_that_was_worn_for_five_hours_says_nothing_of_pulse_or_steps() -> None:
    both = {PULSE: day([60] * 900, hours=FIVE_HOURS), STEPS_NO: day([300], hours=ALL_DAY)}
    assert channels_of(both) == {}
    assert channels_of({**both, PULSE: day([60], hours=SIX_HOURS)}) == {RESTING_PULSE: 60, STEPS: 300}


def test_a_device_that_only_counts_steps_says_itself_when_it_was_worn() -> None:
    assert channels_of({STEPS_NO: day([300], hours=SIX_HOURS)}) == {STEPS: 300}
    assert channels_of({STEPS_NO: day([300], hours=FIVE_HOURS)}) == {}


def test_the_pulse_of_sleep_needs_half_a_day() -> None:
    assert SLEEPING_PULSE not in channels_of({PULSE: day([60] * 90, hours=(1 << 11) - 1)})
    assert SLEEPING_PULSE in channels_of({PULSE: day([60] * 90, hours=(1 << 12) - 1)})


def test_of_days_that_were_kept_before_there_were_hours_the_medians_of_enough_values_count() -> None:
    assert channels_of(
        {PULSE: DayOfVital(71, 60.0), STEPS_NO: DayOfVital(99, 20.0), WEIGHT_NO: DayOfVital(1, 71.5)}
    ) == {WEIGHT: 71.5}
    assert channels_of({PULSE: DayOfVital(72, 60.0)}) == {RESTING_PULSE: 60}


def test_days_that_were_stored_make_the_state_that_the_model_goes_on_from() -> None:
    stored = [(20_000 + number, {PULSE: DayOfVital(288, 60.0 + number % 3)}) for number in range(35)]
    model = DriftModel()
    state = DriftState.of(model, [(number, channels_of(one)) for number, one in stored])

    said = model.advance(state, 20_035, {RESTING_PULSE: 71.0})
    assert said is not None
    assert [(one.channel.code, one.usual) for one in said.reasons()] == [(RESTING_PULSE, 61.0)]
