"""Readings that may be somebody else's: shown with the reason, and a doctor says whose they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from schemas.held_readings import WAITS_LONG, HeldState
from schemas.presentation import UNIT_NAMES, presentation_of
from schemas.vitals import VITAL_BY_NUMBER
from services.api.access import Action, AuditSubject, NotInCareError, admit_within, can, record_refusal
from services.api.console import Console, Doctor
from services.runtime.database import transaction
from services.runtime.errors import HearthBeatError

CAME_OF: Final[Mapping[HeldState, str]] = MappingProxyType(
    {
        HeldState.KEPT: "kept as this person's",
        HeldState.MOVED: "moved to the other person",
        HeldState.DISMISSED: "dismissed as nobody's",
    }
)
MOST_HELD: Final = 100


class NobodyItFitsError(HearthBeatError):
    """There is no other person in your care whom this measurement fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMeasurement:
    """One measurement: what was measured, why it is doubted, and what was decided. ``values`` by vital number.

    ``fits_name``, ``fits_person_id``: whom it fits, None of a unit, and of somebody who is not in the doctor's care.
    ``is_mine``: what the person has answered themselves, None for nothing.
    """

    measurement_id: UUID
    observed_at: datetime
    device_type: str
    vitals: Sequence[int]
    values: Sequence[float]
    meant: Sequence[float | None]
    reason: str
    unit: str
    is_held: bool
    state: HeldState
    fits_person_id: UUID | None
    fits_name: str | None
    is_mine: bool | None
    said_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None

    @property
    def measured(self) -> str:
        """What was measured, in words."""
        pairs = zip(self.vitals, self.values, strict=True)
        shown = [(presentation_of(VITAL_BY_NUMBER[vital]), value) for vital, value in pairs]
        return ", ".join(f"{one.label} {one.text(value)}" for one, value in shown)

    @property
    def why(self) -> str:
        """Why it is doubted, in words."""
        if self.unit:
            meant = next(value for value in self.meant if value is not None)
            shown = presentation_of(VITAL_BY_NUMBER[self.vitals[0]])
            words = UNIT_NAMES.get(self.unit, self.unit)
            return f"as {words} it would be {shown.text(meant)}, which is usual of this person"
        if self.fits_name is None:
            # Of whoever is not in the doctor's care not even this is said: in a home of two it would be their value.
            return "it is not usual of this person"
        return f"it is usual of {self.fits_name}, and not of this person"

    @property
    def stands(self) -> str:
        """What rules have made of it, or what was decided."""
        if self.state is not HeldState.OPEN:
            return CAME_OF[self.state]
        return "no rule has seen it" if self.is_held else "it was scored at once all the same"

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "HeldMeasurement":
        """By a row of ``held_of_person``."""
        same = {name: row[name] for name in cls.__slots__ if name != "state"}
        return cls(**same, state=HeldState(row["state"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSince:
    """What has been held of a person for longer than ``WAITS_LONG``, by what explains it.

    ``since``: the moment of the oldest one; ``vitals`` are its, by number. ``fits_name`` as of ``HeldMeasurement``.
    """

    person_no: int
    person_id: UUID
    subject: str
    label: str
    time_zone: str
    since: datetime
    measurements: int
    vitals: Sequence[int]
    unit: str
    fits_name: str | None

    @property
    def words(self) -> str:
        """What is held and why."""
        return held_words(self.vitals, self.measurements, self.unit, self.fits_name)


def held_words(vitals: Sequence[int], measurements: int, unit: str, fits_name: str | None) -> str:
    """What is held and why, and of how many measurements. ``vitals`` by number."""
    what = ", ".join(presentation_of(VITAL_BY_NUMBER[vital]).label for vital in vitals)
    # Of whoever is not in the doctor's care not even this is said, as above.
    fits = (
        f"fits {UNIT_NAMES.get(unit, unit)}"
        if unit
        else f"fits {fits_name}"
        if fits_name
        else "not usual of this person"
    )
    counted = "one measurement" if measurements == 1 else f"{measurements} measurements"
    return f"{what} is held: {fits}; {counted} that no rule has seen."


async def held_for_long(console: Console, doctor: Doctor) -> list[HeldSince]:
    """Of everybody in the doctor's care; what waits longest comes first."""
    now = console.now()
    rows = await console.pool.fetch(console.sql["held_for_long"], doctor.doctor_no, now, now - WAITS_LONG, MOST_HELD)
    return [HeldSince(**dict(row)) for row in rows]


async def held_of(console: Console, doctor: Doctor, person_no: int, since: datetime) -> list[HeldMeasurement]:
    """Those of a person whom the doctor was admitted to: what waits first."""
    rows = await console.pool.fetch(console.sql["held_of_person"], person_no, since, doctor.doctor_no, console.now())
    return [HeldMeasurement.of(dict(row)) for row in rows]


async def decide_held(console: Console, doctor: Doctor, measurement_id: UUID, state: HeldState) -> bool:
    """Says whose a measurement is; score does to the readings what follows. Repeating it changes nothing.

    False: something else was decided already. ``MOVED`` gives it to the person whom it fits, who has to be in the
    doctor's care too. Raises NotInCareError, NobodyItFitsError.
    """
    row = await console.pool.fetchrow(console.sql["whose_held"], measurement_id)
    subject = AuditSubject(person_no=row["person_no"], home_no=row["home_no"]) if row else None
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, Action.DECIDE_HELD, subject)
            held = await connection.fetchrow(console.sql["held_measurement"], measurement_id)
            assert held is not None  # noqa: S101 - no row is ever deleted
            if held["state"] != HeldState.OPEN:
                return (held["state"], held["decided_by"]) == (state, doctor.doctor_no)
            moved_to, now = None, console.now()
            if state is HeldState.MOVED:
                moved_to = held["mate_no"]
                if moved_to is None:
                    raise NobodyItFitsError
                other = AuditSubject(person_no=moved_to, home_no=held["mate_home_no"])
                if not await can(console, doctor, Action.DECIDE_HELD, other, now, on=connection):
                    raise NobodyItFitsError
                await admit_within(connection, console, doctor, Action.DECIDE_HELD, other)
            await connection.execute(console.sql["decide_held"], measurement_id, state, moved_to, doctor.doctor_no, now)
            return True
    except NotInCareError:
        await record_refusal(console, doctor, Action.DECIDE_HELD, subject)
        raise
