"""Limits and conditions of a register file: what contradicts itself is refused, with the field."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from schemas.limits import Condition
from schemas.registry import Register

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


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"off": 89}, r"off: "),
        ({"levels": [LEVELS[0], {**LEVELS[1], "on": 91}]}, r"levels\[2\].on: "),
        ({"levels": [LEVELS[1] | {"severity": "high"}, {**LEVELS[1], "severity": "low"}]}, r"levels\[2\].severity: "),
        ({"levels": LEVELS[:1]}, r"levels: "),
        ({"concern": "oxygen"}, r"concern: "),
        ({"clear_min": -1}, r"clear_min: "),
    ],
)
def test_limits_that_contradict_themselves_are_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field) as refused:
        Register.model_validate(file(LIMITS | changes))
    assert refused.value.errors()[0]["loc"] == ("homes", 0, "people", 0, "limits", 0)


@pytest.mark.parametrize(
    "changes",
    [{"off": "low"}, {"source": ""}, {"levels": [{**LEVELS[0], "severity": "urgent"}, LEVELS[1]]}, {"author": "me"}],
)
def test_what_is_no_limit_at_all_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"homes.0.people.0.limits.0"):
        Register.model_validate(file(LIMITS | changes))


def test_a_condition_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"conditions.0"):
        Register.model_validate(file(LIMITS, conditions=["gout"]))
