"""What a dose plan says, and what an edit does: it ends the version in force and begins the next. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from schemas.doses import PlanKind

_SHORTEST: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContent:
    """What a version of a plan says. Days are local to ``zone``; ``weekdays`` are 1 Monday to 7 Sunday, () each.

    ``every_days`` counts from ``anchor``; ``from_day`` and ``until_day`` are inclusive. A plan that is taken as needed
    has no times, but a least interval in minutes, and may have a most per local day.
    """

    device: str
    compartment: int
    drug: str
    zone: str
    strength: str = ""
    count: float = 1.0
    kind: PlanKind = PlanKind.SCHEDULED
    at_times: tuple[time, ...] = ()
    weekdays: tuple[int, ...] = ()
    every_days: int = 1
    anchor: date | None = None
    from_day: date | None = None
    until_day: date | None = None
    least_interval_min: int | None = None
    most_per_day: int | None = None
    time_critical: bool = False
    listed: bool = False

    @property
    def key(self) -> str:
        """The same text for the same content, another for any other: the order of times and weekdays is no matter.

        What is as it is when left out is left out, so that a field more in a later release is no edit.
        """
        said = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        said |= {name: sorted(set(said[name])) for name in ("at_times", "weekdays") if name in said}
        return sha256(repr(sorted(said.items())).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """The newest version of a plan. ``ends``: None while it is in force; ``by_doctor``: no register file made it."""

    version_no: int
    content: PlanContent
    begins: datetime
    ends: datetime | None = None
    by_doctor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One version that ends (None: none was in force) and the one that begins at that moment (None: none does)."""

    plan_id: UUID
    at: datetime
    ends_version: int | None
    begins: PlanContent | None


def edited(plan_id: UUID, newest: PlanVersion | None, content: PlanContent | None, now: datetime) -> Edit | None:
    """What it takes for a plan to say ``content`` from ``now`` on, None: to be at an end; None: it does already.

    An edit takes effect at ``now``, or a millisecond after the version that it ends began, so that every version holds
    for some time. Nothing due before is touched by it.
    """
    in_force = newest is not None and newest.ends is None
    if newest is None or not in_force:
        if content is None:
            return None
        at = now if newest is None or newest.ends is None else max(now, newest.ends)
        return Edit(plan_id=plan_id, at=at, ends_version=None, begins=content)
    if content is not None and newest.content.key == content.key:
        return None
    at = max(now, newest.begins + _SHORTEST)
    return Edit(plan_id=plan_id, at=at, ends_version=newest.version_no, begins=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A plan as it is when a register file comes. ``register_key``: what a file said of it last; None: not known."""

    newest: PlanVersion | None = None
    register_key: str | None = None


def registered(
    wanted: Mapping[UUID, PlanContent], known: Mapping[UUID, Registered], listed: Iterable[UUID], now: datetime
) -> list[Edit]:
    """What a register file changes: ``wanted`` are its plans, ``listed`` all plans of the people whom it lists.

    A plan that a doctor edited stays as the doctor left it while the file says what it said last; once the file says
    something else, that holds. What the file no longer names ends.
    """
    edits = [
        edited(plan_id, known.get(plan_id, Registered()).newest, content, now)
        for plan_id, content in wanted.items()
        if not _left_to_doctor(known.get(plan_id, Registered()), content)
    ]
    ended = [
        edited(plan_id, known[plan_id].newest, None, now)
        for plan_id in listed
        if plan_id not in wanted and plan_id in known
    ]
    return [edit for edit in (*edits, *ended) if edit is not None]


def _left_to_doctor(known: Registered, content: PlanContent) -> bool:
    newest = known.newest
    return newest is not None and newest.by_doctor and known.register_key == content.key
