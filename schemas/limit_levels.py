"""Limits as the table ``limits`` keeps them: what one service writes and others read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.alerts import Severity
from schemas.default_limits import worse_by_of
from schemas.limits import LevelLimit, Limits, LimitsError, check

_LEAST_BEFORE: Final = 2
"""Of rows that do not say it: those of before 2026-11-29, when each level began to say so itself."""


def rows_of(levels: Sequence[LevelLimit]) -> list[dict[str, Any]]:
    """What JSON has of them."""
    return [
        {
            "on": one.on,
            "inclusive": one.inclusive,
            "persist_min": one.persist_min,
            "severity": int(one.severity),
            "level": one.level,
            "least": one.least,
            "moving": one.moving,
        }
        for one in levels
    ]


def levels_of(rows: Sequence[Mapping[str, Any]]) -> tuple[LevelLimit, ...]:
    """The levels that were written so. Raises LimitsError.

    Those of before 2026-11-29 are one limit a level, at rest, in their order, and say neither.
    """
    try:
        return tuple(
            LevelLimit(
                on=float(row["on"]),
                inclusive=bool(row["inclusive"]),
                persist_min=float(row["persist_min"]),
                severity=Severity(row["severity"]),
                level=int(row.get("level", place)),
                least=int(row.get("least", _LEAST_BEFORE)),
                moving=bool(row.get("moving", False)),
            )
            for place, row in enumerate(rows, 1)
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LimitsError("levels", "can't be read") from error


def limits_of(row: Mapping[str, Any]) -> Limits:
    """The limits that a row of the table holds, which is not withdrawn. Raises LimitsError."""
    limits = Limits(
        concern=row["concern"],
        levels=levels_of(row["levels"]),
        off=row["off"],
        clear_min=row["clear_min"],
        # Rows of before 2026-11-29 do not say it.
        worse_by=worse_by_of(row["concern"]) if row["worse_by"] is None else row["worse_by"],
        source=row["source"],
        signed_off_by=row["signed_off_by"],
    )
    check(limits)
    return limits
