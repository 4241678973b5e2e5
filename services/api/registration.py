"""Writes a register file to the database: set-based, idempotent, in one transaction."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from schemas.contact_addresses import CHECK_BY_CHANNEL
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.registry import Register
from schemas.topics import shard_of
from services.api.limit_rows import write_conditions, write_limits
from services.api.plan_files import write_plans
from services.api.plan_versions import PlanRefusedError
from services.api.register_changes import write_change
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction
from services.runtime.errors import HearthBeatError

BINDING_LEAD_S: Final = 10.0
"""A rebinding starts this long after its commit, so that no snapshot of ingest is wrong about it."""

_MOST_NAMED: Final = 5


class RegisterError(HearthBeatError):
    """The register file contradicts itself or names what nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """How many rows a registration wrote."""

    homes: int
    people: int
    devices: int
    new_devices: int
    doctors: int
    plans: int
    bindings_begun: int
    bindings_ended: int
    care_begun: int
    care_ended: int
    conditions: int
    limits: int


async def register(pool: Pool, register: Register, now: datetime, *, lead_s: float = BINDING_LEAD_S) -> Registered:
    """Makes the database say what the file says; rows that the file does not mention stay.

    The file is the whole truth about the slots of the devices, the patients of the doctors and the plans of the
    people it lists: what it leaves out of those ends. ``now`` is platform time, ``lead_s`` platform seconds (on a
    fast clock, BINDING_LEAD_S times its rate). A binding of a new device starts at once, any other after ``lead_s``.
    Raises RegisterError, for a monitored person with no recipient as well; then nothing was written.
    """
    async with registration(pool) as connection:
        return await write(connection, register, now, lead_s=lead_s)


@asynccontextmanager
async def registration(pool: Pool) -> AsyncIterator[Connection]:
    """A transaction that holds the registration lock: one at a time changes the register."""
    async with transaction(pool) as connection:
        await connection.execute(_queries()["lock"])
        yield connection


async def write(
    connection: Connection,
    register: Register,
    now: datetime,
    *,
    lead_s: float,
    new_since: datetime | None = None,
    by: str = "",
) -> Registered:
    """As ``register``, in a transaction of ``registration``; bindings of new devices start at ``new_since``.

    Whose care began or ended is written down, with ``by`` as who did that.
    """
    check(register)
    _refuse_unborn(register, now)
    sql = _queries()
    # Before anything is written, so that what was wrong already is not laid to this file.
    without_recipient_before = await _without_recipient_for_good(connection, sql)
    times = _Times(starts=now + timedelta(seconds=lead_s), new=new_since or now)
    await _write_homes(connection, sql, register, times.starts)
    await _write_doctors(connection, sql, register)
    new_devices = await _write_devices(connection, sql, register, now)
    await _refuse_unknown(connection, sql, register)
    begun, ended = await _write_bindings(connection, sql, register, times, new_devices)
    await _write_plans(connection, register, now)
    care_begun, care_ended = await _write_care(connection, sql, register, now, by)
    conditions = await write_conditions(connection, register, times.starts)
    limits = await write_limits(connection, register, now, times.starts)
    _refuse_without_recipient(register, without_recipient_before, await _without_recipient_for_good(connection, sql))
    return Registered(
        homes=len(register.homes),
        people=sum(len(home.people) for home in register.homes),
        devices=sum(len(home.devices) for home in register.homes),
        new_devices=len(new_devices),
        doctors=len(register.doctors),
        plans=sum(len(person.plans) for home in register.homes for person in home.people),
        bindings_begun=begun,
        bindings_ended=ended,
        care_begun=care_begun,
        care_ended=care_ended,
        conditions=conditions,
        limits=limits,
    )


def _queries() -> Queries:
    return load_queries("services.api", "registration.sql")


async def people_without_recipient(pool: Pool, now: datetime) -> list[UUID]:
    """Who is monitored at ``now``, though nobody would be notified about them."""
    return [row["person_id"] for row in await pool.fetch(_queries()["people_without_recipient"], now)]


def check(register: Register) -> None:
    """Refuses a file that says two things about one subject, names a slot that a device has not, or forgets people."""
    homes = register.homes
    _refuse_twice("home", (home.home_id for home in homes))
    _refuse_twice("person", (person.person_id for home in homes for person in home.people))
    _refuse_twice("device", (device.device for home in homes for device in home.devices))
    _refuse_twice("plan", (plan.plan_id for home in homes for person in home.people for plan in person.plans))
    _refuse_twice("doctor", (doctor.email for doctor in register.doctors))
    _refuse_twice("no_recipient", register.no_recipient)
    _refuse_forgotten_people(register)
    for person in (person for home in homes for person in home.people):
        _refuse_twice("condition of one person", person.conditions or ())
        _refuse_twice("limits of one person", (one.concern for one in person.limits or ()))
    profile = ((one.condition, one.concern) for one in register.region_limits or ())
    _refuse_twice("limits of the region", (f"{concern} {condition or ''}".strip() for condition, concern in profile))
    for doctor in register.doctors:
        _refuse_twice(f"channel of {doctor.email}", (one.channel for one in doctor.contact_addresses))
    for device in (device for home in homes for device in home.devices):
        _refuse_twice(f"slot of {device.device}", (binding.slot for binding in device.bindings))
        slots = DEVICE_TYPE_BY_CODE[device.type].slots
        if any(binding.slot > slots for binding in device.bindings):
            raise RegisterError(f"{device.device} has {slots} slot(s)")


def _refuse_forgotten_people(register: Register) -> None:
    """Refuses a doctor without people, unless the file says so: an empty list ends all care."""
    for doctor in register.doctors:
        if not doctor.people and not doctor.without_people:
            raise RegisterError(
                f"doctor {doctor.email} has no people, which would end all their care: list them in people,"
                ' or write "without_people": true'
            )
        if doctor.people and doctor.without_people:
            raise RegisterError(f'doctor {doctor.email} has people and says "without_people": true; leave one out')


def _refuse_without_recipient(register: Register, before: set[UUID], after: set[UUID]) -> None:
    """Refuses a file that leaves people monitored without a recipient, unless that is meant.

    Where that was so before of people whom the file does not mention, it is not this file's fault.
    """
    wrong = ((after - before) | (after & _listed(register))) - set(register.no_recipient)
    if wrong:
        ids = ", ".join(sorted(str(one) for one in wrong)[:_MOST_NAMED])
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise RegisterError(
            f"monitored, and nobody would be notified: {ids}{more}. Give them a doctor with addresses, or list them"
            " in no_recipient"
        )


def _listed(register: Register) -> set[UUID]:
    homes = register.homes
    return (
        {person.person_id for home in homes for person in home.people}
        | {binding.person_id for home in homes for device in home.devices for binding in device.bindings}
        | {person for doctor in register.doctors for person in doctor.people}
    )


async def _without_recipient_for_good(connection: Connection, sql: Queries) -> set[UUID]:
    return {row["person_id"] for row in await connection.fetch(sql["people_without_recipient"], None)}


def _refuse_unborn(register: Register, now: datetime) -> None:
    """A day of leeway: somewhere it is tomorrow already."""
    people = [person for home in register.homes for person in home.people]
    unborn = [str(one.person_id) for one in people if one.born_on > now.date() + timedelta(days=1)]
    if unborn:
        raise RegisterError(f"not born yet: {', '.join(unborn[:_MOST_NAMED])}")


def _refuse_twice(what: str, ids: Iterable[object]) -> None:
    twice = [str(one) for one, times in Counter(ids).items() if times > 1]
    if twice:
        raise RegisterError(f"{what} listed twice: {', '.join(twice[:_MOST_NAMED])}")


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]


def _affected(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])


async def _write_homes(connection: Connection, sql: Queries, register: Register, starts: datetime) -> None:
    homes = ((home.home_id, home.label, home.time_zone) for home in register.homes)
    await connection.execute(sql["write_homes"], *_columns(homes, 3))
    people = _columns(
        (
            (person.person_id, home.home_id, person.name, person.born_on)
            for home in register.homes
            for person in home.people
        ),
        4,
    )
    # Before they are written: then nobody would be somewhere else any more.
    await connection.execute(sql["end_residences"], *people[:2], starts)
    await connection.execute(sql["begin_residences"], *people[:2], starts)
    await connection.execute(sql["write_people"], *people)


async def _write_doctors(connection: Connection, sql: Queries, register: Register) -> None:
    doctors = _columns(((doctor.email, doctor.name) for doctor in register.doctors), 2)
    disabled = [row["email"] for row in await connection.fetch(sql["disabled_doctors"], doctors[0])]
    if disabled:
        raise RegisterError(f"disabled: {', '.join(disabled)}. hearthbeat doctor enable lets a doctor work again")
    await connection.execute(sql["write_doctors"], *doctors)
    addresses = _columns(
        (
            (doctor.email, contact.channel, contact.address, contact.details, contact.language)
            for doctor in register.doctors
            for contact in doctor.contact_addresses
        ),
        5,
    )
    await connection.execute(sql["write_addresses"], doctors[0], *addresses)


async def _write_devices(connection: Connection, sql: Queries, register: Register, now: datetime) -> list[str]:
    devices = _columns(
        (
            (device.device, device.type, home.home_id, shard_of(device.device))
            for home in register.homes
            for device in home.devices
        ),
        4,
    )
    # Before they are written, or none of them would be new any more.
    new = [row["name"] for row in await connection.fetch(sql["new_devices"], devices[0])]
    await connection.execute(sql["write_devices"], *devices, now)
    return new


async def _refuse_unknown(connection: Connection, sql: Queries, register: Register) -> None:
    bound = {binding.person_id for home in register.homes for device in home.devices for binding in device.bindings}
    cared_for = {person for doctor in register.doctors for person in doctor.people}
    plans = {plan.device for home in register.homes for person in home.people for plan in person.plans}
    meant = set(register.no_recipient)
    channels = {one.channel for doctor in register.doctors for one in doctor.contact_addresses} - set(CHECK_BY_CHANNEL)
    people = await connection.fetch(sql["unknown_people"], list(bound | cared_for | meant))
    devices = await connection.fetch(sql["unknown_devices"], list(plans))
    nowhere = await connection.fetch(sql["unknown_channels"], list(channels)) if channels else ()
    unknown = [*(str(row[0]) for row in (*people, *devices)), *(f"channel {row[0]}" for row in nowhere)]
    if unknown:
        raise RegisterError(f"unknown: {', '.join(unknown)}")


class _Times(NamedTuple):
    """When bindings begin: ``new`` of devices that are new, ``starts`` of others; what ends does so at ``starts``."""

    starts: datetime
    new: datetime


async def _write_bindings(
    connection: Connection, sql: Queries, register: Register, times: _Times, new_devices: list[str]
) -> tuple[int, int]:
    devices = [device for home in register.homes for device in home.devices]
    names = [device.device for device in devices]
    wanted = _columns(
        ((device.device, binding.slot, binding.person_id) for device in devices for binding in device.bindings), 3
    )
    # What has not begun is deleted, since a range can't end before it begins; what has begun ends;
    # and only then does the new one begin, for a slot has one open binding.
    dropped = await connection.execute(sql["drop_unborn_bindings"], names, *wanted, times.starts)
    ended = await connection.execute(sql["end_bindings"], names, *wanted, times.starts)
    begun = await connection.execute(sql["begin_bindings"], *wanted, times.new, times.starts, new_devices)
    return _affected(begun), _affected(dropped) + _affected(ended)


async def _write_plans(connection: Connection, register: Register, now: datetime) -> None:
    try:
        await write_plans(connection, register, now)
    except PlanRefusedError as error:
        raise RegisterError(f"a dose plan can't be so: {error}") from error


async def _write_care(
    connection: Connection, sql: Queries, register: Register, now: datetime, by: str
) -> tuple[int, int]:
    emails = [doctor.email for doctor in register.doctors]
    wanted = _columns(((doctor.email, person) for doctor in register.doctors for person in set(doctor.people)), 2)
    ended = [
        *await connection.fetch(sql["drop_unborn_care"], emails, *wanted, now),
        *await connection.fetch(sql["end_care"], emails, *wanted, now),
    ]
    begun = await connection.fetch(sql["begin_care"], *wanted, now)
    for change, rows in (("care ended", ended), ("care began", begun)):
        people = defaultdict(list)
        for row in rows:
            people[row["email"]].append(str(row["person_id"]))
        for email, ids in sorted(people.items()):
            await write_change(connection, now, by, change, email, {"people": sorted(ids)})
    return len(begun), len(ended)
