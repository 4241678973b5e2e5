"""Limits: the defaults keep to the form, and what contradicts itself is refused with the field that has to change."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_LIMITS, defaults_of, usual_of
from schemas.limits import CONCERN_BY_NAME, CONCERNS, Condition, LevelLimit, Limits, LimitsError, Side, check

FAST, SLOW = (defaults_of("heart_rate")[name] for name in ("heart_rate.fast", "heart_rate.slow"))


def changed(limits: Limits, number: int, **fields: Any) -> Limits:
    levels = list(limits.levels)
    levels[number - 1] = replace(levels[number - 1], **fields)
    return replace(limits, levels=tuple(levels))


@pytest.mark.parametrize("default", DEFAULT_LIMITS, ids=lambda one: f"{one.limits.concern} {one.condition}")
def test_a_default_keeps_to_the_form(default: Any) -> None:
    check(default.limits)
    assert "docs/clinical.md#" in default.limits.source


def test_every_concern_has_one_default_for_everybody_but_weight_of_heart_failure_alone() -> None:
    keys = [(one.condition, one.limits.concern) for one in DEFAULT_LIMITS]
    assert len(set(keys)) == len(keys)
    assert {name for condition, name in keys if condition is None} == CONCERN_BY_NAME.keys() - {"weight"}
    assert [condition for condition, name in keys if name == "weight"] == [Condition.HEART_FAILURE]
    assert (Condition.SPO2_88_92, "spo2") in keys
    assert defaults_of("weight") == {}
    assert all(usual_of(name).concern == name for name in CONCERN_BY_NAME)
    assert usual_of("spo2").levels[0].on == 92


def test_a_gain_is_bounded_as_a_gain_and_not_as_a_weight() -> None:
    gain = usual_of("weight")
    for wrong, field in ((changed(gain, 1, on=80), r"levels\[1\].on"), (replace(gain, off=0), "off")):
        with pytest.raises(LimitsError, match=f"^{field}: "):
            check(wrong)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(FAST, concern="heart_rate"), "concern"),
        (replace(FAST, levels=FAST.levels[:1]), "levels"),
        (replace(FAST, levels=(FAST.levels[0], FAST.levels[2])), "levels"),
        (replace(FAST, levels=()), "levels"),
        (replace(FAST, levels=FAST.levels[3:]), "levels"),
        (changed(FAST, 3, level=4), "levels"),
        (changed(FAST, 1, level=0), "levels"),
        (changed(FAST, 5, level=4), r"levels\[5\].level"),
        (replace(FAST, levels=(*FAST.levels[:2], replace(FAST.levels[4], level=3))), r"levels\[3\].level"),
        (changed(FAST, 1, on=19), r"levels\[1\].on"),
        (changed(FAST, 2, on=251), r"levels\[2\].on"),
        (changed(FAST, 1, on=float("nan")), r"levels\[1\].on"),
        (changed(FAST, 2, on=119), r"levels\[2\].on"),
        (changed(SLOW, 2, on=41), r"levels\[2\].on"),
        (changed(FAST, 2, on=120), r"levels\[2\].on"),
        (changed(FAST, 2, severity=Severity.LOW), r"levels\[2\].severity"),
        (changed(FAST, 1, persist_min=-1), r"levels\[1\].persist_min"),
        (changed(FAST, 2, persist_min=241), r"levels\[2\].persist_min"),
        (changed(FAST, 2, persist_min=float("nan")), r"levels\[2\].persist_min"),
        (changed(FAST, 2, least=0), r"levels\[2\].least"),
        (changed(FAST, 5, least=11), r"levels\[5\].least"),
        (changed(FAST, 5, on=149), r"levels\[5\].on"),
        (replace(FAST, levels=(*FAST.levels, replace(FAST.levels[0], on=151))), r"levels\[2\].on"),
        (replace(FAST, worse_by=0), "worse_by"),
        (replace(FAST, worse_by=-1), "worse_by"),
        (replace(FAST, worse_by=float("nan")), "worse_by"),
        (replace(FAST, worse_by=float("inf")), "worse_by"),
        (replace(FAST, clear_min=float("inf")), "clear_min"),
        (replace(FAST, off=121), "off"),
        (replace(SLOW, off=39), "off"),
        (replace(FAST, off=float("nan")), "off"),
        (replace(changed(FAST, 1, inclusive=True), off=120), "off"),
    ],
)
def test_what_contradicts_itself_is_refused_by_field(wrong: Limits, field: str) -> None:
    with pytest.raises(LimitsError, match=f"^{field}: ") as refused:
        check(wrong)
    assert refused.value.field in str(refused.value)


@pytest.mark.parametrize("limits", [FAST, SLOW, *defaults_of("glucose_low").values()], ids=lambda one: one.concern)
def test_limits_of_two_levels_as_they_were_written_before_there_were_three_are_sound(limits: Limits) -> None:
    check(replace(limits, levels=limits.levels[:2]))


def test_a_level_may_have_several_limits_and_others_in_movement() -> None:
    """In any order; those in movement may be stricter than those at rest, or milder."""
    for levels in (FAST.levels[::-1], (*FAST.levels, replace(FAST.levels[1], on=125, persist_min=60))):
        check(replace(FAST, levels=levels))
    check(changed(FAST, 4, on=100))


@given(
    concern=st.sampled_from(CONCERNS),
    drawn=st.lists(st.tuples(st.integers(20, 250), st.booleans(), st.integers(1, 3)), min_size=2, max_size=5),
    off=st.integers(20, 250),
    value=st.floats(0, 600),
)
def test_what_passes_can_be_both_raised_and_ended_and_a_higher_level_is_never_milder(
    concern: Any, drawn: list[tuple[int, bool, int]], off: int, value: float
) -> None:
    levels = tuple(
        LevelLimit(on=on, inclusive=counts, persist_min=1, severity=Severity.MEDIUM, level=level)
        for on, counts, level in drawn
    )
    limits = Limits(concern=concern.name, levels=levels, off=off, clear_min=1, worse_by=1, source="a test")
    try:
        check(limits)
    except LimitsError:
        return
    side: Side = concern.side
    reached = {level.level for level in levels if level.is_beyond(value, side)}
    assert reached == set(range(1, max(reached, default=0) + 1))
    assert not (limits.is_cleared(value, side) and reached)
