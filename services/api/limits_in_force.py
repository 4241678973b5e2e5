"""The limits that hold for one person now, in words: each with its urgency, source, and for whom it is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_BY_CONDITION, DEFAULT_LIMITS
from schemas.limit_levels import limits_of
from schemas.limits import (
    CONCERN_BY_NAME,
    CONCERNS,
    NEWS2_TOTAL,
    Concern,
    Condition,
    LevelLimit,
    Limits,
    LimitsError,
    Side,
)
from schemas.presentation import VITAL_PRESENTATIONS, title_of

_UNIT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {row.vital.code: row.unit_words for row in VITAL_PRESENTATIONS}
)
_SINCE_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Versions of then are the first ones of a platform."""
_CONDITION_WORDS: Final[Mapping[Condition, str]] = MappingProxyType(
    {
        Condition.DIABETES: "diabetes",
        Condition.HEART_FAILURE: "heart failure",
        Condition.COPD: "COPD",
        Condition.SPO2_88_92: "a prescribed oxygen target of 88 to 92 %",
    }
)
_BY_REST: Final = {NEWS2_TOTAL.code} | {
    concern.rule
    for concern in CONCERNS
    for one in DEFAULT_LIMITS
    if one.limits.concern == concern.name and any(level.moving for level in one.limits.levels)
}
"""Rules that know rest from movement."""
_USUAL_LEAST: Final = 2
"""Readings that it takes anyway for something to last."""


class Scope(NamedTuple):
    """For whom a version of limits is: one person, or all (with a condition) of the platform or of its region."""

    own: bool = False
    region: bool = False
    condition: Condition | None = None

    @property
    def words(self) -> str:
        """For whom, in words."""
        if self.own:
            return "for this person, as a doctor has said"
        where = " in this region" if self.region else ""
        if self.condition is not None:
            return f"for people with {_CONDITION_WORDS[self.condition]}{where}"
        return f"for everybody{where}" if self.region else "for everybody, by default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One limit: what is beyond it, for how long, how soon somebody has to act then."""

    beyond: str
    lasting: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What holds of a concern. ``version`` counts those of the same scope, from 1; 0 where this software says it alone.

    ``since``: None where it has been so from the beginning. ``signed_off_by``: "" where no clinician has confirmed it.
    """

    title: str
    scope: Scope
    version: int
    since: datetime | None
    limits: Limits
    over: str
    lines: tuple[Line, ...]

    @property
    def source(self) -> str:
        return self.limits.source

    @property
    def signed_off_by(self) -> str:
        return self.limits.signed_off_by


def limits_in_force(
    versions: Sequence[Mapping[str, Any]], conditions: Iterable[Mapping[str, Any]]
) -> Sequence[InForce]:
    """What holds of each concern, by the rows of ``limits_for_person`` and ``conditions_of_person``.

    From the most to the least specific: the person's own, a condition's (the region's before the platform's), the
    region's, the platform's, and at last the defaults of this software. A concern of which nothing holds is left out.
    """
    held = {Condition(row["condition"]): row["since"] for row in conditions if row["condition"] in set(Condition)}
    by_scope: dict[tuple[Scope, str], list[Mapping[str, Any]]] = {}
    for row in versions:
        if row["condition"] is None or row["condition"] in set(Condition):
            by_scope.setdefault((_scope_of(row), row["concern"]), []).append(row)
    found = (_of_concern(concern, by_scope, held) for concern in CONCERNS)
    return [one for one in found if one is not None]


def _scope_of(row: Mapping[str, Any]) -> Scope:
    condition = None if row["condition"] is None else Condition(row["condition"])
    return Scope(row["person_no"] is not None, row["region"], condition)


def _of_concern(
    concern: Concern,
    by_scope: Mapping[tuple[Scope, str], Sequence[Mapping[str, Any]]],
    held: Mapping[Condition, datetime],
) -> InForce | None:
    conditions = [one for one in reversed(Condition) if one in held]
    of_conditions = [Scope(region=region, condition=one) for one in conditions for region in (True, False)]
    for scope in (Scope(own=True), *of_conditions, Scope(region=True), Scope()):
        for row, number in _newest_first(by_scope.get((scope, concern.name), ())):
            if row["withdrawn"]:
                break
            try:
                limits = limits_of(row)
            except LimitsError:
                continue  # score does not use it either: what was before it holds
            starts = [row["valid_from"], *([held[scope.condition]] if scope.condition is not None else [])]
            return _shown(concern, scope, limits, number, max(starts))
        else:
            default = None if scope.own or scope.region else DEFAULT_BY_CONDITION.get((scope.condition, concern.name))
            if default is not None:
                return _shown(concern, scope, default, 0, held.get(scope.condition) if scope.condition else None)
    default = DEFAULT_BY_CONDITION.get((None, concern.name))
    return None if default is None else _shown(concern, Scope(), default, 0, None)


def _newest_first(rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Mapping[str, Any], int]]:
    return zip(rows, range(len(rows), 0, -1), strict=True)


def title_of_concern(concern: Concern) -> str:
    """What its limits are of, with the side."""
    side = concern.name.partition(".")[2]
    return title_of(concern.rule) + (f", {side}" if side else "")


def lines_of(limits: Limits) -> tuple[Line, ...]:
    """Each of them in words."""
    concern = CONCERN_BY_NAME[limits.concern]
    return tuple(_line(one, concern, unit_of(concern)) for one in limits.levels)


def unit_of(concern: Concern) -> str:
    """The unit of its limits in words, and of which distance they are."""
    return f"{_UNIT_WORDS.get(concern.vital.code, concern.vital.unit)} {concern.distance}".rstrip()


def _shown(concern: Concern, scope: Scope, limits: Limits, version: int, since: datetime | None) -> InForce:
    over = _at_or(limits.off, unit_of(concern), Side(-concern.side))
    return InForce(
        title=title_of_concern(concern),
        scope=scope,
        version=version,
        since=None if since is None or since <= _SINCE_EVER else since,
        limits=limits,
        over=f"{over} for {limits.clear_min:g} min" if limits.clear_min else over,
        lines=lines_of(limits),
    )


def _line(limit: LevelLimit, concern: Concern, unit: str) -> Line:
    strictly = f"{'above' if concern.side is Side.ABOVE else 'below'} {limit.on:g} {unit}"
    if concern.distance:
        strictly = f"more than {limit.on:g} {unit}"
    taken = "evaluations" if concern.vital is NEWS2_TOTAL else "readings"
    if limit.persist_min:
        lasting = f"for {limit.persist_min:g} min" + (f", {limit.least} {taken}" if limit.least > _USUAL_LEAST else "")
    else:
        lasting = "at once" if limit.least == 1 else f"{limit.least} {taken} in a row"
    if limit.moving:
        lasting += ", moving"
    elif concern.rule in _BY_REST:
        lasting += ", at rest"
    beyond = _at_or(limit.on, unit, concern.side) if limit.inclusive else strictly
    return Line(beyond=beyond, lasting=lasting, severity=limit.severity)


def _at_or(value: float, unit: str, side: Side) -> str:
    return f"{value:g} {unit} or {'more' if side is Side.ABOVE else 'less'}"
