"""Limits and conditions of a register file: what contradicts itself is refused, with the field."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_LIMITS, DefaultLimits, worse_by_of
from schemas.limits import Condition, LevelLimit, Limits
from schemas.registry import LimitsEntry, Register

LEVELS = [
    {"on": 90, "inclusive": True, "persist_min": 3, "severity": "medium"},
    {"on": 88, "inclusive": True, "persist_min": 3, "severity": "high"},
]
LIMITS = {"concern": "spo2", "levels": LEVELS, "off": 93, "clear_min": 5, "source": "a letter"}


def file(limits: dict[str, Any], **more: Any) -> dict[str, Any]:
    person = {"person_id": str(uuid4()), "name": "Ruth", "born_on": "1941-03-02", "limits": [limits], **more}
    return {"homes": [{"home_id": str(uuid4()), "label": "x", "time_zone": "Europe/Berlin", "people": [person]}]}


def test_sound_limits_are_read_whole() -> None:
    read = Register.model_validate(file(LIMITS, conditions=["copd", "spo2_88_92"]))
    person = read.homes[0].people[0]
    assert person.conditions == (Condition.COPD, Condition.SPO2_88_92)
    (limits,) = person.limits or ()
    assert [level.on for level in limits.limits().levels] == [90, 88]


def test_a_file_that_names_no_levels_has_them_in_order_at_rest_and_is_worse_by_what_the_default_says() -> None:
    read = read_limits(LIMITS)
    assert [(one.level, one.least, one.moving) for one in read.levels] == [(1, 2, False), (2, 2, False)]
    assert read.worse_by == worse_by_of("spo2") == 4


def test_a_file_that_names_all_is_read_as_it_stands() -> None:
    """Two limits of level 2, one of level 3 in two readings, one in movement."""
    high = {"inclusive": True, "severity": "high"}
    levels = [
        {**LEVELS[0], "level": 1},
        {**high, "on": 89, "persist_min": 30, "level": 2, "least": 5},
        {**high, "on": 86, "persist_min": 3, "level": 2},
        {**high, "on": 82, "persist_min": 1, "level": 3, "least": 2},
        {**high, "on": 85, "persist_min": 5, "level": 2, "moving": True},
    ]
    read = read_limits(LIMITS | {"levels": levels, "worse_by": 2.5})
    assert [(one.on, one.level, one.least, one.moving) for one in read.levels] == [
        (90, 1, 2, False), (89, 2, 5, False), (86, 2, 2, False), (82, 3, 2, False), (85, 2, 2, True),
    ]  # fmt: skip
    assert read.worse_by == 2.5


def test_a_limit_in_movement_beside_those_that_name_no_level_does_not_count_in_their_order() -> None:
    moving = {"on": 85, "inclusive": True, "persist_min": 5, "severity": "high", "level": 2, "moving": True}
    read = read_limits(LIMITS | {"levels": [LEVELS[0], moving, LEVELS[1]]})
    assert [(one.on, one.level) for one in read.levels] == [(90, 1), (85, 2), (88, 2)]


@pytest.mark.parametrize("default", DEFAULT_LIMITS, ids=lambda one: f"{one.limits.concern} {one.condition}")
def test_the_defaults_written_into_a_file_are_read_as_the_same(default: DefaultLimits) -> None:
    limits = replace(default.limits, source="a letter")
    levels = [_as_written(one) for one in limits.levels]
    names = ("concern", "off", "clear_min", "worse_by", "source")
    assert read_limits({name: getattr(limits, name) for name in names} | {"levels": levels}) == limits


def _as_written(level: LevelLimit) -> dict[str, Any]:
    names = ("on", "inclusive", "persist_min", "level", "least", "moving")
    return {name: getattr(level, name) for name in names} | {"severity": Severity(level.severity).name.lower()}


def read_limits(entry: dict[str, Any]) -> Limits:
    return LimitsEntry.model_validate(entry).limits()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"off": 89}, r"off: "),
        ({"levels": [LEVELS[0], {**LEVELS[1], "on": 91}]}, r"levels\[2\].on: "),
        ({"levels": [LEVELS[1] | {"severity": "high"}, {**LEVELS[1], "severity": "low"}]}, r"levels\[2\].severity: "),
        ({"levels": LEVELS[:1]}, r"levels: "),
        ({"concern": "oxygen"}, r"concern: "),
        ({"clear_min": -1}, r"clear_min: "),
        ({"worse_by": 0}, r"worse_by: "),
        ({"worse_by": float("nan")}, r"worse_by: "),
        ({"levels": [LEVELS[0], {**LEVELS[1], "least": 0}]}, r"levels\[2\].least: "),
        ({"levels": [LEVELS[0], {**LEVELS[1], "level": 2}]}, r"levels\[1\].level: left out; either each"),
        ({"levels": [*LEVELS, {**LEVELS[1], "moving": True}]}, r"levels\[3\].level: left out; a limit in movement"),
        ({"levels": [*LEVELS, {**LEVELS[1], "moving": True, "level": 3}]}, r"levels\[3\].level: 3 has no limit"),
        ({"levels": [*LEVELS, {**LEVELS[0], "moving": True, "level": 1}]}, r"levels\[3\].moving: .* spo2 only .* 2, 3"),
        ({"levels": [*LEVELS, LEVELS[1], LEVELS[1]]}, r"levels: spo2 has levels 1 to 3; .* 1, 2, 3, 4"),
        ({"levels": [{**LEVELS[0], "level": 1}, {**LEVELS[1], "level": 3}]}, r"levels: .* 1, 3"),
        ({"concern": "oxygen", "worse_by": 4}, r"concern: "),
    ],
)
def test_limits_that_contradict_themselves_are_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field) as refused:
        Register.model_validate(file(LIMITS | changes))
    assert refused.value.errors()[0]["loc"] == ("homes", 0, "people", 0, "limits", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"off": "low"},
        {"source": ""},
        {"levels": [{**LEVELS[0], "severity": "urgent"}, LEVELS[1]]},
        {"author": "me"},
        {"levels": [LEVELS[0], {**LEVELS[1], "level": 2.5}]},
        {"levels": [LEVELS[0], {**LEVELS[1], "least": "3"}]},
        {"levels": [LEVELS[0], {**LEVELS[1], "moving": 1}]},
        {"worse_by": "more"},
        {"levels": LEVELS * 7},
    ],
)
def test_what_is_no_limit_at_all_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"homes.0.people.0.limits.0"):
        Register.model_validate(file(LIMITS | changes))


def test_a_condition_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"conditions.0"):
        Register.model_validate(file(LIMITS, conditions=["gout"]))
