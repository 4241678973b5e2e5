"""Limits: the defaults keep to the form, and what contradicts itself is refused with the field that has to change."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_LIMITS, defaults_of
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


def test_every_concern_has_a_default_for_everybody_and_one_a_condition_at_most() -> None:
    keys = [(one.condition, one.limits.concern) for one in DEFAULT_LIMITS]
    assert len(set(keys)) == len(keys)
    assert {name for condition, name in keys if condition is None} == CONCERN_BY_NAME.keys()
    assert (Condition.SPO2_88_92, "spo2") in keys


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(FAST, concern="heart_rate"), "concern"),
        (replace(FAST, levels=FAST.levels[:1]), "levels"),
        (replace(FAST, levels=(*FAST.levels, FAST.levels[-1])), "levels"),
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


@given(
    concern=st.sampled_from(CONCERNS),
    on=st.lists(st.integers(20, 250), min_size=2, max_size=2),
    inclusive=st.lists(st.booleans(), min_size=2, max_size=2),
    off=st.integers(20, 250),
    value=st.floats(0, 600),
)
def test_what_passes_can_be_both_raised_and_ended_and_a_higher_level_is_never_milder(
    concern: Any, on: list[int], inclusive: list[bool], off: int, value: float
) -> None:
    levels = tuple(
        LevelLimit(on=one, inclusive=counts, persist_min=1, severity=Severity.MEDIUM)
        for one, counts in zip(on, inclusive, strict=True)
    )
    limits = Limits(concern=concern.name, levels=levels, off=off, clear_min=1, source="a test")
    try:
        check(limits)
    except LimitsError:
        return
    side: Side = concern.side
    beyond = [level.is_beyond(value, side) for level in levels]
    assert beyond in ([False, False], [True, False], [True, True])
    assert not (limits.is_cleared(value, side) and beyond[0])
