"""When a doctor is not to be disturbed by what is not urgent: setting it, ending it, and what is in force."""

from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from asyncpg import Record
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from services.api.access import Action, record
from services.api.console import Console, Doctor
from services.api.reads import zone_of
from services.runtime.database import transaction

_TIME: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
LONGEST_ZONE: Final = 64


@cache
def zones() -> tuple[str, ...]:
    """Every time zone that this machine knows, in order of name."""
    return tuple(sorted(available_timezones()))


def _known_zone(name: str) -> str:
    if name not in zones():
        raise ValueError("a time zone has a name such as Europe/Berlin")
    return name


def _without_seconds(said: Any) -> Any:
    """Some browsers send seconds with a time of day."""
    return said[:5] if isinstance(said, str) and said.endswith(":00") and len(said) == len("22:00:00") else said


TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME)]
"""A wall-clock time, ``22:00``."""
TypedTime = Annotated[TimeOfDay, BeforeValidator(_without_seconds)]
Zone = Annotated[str, StringConstraints(max_length=LONGEST_ZONE), AfterValidator(_known_zone)]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From ``begins`` to ``ends`` by the wall clock of ``zone``, over midnight if ``ends`` is the less."""

    begins: time
    ends: time
    zone: str
    since: datetime

    def says(self, begins: time, ends: time, zone: str) -> bool:
        """Whether that is what is in force already."""
        return (self.begins, self.ends, self.zone) == (begins, ends, zone)


async def quiet_hours_of(console: Console, doctor: Doctor) -> QuietHours | None:
    """What is in force now."""
    row = await console.pool.fetchrow(console.sql["quiet_hours_in_force"], doctor.doctor_no, console.now())
    return None if row is None else _of_row(row)


def _of_row(row: Record) -> QuietHours:
    return QuietHours(begins=row["begins"], ends=row["ends"], zone=row["zone"], since=row["since"])


async def set_quiet_hours(console: Console, doctor: Doctor, begins: time, ends: time, zone: str) -> QuietHours:
    """From now on, in the place of what was in force; ``zone`` becomes the doctor's own. Repeating it changes nothing.

    Raises ValueError where ``begins`` is ``ends``: nobody has to guess whether that is all day or never.
    """
    if begins == ends:
        raise ValueError("quiet hours end at another time than they begin")
    now, sql = console.now(), console.sql
    async with transaction(console.pool) as connection:
        await connection.execute(sql["lock_doctor"], doctor.doctor_no)
        await connection.execute(sql["set_time_zone"], doctor.doctor_no, zone)
        row = await connection.fetchrow(sql["quiet_hours_in_force"], doctor.doctor_no, now)
        if row is not None and _of_row(row).says(begins, ends, zone):
            return _of_row(row)
        await connection.execute(sql["end_quiet_hours"], doctor.doctor_no, now)
        await connection.execute(sql["drop_unbegun_quiet_hours"], doctor.doctor_no, now)
        await connection.execute(sql["begin_quiet_hours"], doctor.doctor_no, begins, ends, zone, now)
        await record(console, doctor, Action.SET_QUIET_HOURS, on=connection)
    return QuietHours(begins=begins, ends=ends, zone=zone, since=now)


async def end_quiet_hours(console: Console, doctor: Doctor) -> None:
    """None are in force from now on; what they hold is sent when it was due to be. Repeating it changes nothing."""
    now, sql = console.now(), console.sql
    async with transaction(console.pool) as connection:
        await connection.execute(sql["lock_doctor"], doctor.doctor_no)
        if await connection.fetchrow(sql["quiet_hours_in_force"], doctor.doctor_no, now) is None:
            return
        await connection.execute(sql["end_quiet_hours"], doctor.doctor_no, now)
        await connection.execute(sql["drop_unbegun_quiet_hours"], doctor.doctor_no, now)
        await record(console, doctor, Action.END_QUIET_HOURS, on=connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many notifications quiet hours hold for a doctor, and until when the first of them."""

    count: int
    until: datetime | None


async def held_for(console: Console, doctor: Doctor) -> Held:
    """What is held now."""
    row = await console.pool.fetchrow(console.sql["held_for"], doctor.doctor_no)
    assert row is not None  # noqa: S101 - a count always gives a row
    return Held(count=row["held"], until=row["until"])


async def time_zone_of(console: Console, doctor: Doctor) -> ZoneInfo:
    """The doctor's own; where they have said none, that which all homes in their care share, else UTC."""
    own: str | None = await console.pool.fetchval(console.sql["time_zone_of"], doctor.doctor_no)
    return await zone_of(console, doctor) if own is None else ZoneInfo(own)
