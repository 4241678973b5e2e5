"""How well somebody keeps to a plan: days covered, doses taken, doses on time. Pure; for medication and console."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from schemas.doses import TAKEN_STATES, DoseState

RECENT_DAYS: Final = 7
"""Over so many local days a person's adherence is judged."""
LEAST_DOSES: Final = 10
"""Of fewer doses whose outcome is known, nothing is said of a person's adherence."""
ADHERENT_FROM: Final = 0.8
"""From this share of the doses on, somebody counts as adherent (pharmacy quality measures: PDC of 0.80 or more)."""

_TO_COME: Final = frozenset({DoseState.PENDING, DoseState.REMINDED})


class CountedDose(NamedTuple):
    """A scheduled dose that was due. ``day`` is that of its due moment in its own zone.

    ``in_window``: it was taken, and first taken within its window. As-needed doses are never counted: none was due.
    """

    plan_id: UUID
    due_at: datetime
    day: date
    state: DoseState
    in_window: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Counts of doses, and of days. ``due`` is the sum of ``taken``, ``missed``, ``unknown``, ``held`` and ``open``.

    ``in_window`` and ``doubles`` are among the ``taken``: a double is one dose taken, however often its cup was lifted.
    ``days`` are those of which it is known whether all that was due was taken; ``days_covered``, those on which it was.
    """

    due: int
    taken: int
    in_window: int
    doubles: int
    missed: int
    unknown: int
    held: int
    open: int
    days: int
    days_covered: int

    @property
    def known(self) -> int:
        """Doses whose outcome is known: taken or missed."""
        return self.taken + self.missed

    @property
    def taking(self) -> float | None:
        """Taking adherence, 0 to 1: doses taken of those whose outcome is known; None where there is none."""
        return self.taken / self.known if self.known else None

    @property
    def timing(self) -> float | None:
        """Timing adherence, 0 to 1: doses taken in their window of those whose outcome is known; None without any."""
        return self.in_window / self.known if self.known else None

    @property
    def pdc(self) -> float | None:
        """Proportion of days covered, 0 to 1: of the days that are known; None without any."""
        return self.days_covered / self.days if self.days else None

    @property
    def is_low(self) -> bool | None:
        """Whether the taking adherence is below ADHERENT_FROM; None where fewer than LEAST_DOSES are known.

        In whole numbers: 8 of 10 is adherent, whatever a division makes of it.
        """
        if self.known < LEAST_DOSES:
            return None
        return self.taken * 100 < self.known * round(ADHERENT_FROM * 100)


class PlanWeek(NamedTuple):
    """The measures of one plan in the week that begins on the Monday ``week``."""

    plan_id: UUID
    week: date
    measures: Measures


def measure(doses: Iterable[CountedDose]) -> Measures:
    """Counts ``doses``, in whatever order they come."""
    counted = list(doses)
    states = [dose.state for dose in counted]
    by_day: dict[date, list[DoseState]] = {}
    for dose in counted:
        by_day.setdefault(dose.day, []).append(dose.state)
    covered = [_is_covered(day) for day in by_day.values()]
    return Measures(
        due=len(counted),
        taken=sum(state in TAKEN_STATES for state in states),
        in_window=sum(dose.in_window and dose.state in TAKEN_STATES for dose in counted),
        doubles=states.count(DoseState.DOUBLE),
        missed=states.count(DoseState.MISSED),
        unknown=states.count(DoseState.UNKNOWN),
        held=states.count(DoseState.HELD),
        open=sum(state in _TO_COME for state in states),
        days=sum(one is not None for one in covered),
        days_covered=sum(one is True for one in covered),
    )


def _is_covered(states: Sequence[DoseState]) -> bool | None:
    """Whether all that was due on a day was taken; None where it is not known, or all of it was held.

    One dose that was missed decides it, whatever becomes of the others.
    """
    if DoseState.MISSED in states:
        return False
    asked = [state for state in states if state is not DoseState.HELD]
    return True if asked and all(state in TAKEN_STATES for state in asked) else None


def by_plan_and_week(doses: Iterable[CountedDose]) -> list[PlanWeek]:
    """The measures of each plan and week that has a dose; the newest week first, within it by plan."""
    by_key = sorted(doses, key=_key)
    found = [PlanWeek(*key, measure(group)) for key, group in groupby(by_key, _key)]
    return sorted(found, key=lambda one: (-one.week.toordinal(), one.plan_id))


def _key(dose: CountedDose) -> tuple[UUID, date]:
    return dose.plan_id, week_of(dose.day)


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def recent(doses: Iterable[CountedDose], last_day: date) -> Measures:
    """Of all plans together, over the RECENT_DAYS local days that end with ``last_day``."""
    first = last_day - timedelta(days=RECENT_DAYS - 1)
    return measure(dose for dose in doses if first <= dose.day <= last_day)
