"""What a doctor changes of one person's limits: what can be chosen, what follows for the others, what mutes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.alerts import Severity
from schemas.limit_levels import limits_of
from schemas.limits import CONCERN_BY_NAME, LevelLimit, Limits, LimitsError, check
from services.api.limits_in_force import InForce, Line, limits_in_force, lines_of, title_of_concern

LONGEST_MUTE: Final = timedelta(hours=24)
_DIGITS: Final = 4
Row = Mapping[str, Any]


class MuteRefusedError(ValueError):
    """A limit would keep silent about what is urgent, and something is missing. ``field`` is what."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One limit that can be changed, the ``place``-th of its concern, in words."""

    concern: str
    place: int
    title: str
    line: Line
    on: float

    @property
    def name(self) -> str:
        """As a form sends it."""
        return f"{self.concern}/{self.place}"


def choices_of(in_force: Iterable[InForce]) -> list[Choice]:
    """Every limit of every concern that somebody has limits of."""
    return [
        Choice(concern=one.limits.concern, place=place, title=one.title, line=line, on=limit.on)
        for one in in_force
        for place, (limit, line) in enumerate(zip(one.limits.levels, one.lines, strict=True))
    ]


def moved(limits: Limits, place: int, on: float, *, source: str, signed_off_by: str) -> Limits:
    """Limits of which the ``place``-th is at ``on``.

    Where an episode is over keeps its distance from the nearest limit at rest. Raises LimitsError.
    """
    if not 0 <= place < len(limits.levels):
        raise LimitsError("limit", "there is no such limit")
    levels = tuple(replace(one, on=on) if number == place else one for number, one in enumerate(limits.levels))
    by = _nearest(replace(limits, levels=levels)) - _nearest(limits)
    found = replace(
        limits, levels=levels, off=round(limits.off + by, _DIGITS), source=source, signed_off_by=signed_off_by
    )
    check(found)
    return found


def _nearest(limits: Limits) -> float:
    """The limit at rest that values reach first."""
    side = CONCERN_BY_NAME[limits.concern].side
    return min((one.on for one in limits.levels if not one.moving), key=lambda on: on * side)


def mutes(usual: Limits | None, wanted: Limits) -> bool:
    """Whether something that is urgent by the usual limits, however far beyond them, is not urgent by the wanted ones.

    So it is where at rest, or in movement, no limit of high urgency is left that is passed as soon, and for as short,
    as the last one of the usual limits. ``usual``: what holds of everybody, or of a condition.
    """
    return bool(_muted(usual, wanted))


def muted_words(usual: Limits | None, wanted: Limits) -> str:
    """What is muted, and what is left: "what is urgent for everybody else (170 /min or more) is not urgent here …"."""
    words = []
    for last, left in _muted(usual, wanted):
        those, *here = (f"{one.beyond} {one.lasting}" for one in lines_of(replace(wanted, levels=(last, *left))))
        only = f"is urgent here only at {' or at '.join(here)}" if here else "is not urgent here, however far it goes"
        words.append(f"what is urgent for everybody else ({those}) {only}")
    return "; ".join(words)


def _muted(usual: Limits | None, wanted: Limits) -> list[tuple[LevelLimit, list[LevelLimit]]]:
    """At rest and in movement: the last usual limit that is muted, and the urgent limits that are left."""
    side, found = CONCERN_BY_NAME[wanted.concern].side, []
    for moving in (False, True):
        urgent = _urgent(usual, moving=moving) if usual else []
        if not urgent:
            continue
        last, longest = max(urgent, key=lambda one: one.on * side), max(one.persist_min for one in urgent)
        most, left = max(one.least for one in urgent), _urgent(wanted, moving=moving)
        if not any(
            one.on * side <= last.on * side and one.persist_min <= longest and one.least <= most for one in left
        ):
            found.append((last, left))
    return found


def _urgent(limits: Limits, *, moving: bool) -> list[LevelLimit]:
    return [one for one in limits.levels if one.severity is Severity.HIGH and one.moving is moving]


def check_end(usual: Limits | None, wanted: Limits) -> None:
    """Whether episodes can end about where they usually do: one that never does keeps silent about the next ones.

    So an episode is over at most twice as far from the first limit as usual, or as far as it takes to be worse. Raises
    LimitsError.
    """
    if usual is None:
        return
    most = max(2 * abs(_nearest(usual) - usual.off), usual.worse_by)
    if abs(_nearest(wanted) - wanted.off) > most:
        raise LimitsError(
            "off", f"{wanted.off:g} is more than {most:g} from the first limit: no episode might ever end"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """What is urgent of a concern is muted now. ``until`` None: nothing says when that ends, as a register file may.

    ``what`` is muted, in words.
    """

    concern: str
    title: str
    what: str
    until: datetime | None


def muted_by(in_force: Iterable[InForce], usual: Mapping[str, Limits], own: Sequence[Row], now: datetime) -> list[Mute]:
    """What is muted by limits of the person's own."""
    found = []
    for one in in_force:
        concern = one.limits.concern
        if one.scope.own and mutes(usual.get(concern), one.limits):
            ends = [row["valid_from"] for row in own if row["concern"] == concern and row["valid_from"] > now]
            what = muted_words(usual.get(concern), one.limits)
            found.append(Mute(concern=concern, title=one.title, what=what, until=min(ends, default=None)))
    return found


def check_until(starts: datetime, until: datetime | None) -> None:
    """Whether limits that begin at ``starts`` may end then. Raises MuteRefusedError."""
    if until is not None and until <= starts:
        raise MuteRefusedError("until", "What ends, ends after it begins.")


def check_mute(starts: datetime, until: datetime | None, *, confirmed: bool) -> None:
    """Whether limits that mute may begin at ``starts``. Raises MuteRefusedError."""
    if until is None:
        raise MuteRefusedError("until", "This would mute what is urgent, so it has to end: 24 hours from now at most.")
    if not starts < until <= starts + LONGEST_MUTE:
        raise MuteRefusedError("until", "What mutes ends after it begins, and within 24 hours.")
    if not confirmed:
        raise MuteRefusedError("confirmed", "Confirm that nobody will be called for what is urgent until then.")


def usual_of(versions: Sequence[Row], conditions: Sequence[Row]) -> Mapping[str, Limits]:
    """What holds, by concern, where nobody has given the person limits of their own."""
    rows = [row for row in versions if row["person_no"] is None]
    return {one.limits.concern: one.limits for one in limits_in_force(rows, conditions)}


def changed_words(before: Limits | None, after: Limits) -> list[str]:
    """What is other than before, limit by limit: "150 /min or more instead of 140 /min or more"."""
    new = lines_of(after)
    if before is None:
        return [f"{one.beyond} {one.lasting}" for one in new]
    old, words = lines_of(before), list[str]()
    for place, one in enumerate(new):
        was = old[place] if place < len(old) else None
        if was is None:
            words.append(f"{one.beyond} {one.lasting}, which is new")
        elif was.beyond != one.beyond:
            words.append(f"{one.beyond} instead of {was.beyond}, {one.lasting}")
        elif was.lasting != one.lasting:
            words.append(f"{one.beyond} {one.lasting} instead of {was.lasting}")
        if was is not None and was.severity != one.severity:
            words.append(f"{one.beyond} {one.lasting}: of {_urgency(one)} urgency instead of {_urgency(was)}")
    words += [f"no limit at {one.beyond} any more" for one in old[len(new) :]]
    if (before.off, before.clear_min) != (after.off, after.clear_min):
        words.append(f"over at {after.off:g} instead of {before.off:g}")
    return words


def _urgency(line: Line) -> str:
    return line.severity.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One change of a person's own limits. ``begins``: it is not in force yet; ``words`` say what is other."""

    limit_no: int
    title: str
    valid_from: datetime
    begins: bool
    author: str
    reason: str
    withdrawn: bool
    words: Sequence[str]


def history_of(rows: Sequence[Row], usual: Mapping[str, Limits], now: datetime) -> list[Version]:
    """All versions of a person's own limits, the newest first; each beside what it took the place of."""
    found: list[Version] = []
    held: dict[str, Limits | None] = dict(usual)
    for row in reversed(rows):
        concern, limits = row["concern"], usual.get(row["concern"])
        if not row["withdrawn"]:
            try:
                limits = limits_of(row)
            except LimitsError:
                continue  # nobody uses it: what was before it holds
        words = changed_words(held.get(concern), limits) if limits is not None else []
        held[concern] = limits
        found.append(
            Version(
                limit_no=row["limit_no"], title=title_of_concern(CONCERN_BY_NAME[concern]), words=words,
                begins=row["valid_from"] > now, withdrawn=row["withdrawn"],
                **{name: row[name] for name in ("valid_from", "author", "reason")},
            )
        )  # fmt: skip
    return found[::-1]
