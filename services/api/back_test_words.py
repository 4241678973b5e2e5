"""What came of a back-test, in words: how many alerts instead of how many, which vanish, which are new. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.alerts import Severity
from schemas.limits import CONCERN_BY_NAME, Limits
from services.api.limit_changes import changed_words
from services.api.limits_in_force import unit_of

MOST_SHOWN: Final = 40
Episode = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``sentence`` says it, ``changes`` what was tried, limit by limit.

    ``vanish`` and ``begin`` are alerts; ``noticed`` counts what only stands on the page, by today's limits and by those
    that were tried; ``differ`` are pairs of one time and another urgency.
    """

    sentence: str
    changes: str
    vanish: Sequence[Episode]
    begin: Sequence[Episode]
    differ: Sequence[Sequence[Episode]]
    noticed: tuple[int, int]


def outcome_of(before: Limits | None, tried: Limits, days: int, result: Mapping[str, Any]) -> Outcome:
    """By the result as score writes it."""
    today, changed = _alerts(result["today"]), _alerts(result["changed"])
    vanish, begin = _alerts(result["vanish"]), _alerts(result["begin"])
    given = f"the last {_count(days, 'day')} would have given {_count(len(changed), 'alert')}"
    if len(changed) == len(today):
        given += ", as they do now" if not vanish and not begin else ", as many as now"
    else:
        given += f" instead of {len(today)}"
    return Outcome(
        sentence=f"With {_tried(before, tried)} {given}.",
        changes="; ".join(changed_words(before, tried)),
        vanish=vanish,
        begin=begin,
        differ=result["differ"],
        noticed=(len(result["today"]) - len(today), len(result["changed"]) - len(changed)),
    )


def _tried(before: Limits | None, tried: Limits) -> str:
    old = before.levels if before else ()
    moved = [(one, was) for one, was in zip(tried.levels, old, strict=False) if one.on != was.on]
    if len(moved) == 1 and len(old) == len(tried.levels):
        (one, was), unit = moved[0], unit_of(CONCERN_BY_NAME[tried.concern])
        return f"{one.on:g} instead of {was.on:g} {unit}"
    return "the same limits as now" if before and before.numbers == tried.numbers else "these limits"


def _alerts(episodes: Sequence[Episode]) -> list[Episode]:
    """Those that raise an alert: news, and of medium urgency at least."""
    return [one for one in episodes if one["alerts"] and one["severity"] >= Severity.MEDIUM]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
