"""Levels as the table keeps them: read as they were written, those of before as well, and others are refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.codec import write_json
from schemas.limit_levels import levels_of, rows_of
from schemas.limits import LevelLimit, LimitsError

LEVELS = st.builds(
    LevelLimit,
    on=st.floats(allow_nan=False, allow_infinity=False),
    inclusive=st.booleans(),
    persist_min=st.floats(0, 240),
    severity=st.sampled_from(Severity),
    level=st.integers(1, 3),
    least=st.integers(1, 10),
    moving=st.booleans(),
)
BEFORE: list[dict[str, Any]] = [
    {"on": 120, "inclusive": False, "persist_min": 10, "severity": int(Severity.MEDIUM)},
    {"on": 131.0, "inclusive": True, "persist_min": 10, "severity": int(Severity.HIGH)},
]


@given(levels=st.lists(LEVELS, max_size=6))
def test_what_is_written_is_read_back_the_same(levels: list[LevelLimit]) -> None:
    assert levels_of(json.loads(write_json(rows_of(levels)))) == tuple(levels)


def test_levels_of_before_they_were_numbered_are_those_of_their_place_at_rest_in_two_readings() -> None:
    assert levels_of(BEFORE) == (
        LevelLimit(on=120, inclusive=False, persist_min=10, severity=Severity.MEDIUM, level=1, least=2, moving=False),
        LevelLimit(on=131, inclusive=True, persist_min=10, severity=Severity.HIGH, level=2, least=2, moving=False),
    )


@pytest.mark.parametrize(
    "rows",
    [
        ["120"], [[]], [{}], [{**BEFORE[0], "level": "one"}], [{**BEFORE[0], "least": None}],
        [{**BEFORE[0], "severity": 99}], [{**BEFORE[0], "on": 10**400}],
    ],
)  # fmt: skip
def test_what_is_no_level_is_refused(rows: list[Any]) -> None:
    with pytest.raises(LimitsError, match=r"^levels: can't be read"):
        levels_of(rows)
