"""Homes, people, doctors and devices, one at a time: each is written as a small register file would be."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from schemas.registry import Binding, ContactAddress, Device, Doctor, Home, Person, Register
from services.api.accounts import close_account, is_disabled, open_account
from services.api.passwords import Passwords
from services.api.registration import BINDING_LEAD_S, registration, write
from services.cli.credentials import SQL, Broker, give_credentials, known_device, update_broker, write_down
from services.cli.receivers import give_secret
from services.cli.session import RefusedError, Session
from services.runtime.database import Connection
from services.runtime.sealing import Keys

if TYPE_CHECKING:
    from asyncpg import Record

OLDEST_SINCE: Final = timedelta(days=30)
"""What a device stamped earlier than that is rejected."""
HEARD_S: Final = 3.0
"""By then, in real seconds, every ingest has read the register again: it looks every two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """What somebody typed about a device. ``since``: whose it was before it was registered, for what it still holds."""

    device: str
    type: str
    home_id: UUID
    person_id: UUID | None
    slot: int
    since: datetime | None
    no_recipient: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedDevice:
    """``secret`` is shown once and kept nowhere. ``starts_at``: from when on the slot is the person's."""

    device: str
    shard: int
    secret: str
    starts_at: datetime | None


async def add_home(session: Session, label: str, time_zone: str) -> UUID:
    """A home of its own id. Raises ValidationError."""
    home_id = uuid4()
    await _write(
        session, Register(homes=(Home(home_id=home_id, label=label, time_zone=time_zone),)), "home add", home_id
    )
    return home_id


async def add_person(session: Session, name: str, born_on: date, home_id: UUID, doctors: Sequence[str]) -> UUID:
    """A person of a home, in the care of ``doctors`` (e-mail addresses). Raises ValidationError, RefusedError."""
    person_id = uuid4()
    async with registration(session.pool) as connection:
        home = await _home(connection, home_id, people=(Person(person_id=person_id, name=name, born_on=born_on),))
        caring = [await _doctor(connection, email, also=person_id) for email in doctors]
        register = Register(homes=(home,), doctors=tuple(caring))
        await _write_in(session, connection, register, "person add", person_id)
    return person_id


async def add_doctor(
    session: Session, doctor: Doctor, password: str, people: Sequence[UUID], keys: Keys | None = None
) -> str | None:
    """A doctor who may sign in; with ``keys`` their webhook has a secret, which is what this gives.

    Raises RegisterError, PasswordRefusedError, RefusedError where there is such a doctor already.
    """
    password_hash = Passwords().hash(password, (doctor.email, doctor.name))
    async with registration(session.pool) as connection:
        if await connection.fetchrow(SQL["doctor"], doctor.email) is not None:
            raise RefusedError(f"{doctor.email} is registered already.")
        whole = doctor.model_copy(update={"people": tuple(people), "without_people": not people})
        await _write_in(session, connection, Register(doctors=(whole,)), "doctor add", doctor.email)
        await connection.execute(SQL["set_password"], doctor.email, password_hash)
        return None if keys is None else await give_secret(connection, keys, doctor.email, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a doctor leaves whose account is disabled: so many people, and of these whom nobody cares for any longer."""

    people: int
    without_doctor: tuple[UUID, ...]


async def disable_doctor(session: Session, email: str, *, heir: str | None, no_recipient: bool) -> Left:
    """Ends at once whatever the doctor can do and is notified of; ``heir`` has their people from now on.

    Raises RefusedError, RegisterError where that leaves people without a recipient and is not meant.
    """
    async with registration(session.pool) as connection:
        doctor = await _doctor(connection, email)
        if await is_disabled(connection, doctor.email):
            raise RefusedError(f"{doctor.email} is disabled already.")
        doctors = [doctor.model_copy(update={"people": (), "without_people": True, "addresses": ()})]
        if heir is not None:
            other = await _doctor(connection, heir)
            if other.email == doctor.email:
                raise RefusedError("Nobody hands people over to themselves.")
            heir, people = other.email, tuple(sorted({*other.people, *doctor.people}))
            doctors.append(other.model_copy(update={"people": people, "without_people": not people}))
        register = Register(doctors=tuple(doctors), no_recipient=doctor.people if no_recipient else ())
        await _write_in(session, connection, register, "doctor disable", doctor.email, heir=heir)
        await close_account(connection, doctor.email, session.now)
        left = await connection.fetch(SQL["without_doctor"], list(doctor.people))
    return Left(people=len(doctor.people), without_doctor=tuple(row["person_id"] for row in left))


async def enable_doctor(session: Session, email: str, password: str) -> None:
    """The doctor may sign in again and is notified by e-mail; nobody is in their care yet.

    Raises PasswordRefusedError, RefusedError.
    """
    async with registration(session.pool) as connection:
        doctor = await _doctor(connection, email)
        if not await is_disabled(connection, doctor.email):
            raise RefusedError(f"{doctor.email} is not disabled.")
        password_hash = await asyncio.to_thread(Passwords().hash, password, (doctor.email, doctor.name))
        await open_account(connection, doctor.email, password_hash)
        back = Doctor(email=doctor.email, name=doctor.name, without_people=True)
        await _write_in(session, connection, Register(doctors=(back,)), "doctor enable", doctor.email)


async def begin_care(session: Session, email: str, person_id: UUID) -> None:
    """From now on the doctor is one of the person's. Raises RefusedError, RegisterError."""
    async with registration(session.pool) as connection:
        register = Register(doctors=(await _doctor(connection, email, also=person_id),))
        await _write_in(session, connection, register, "care begin", email, person=person_id)


async def end_care(session: Session, email: str, person_id: UUID, *, no_recipient: bool) -> None:
    """From now on the doctor is none of the person's. Raises RefusedError, RegisterError where nobody else is."""
    async with registration(session.pool) as connection:
        doctor = await _doctor(connection, email)
        if person_id not in doctor.people:
            raise RefusedError(f"{email} does not care for {person_id}.")
        left = tuple(one for one in doctor.people if one != person_id)
        doctor = doctor.model_copy(update={"people": left, "without_people": not left})
        register = Register(doctors=(doctor,), no_recipient=(person_id,) if no_recipient else ())
        await _write_in(session, connection, register, "care end", email, person=person_id)


async def add_device(session: Session, broker: Broker, new: NewDevice) -> AddedDevice:
    """A device that was never registered, its slot a person's; broker and ingest know it on return.

    Raises ValidationError, RegisterError, RefusedError, BrokerFilesError; then nothing was changed.
    """
    if new.since is not None and not session.now - OLDEST_SINCE <= new.since <= session.now:
        raise RefusedError(f"--since lies between {session.now - OLDEST_SINCE:%Y-%m-%dT%H:%MZ} and now.")
    binding = () if new.person_id is None else (Binding(slot=new.slot, person_id=new.person_id),)
    device = Device(device=new.device, type=new.type, bindings=binding)
    async with registration(session.pool) as connection:
        held = await connection.fetchrow(SQL["device"], new.device)
        if held is not None and held["removed_at"] is None:
            raise RefusedError(f"{new.device} is registered already; hearthbeat device bind gives it to somebody else.")
        if held is not None and new.since is not None:
            raise RefusedError(f"--since is for a device new to the platform, and {new.device} was here before.")
        home = await _home(connection, new.home_id, devices=(device,))
        register = Register(homes=(home,), no_recipient=_meant(new.no_recipient, new.person_id))
        details = {"person": new.person_id, "slot": new.slot, "since": new.since}
        await _write_in(session, connection, register, "device add", new.device, new_since=new.since, **details)
        secrets = await give_credentials(connection, [new.device], session.now)
        row = await known_device(connection, new.device)
        await update_broker(connection, broker, session.now, [new.device] if held is not None else [])
        starts = None if new.person_id is None else new.since or (session.now if held is None else later(session))
        somebody_listens = await connection.fetchval(SQL["somebody_listens"])
    if somebody_listens:
        # What a device sends before ingest has heard of it is rejected, and nobody may send it again.
        await asyncio.sleep(HEARD_S)
    return AddedDevice(device=new.device, shard=row["shard"], secret=secrets[new.device], starts_at=starts)


async def bind_device(
    session: Session, device: str, slot: int, person_id: UUID | None, *, no_recipient: bool
) -> datetime:
    """Gives a slot to a person, or to nobody, in ten seconds: by then all of ingest has heard of it.

    Gives from when on. Raises RefusedError, RegisterError.
    """
    async with registration(session.pool) as connection:
        row = await known_device(connection, device)
        others = [one for one in row["bindings"] if one["slot"] != slot]
        bindings = [Binding(slot=one["slot"], person_id=UUID(one["person_id"])) for one in others]
        if person_id is not None:
            bindings.append(Binding(slot=slot, person_id=person_id))
        known = Device(device=device, type=row["device_type"], bindings=tuple(bindings))
        home = await _home(connection, row["home_id"], devices=(known,))
        register = Register(homes=(home,), no_recipient=_meant(no_recipient, person_id))
        await _write_in(session, connection, register, "device bind", device, slot=slot, person=person_id)
        return later(session)


def _meant(no_recipient: bool, person_id: UUID | None) -> tuple[UUID, ...]:  # noqa: FBT001 - the option of that name
    return (person_id,) if no_recipient and person_id is not None else ()


def later(session: Session) -> datetime:
    """When what is written now begins: by then every snapshot of ingest has it."""
    return session.now + timedelta(seconds=BINDING_LEAD_S * session.clock.rate)


async def _write(session: Session, register: Register, command: str, subject: object) -> None:
    async with registration(session.pool) as connection:
        await _write_in(session, connection, register, command, subject)


async def _write_in(
    session: Session,
    connection: Connection,
    register: Register,
    command: str,
    subject: object,
    *,
    new_since: datetime | None = None,
    **details: Any,
) -> None:
    lead_s = BINDING_LEAD_S * session.clock.rate
    await write(connection, register, session.now, lead_s=lead_s, new_since=new_since, by=session.by)
    said: Mapping[str, Any] = {name: str(value) for name, value in details.items() if value is not None}
    await write_down(session, connection, command, str(subject), said)


async def _home(
    connection: Connection, home_id: UUID, *, people: tuple[Person, ...] = (), devices: tuple[Device, ...] = ()
) -> Home:
    """The home as it is, with only these people and devices listed: the others stay as they are."""
    row = await connection.fetchrow(SQL["home"], home_id)
    if row is None:
        raise RefusedError(f"There is no home {home_id}.")
    return Home(home_id=home_id, label=row["label"], time_zone=row["time_zone"], people=people, devices=devices)


async def _doctor(connection: Connection, email: str, also: UUID | None = None) -> Doctor:
    """The doctor as they are, ``also`` among their people: a register lists all of them."""
    row: Record | None = await connection.fetchrow(SQL["doctor"], email.strip().lower())
    if row is None:
        raise RefusedError(f"There is no doctor {email}.")
    addresses = tuple(ContactAddress.model_validate(one) for one in row["addresses"])
    people = {*row["people"], *([also] if also else [])}
    return Doctor(
        email=row["email"],
        name=row["display_name"],
        people=tuple(sorted(people)),
        without_people=not people,
        addresses=addresses,
    )
