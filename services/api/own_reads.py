"""What a doctor finds about their own practice: what came of alerts, and the lists of their mornings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from asyncpg import Record

from services.api.access import Action, record
from services.api.console import Console, Doctor
from services.api.held_readings import held_words
from services.api.outcomes import Outcomes, of_row

PERIODS: Final = (7, 30, 90, 365)
"""Days that the page offers; the REST interface takes any number up to the last."""
MOST_LISTS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcomes:
    """What came of a rule's alerts; ``rule`` None: of all rules of its kind."""

    rule: str | None
    technical: bool
    outcomes: Outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorOutcomes:
    """What a doctor took on of what people alerted that they and the reader both care for."""

    name: str
    is_reader: bool
    outcomes: Outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeOutcomes:
    """What came of the alerts about a doctor's people in the last ``days``."""

    days: int
    rules: Sequence[RuleOutcomes]
    doctors: Sequence[DoctorOutcomes]


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningList:
    """A morning's list. ``entries`` are those about people who are still in the doctor's care."""

    row: Record
    entries: Sequence[Mapping[str, Any]]
    sendings: Sequence[Record]

    @property
    def hidden(self) -> int:
        """How many entries are about people who are not in the doctor's care any more."""
        count: int = self.row["entries"]
        return count - len(self.entries)


async def outcomes_of_practice(console: Console, doctor: Doctor, days: int) -> PracticeOutcomes:
    """Of people in the doctor's care now, as of now: what began to wait in the last ``days``."""
    now = console.now()
    asked = (doctor.doctor_no, now, now - timedelta(days=days), now + timedelta(microseconds=1))
    rules = await console.pool.fetch(console.sql["outcomes_by_rule"], *asked)
    doctors = await console.pool.fetch(console.sql["outcomes_by_doctor"], *asked)
    await record(console, doctor, Action.READ_OUTCOMES)
    return PracticeOutcomes(
        days=days,
        rules=[RuleOutcomes(rule=row["rule"], technical=row["technical"], outcomes=of_row(dict(row))) for row in rules],
        doctors=[
            DoctorOutcomes(
                name=row["display_name"], is_reader=row["doctor_no"] == doctor.doctor_no, outcomes=of_row(dict(row))
            )
            for row in doctors
        ],
    )


async def morning_list_of(console: Console, doctor: Doctor, day: date | None = None) -> MorningList | None:
    """The doctor's own list of a day, or the newest; None: there is none. Names nobody who left their care."""
    row = await console.pool.fetchrow(console.sql["find_morning_list"], doctor.doctor_no, day)
    entries: Sequence[Mapping[str, Any]] = []
    sendings: Sequence[Record] = []
    if row is not None:
        sql, pool = console.sql, console.pool
        found = await pool.fetch(sql["entries_of_morning_list"], doctor.doctor_no, console.now(), row["list_no"])
        entries = [_in_words(dict(one)) for one in found]
        sendings = await pool.fetch(sql["sendings_of_morning_list"], row["list_no"])
    await record(console, doctor, Action.READ_MORNING, [entry["person_no"] for entry in entries])
    return None if row is None else MorningList(row=row, entries=entries, sendings=sendings)


def _in_words(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is held has no finding that says it."""
    if entry["waiting"] is None:
        return entry
    return {**entry, "doctor_text": held_words(*(entry[name] for name in ("vitals", "waiting", "unit", "fits_name")))}


async def earlier_lists_of(
    console: Console, doctor: Doctor, *, before: date | None = None, most: int = MOST_LISTS
) -> Sequence[Record]:
    """Days and sizes of the doctor's own lists, the newest first."""
    rows: Sequence[Record] = await console.pool.fetch(console.sql["morning_lists_of"], doctor.doctor_no, before, most)
    return rows
