"""A drift from what is usual: begins, lasts, ends; a missing day or channel changes nothing it should not."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from services.score.models.drift import (
    CHANNELS,
    RESPIRATORY_RATE,
    RESTING_PULSE,
    SKIN_TEMPERATURE,
    SLEEPING_PULSE,
    STEPS,
    WEIGHT,
    DriftDay,
    DriftError,
    DriftModel,
    DriftState,
)

MODEL = DriftModel()
USUAL = {
    RESTING_PULSE: 64.0,
    SLEEPING_PULSE: 57.0,
    STEPS: 6_000.0,
    RESPIRATORY_RATE: 15.0,
    SKIN_TEMPERATURE: 34.0,
    WEIGHT: 71.0,
}
ILL = USUAL | {RESTING_PULSE: 70.0, SLEEPING_PULSE: 63.0, STEPS: 2_500.0, RESPIRATORY_RATE: 17.0}
FIRST = 20_000
days_of_somebody = st.lists(
    st.tuples(
        st.integers(1, 20),
        st.dictionaries(st.sampled_from([one.code for one in CHANNELS]), st.floats(20, 20_000), max_size=6),
    ),
    max_size=45,
)


def lived(days: list[tuple[int, Mapping[str, float]]], state: DriftState | None = None) -> list[DriftDay | None]:
    state = DriftState() if state is None else state
    return [MODEL.advance(state, day, values) for day, values in days]


def some(values: Mapping[str, float], days: int, first: int = FIRST) -> list[tuple[int, Mapping[str, float]]]:
    return [(first + number, values) for number in range(days)]


def numbered(steps: list[tuple[int, dict[str, float]]]) -> list[tuple[int, Mapping[str, float]]]:
    """Days with their distances, as days."""
    return list(
        zip(np.cumsum([FIRST, *[gap for gap, _ in steps]]).tolist()[1:], [one for _, one in steps], strict=True)
    )


def again(state: DriftState) -> DriftState:
    """Written and read."""
    return DriftState.from_plain(parse_json(write_json(state.to_plain())))


def ill_from(day: int, days: int, state: DriftState) -> list[DriftDay]:
    return [one for one in lived(some(ILL, days, day), state) if one]


def settled(days: int = 35) -> DriftState:
    return DriftState.of(MODEL, some(USUAL, days))


def test_nothing_is_said_before_ten_days_of_a_baseline_that_ends_three_days_before() -> None:
    said = lived([*some(USUAL, 12), *some(ILL, 2, FIRST + 12)])

    assert [one is not None and one.combined is not None for one in said] == [False] * 12 + [True] * 2
    assert not any(one.deviations for one in said[:12] if one)


def test_an_illness_begins_one_episode_that_lasts_after_a_week_and_recovers_after_five_days_below() -> None:
    state = settled()
    ill = ill_from(FIRST + 35, 8, state)
    well = [one for one in lived(some(USUAL, 20, FIRST + 43), state) if one]

    assert [one.has_begun for one in ill] == [True] + [False] * 7
    assert [one.level for one in ill] == [1] * 6 + [2] * 2
    (end,) = [place for place, one in enumerate(well) if one.has_recovered]
    assert [one.is_on for one in well[end - 4 : end + 1]] == [False] * 5
    assert well[end - 5].is_on
    assert [one.level for one in well] == [2] * end + [0] * (20 - end)


def test_what_explains_it_are_the_channels_that_lie_furthest_off() -> None:
    state = settled()
    (first,) = ill_from(FIRST + 35, 1, state)

    assert first.reasons()[0].channel.code in {RESTING_PULSE, SLEEPING_PULSE}
    assert {one.channel.code: round(one.above) for one in first.reasons(4)} == {
        RESTING_PULSE: 6,
        SLEEPING_PULSE: 6,
        STEPS: -3_500,
        RESPIRATORY_RATE: 2,
    }


def test_more_steps_and_a_slower_pulse_than_usual_never_alert() -> None:
    said = lived(some(USUAL | {RESTING_PULSE: 50.0, STEPS: 30_000.0}, 20, FIRST + 35), settled())
    assert not any(one.level for one in said if one)


def test_the_baseline_stands_still_during_an_episode_and_what_was_usual_before_it_still_is_afterwards() -> None:
    state = settled()
    ill_from(FIRST + 35, 14, state)
    after = [one for one in lived(some(USUAL, 30, FIRST + 49), state) if one]

    for one in after:
        usual = {each.channel.code: each.usual for each in one.deviations}
        assert usual[RESTING_PULSE] == USUAL[RESTING_PULSE]
        assert usual[STEPS] == pytest.approx(USUAL[STEPS])


def test_what_stays_becomes_what_is_usual() -> None:
    said = ill_from(FIRST + 35, 70, settled())

    assert said[13].is_on
    assert said[-1].level == 0
    assert {each.usual for each in said[-1].deviations if each.channel.code == RESTING_PULSE} == {70.0}


def test_one_strange_day_alone_is_no_drift() -> None:
    said = lived(
        [*some(USUAL | {RESTING_PULSE: 68.0, SLEEPING_PULSE: 61.0}, 1, FIRST + 35), *some(USUAL, 9, FIRST + 36)],
        settled(),
    )
    assert not any(one.level for one in said if one)


@pytest.mark.parametrize("missing", USUAL)
def test_without_any_one_channel_the_illness_is_found(missing: str) -> None:
    def without(values: Mapping[str, float]) -> Mapping[str, float]:
        return {code: value for code, value in values.items() if code != missing}

    said = lived([*some(without(USUAL), 35), *some(without(ILL), 4, FIRST + 35)])
    assert said[-1] is not None
    assert said[-1].level == 1


def test_a_channel_that_is_new_counts_from_when_it_has_a_baseline() -> None:
    pulse = {RESTING_PULSE: USUAL[RESTING_PULSE]}
    said = lived([*some(pulse, 35), *some(USUAL, 14, FIRST + 35)])

    known = [len(one.deviations) if one else 0 for one in said[35:]]
    assert known == [1] * 12 + [6] * 2


def test_weight_alone_is_not_evaluated() -> None:
    said = lived([*some({WEIGHT: 71.0}, 35), *some({WEIGHT: 60.0}, 20, FIRST + 35)])
    assert not any(one.combined for one in said if one)


def test_two_ways_to_measure_the_pulse_speak_with_one_voice() -> None:
    both = lived(some(ILL, 1, FIRST + 35), settled())[0]
    one_alone = {code: value for code, value in ILL.items() if code != SLEEPING_PULSE}
    alone = lived(some(one_alone, 1, FIRST + 35), settled())[0]

    assert both is not None
    assert alone is not None
    assert both.combined == alone.combined


def test_days_without_data_neither_continue_nor_end_an_episode() -> None:
    state = settled()
    ill_from(FIRST + 35, 3, state)
    before = deepcopy(state)

    assert lived(some({}, 10, FIRST + 38), state) == [None] * 10
    assert state == before
    (said,) = ill_from(FIRST + 48, 1, state)
    assert (said.level, said.has_begun, state.began) == (1, False, FIRST + 35)


def test_after_a_long_gap_it_begins_anew() -> None:
    state = settled()
    ill_from(FIRST + 35, 3, state)

    (said,) = ill_from(FIRST + 38 + MODEL.longest_gap_days, 1, state)
    assert said.average < MODEL.on or said.has_begun
    assert state.days_on <= 1


def test_a_day_that_is_not_later_is_refused() -> None:
    state = settled()
    with pytest.raises(DriftError, match=f"day {FIRST + 34} came after day {FIRST + 34}"):
        MODEL.advance(state, FIRST + 34, USUAL)


def test_a_state_of_a_newer_form_is_refused() -> None:
    with pytest.raises(DriftError, match="version 2"):
        DriftState.from_plain(DriftState().to_plain() | {"version": 2})


@settings(max_examples=40)
@given(days_of_somebody, st.integers(0, 45))
def test_a_state_built_of_stored_days_is_the_one_that_living_them_left(
    steps: list[tuple[int, dict[str, float]]], cut: int
) -> None:
    days = numbered(steps)
    alive = DriftState()
    said = lived(days, alive)

    filled = DriftState.of(MODEL, days[:cut])
    rest = lived(days[cut:], again(filled))

    assert rest == said[cut:]
    assert DriftState.of(MODEL, days) == alive == again(alive)


@settings(max_examples=40)
@given(days_of_somebody)
def test_whatever_comes_the_state_stays_small_and_its_level_follows_from_it(
    steps: list[tuple[int, dict[str, float]]],
) -> None:
    state = DriftState()
    for day, values in numbered(steps):
        was_active = state.is_active
        said = MODEL.advance(state, day, values)
        if said is None:
            continue
        assert said.level == state.level(MODEL.lasting_days)
        assert not (said.has_begun and said.has_recovered)
        assert not said.has_begun or said.is_on
        assert not said.is_on or state.is_active
        assert was_active or not said.has_recovered
        assert all(MODEL.lowest <= one.z <= MODEL.highest for one in said.deviations)
        assert all(len(past.days) <= MODEL.among_days + MODEL.until_days for past in state.past.values())


def test_figures_of_healthy_days_vary_by_about_one_whatever_channels_there_are() -> None:
    rng = np.random.default_rng(11)
    for codes in ([RESTING_PULSE], [RESTING_PULSE, STEPS], [one.code for one in CHANNELS]):
        state, found = DriftState(), []
        for day in range(400):
            noise = {code: rng.normal() for code in codes}
            said = MODEL.advance(state, day, {code: USUAL[code] * (1 + 0.05 * noise[code]) for code in codes})
            found += [said.combined] if said and said.combined is not None else []
        assert 0.6 < float(np.std(found)) < 1.4
