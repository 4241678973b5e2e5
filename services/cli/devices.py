"""`hearthbeat device …`: devices and their credentials."""

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import typer
from pydantic import ValidationError

from schemas.device_life import LifeStep
from schemas.devices import DEVICE_TYPES
from services.api.registration import registration
from services.cli import additions
from services.cli.credentials import SQL, Broker, open_broker, update_broker
from services.cli.device_steps import NOBODY_CHECKED, Name, do_step, say_done
from services.cli.first_uplinks import Contact, shell_variables, try_it
from services.cli.options import By, Json, NoRecipient, Slot
from services.cli.session import RefusedError, Session, refuse_invalid, run, say, settings_of, show
from services.runtime.database import Connection
from services.runtime.tls import TlsSettings

app = typer.Typer()
_TYPES: Final = ", ".join(one.code for one in DEVICE_TYPES)


@app.command()
def add(  # noqa: PLR0913 - the options of a command
    device: Name,
    *,
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help=f"One of {_TYPES}.")],
    home: Annotated[UUID, typer.Option(help="The id of the home where it stands.")],
    person: Annotated[UUID | None, typer.Option(help="Whose it is, an id; left out: nobody's yet.")] = None,
    slot: Slot = 1,
    since: Annotated[
        datetime | None,
        typer.Option(help="Whose it was before now, for what it still holds; UTC, as 2026-11-22T14:30:00."),
    ] = None,
    no_recipient: NoRecipient = False,
    shell: Annotated[
        bool, typer.Option("--shell", help="Print DEVICE, SHARD, HOST, PORT, SECRET and CLOCK, for eval in a shell.")
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Register a device that is new, and show its secret, once.

    The broker knows it when the command ends, and nobody's session was lost. --since is for a device whose readings
    lie in its memory since before it was registered; the command is written down with your name in any case.
    """
    new = additions.NewDevice(
        device=device,
        type=type_,
        home_id=home,
        person_id=person,
        slot=slot,
        since=since and since.replace(tzinfo=UTC),
        no_recipient=no_recipient,
    )

    async def work(session: Session) -> tuple[additions.AddedDevice, Broker, bool]:
        broker = open_broker()
        return await additions.add_device(session, broker, new), broker, session.clock.rate == 1

    try:
        added, broker, real_time = run(work, by=by)
    except ValidationError as error:
        refuse_invalid(error)
    _show_added(added, broker, new, real_time=real_time, shell=shell, as_json=as_json)


def _show_added(
    added: additions.AddedDevice,
    broker: Broker,
    new: additions.NewDevice,
    *,
    real_time: bool,
    shell: bool,
    as_json: bool,
) -> None:
    host, _, port = broker.devices_at.rpartition(":")
    ca_file = settings_of(TlsSettings).ca_file
    secret = added.secret if broker.checks else None
    contact = Contact(added.device, added.shard, host, port, secret, str(ca_file) if ca_file else None)
    lines = try_it(contact, new.type, real_time=real_time)
    if shell:
        typer.echo("\n".join(shell_variables(contact, real_time=real_time)))
        return

    def text() -> None:
        starts = f"; it is {new.person_id}'s from {added.starts_at:%Y-%m-%d %H:%M:%S} UTC" if added.starts_at else ""
        say.print(f"{added.device} is registered, on shard {added.shard}{starts}.")
        if broker.checks:
            say.print("The broker knows it. Its secret, shown this once:")
        else:
            say.print(f"{NOBODY_CHECKED} Its secret, for a broker that checks:")
        typer.echo(added.secret)
        say.print("\nTo send as this device (mosquitto_pub is in the package mosquitto-clients):\n", style="dim")
        for line in lines:
            typer.echo(line, err=True)

    facts = {"device": added.device, "shard": added.shard, "secret": added.secret, "checked": broker.checks,
             "broker": broker.devices_at, "starts_at": added.starts_at and added.starts_at.isoformat(),
             "try_it": lines}  # fmt: skip
    show(as_json, facts, text)


@app.command()
def bind(
    device: Name,
    *,
    person: Annotated[UUID | None, typer.Option(help="Whose the slot will be, an id; left out: nobody's.")] = None,
    slot: Slot = 1,
    no_recipient: NoRecipient = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Give a device, or one slot of a shared one, to another person, ten seconds from now."""

    async def work(session: Session) -> datetime:
        return await additions.bind_device(session, device, slot, person, no_recipient=no_recipient)

    starts_at = run(work, by=by)
    facts = {"device": device, "slot": slot, "person": person, "starts_at": starts_at.isoformat()}
    whose = f"{person}'s" if person else "nobody's"
    show(as_json, facts, lambda: say.print(f"Slot {slot} of {device} is {whose} from {starts_at:%H:%M:%S} UTC."))


@app.command()
def remove(device: Name, *, by: By = None, as_json: Json = False) -> None:
    """Take a device away for good: nobody listens to it any more. What it has measured stays.

    A connection of it ends at once; it is nobody's ten seconds later.
    """

    async def change(session: Session, connection: Connection, number: int) -> None:
        if plans := await connection.fetchval(SQL["plans_of_device"], number):
            raise RefusedError(f"{plans} dose plans use {device}; end them first, by a register file without them.")
        await connection.execute(SQL["remove"], number, additions.later(session), session.now)

    _, broker = run(lambda session: do_step(session, device, LifeStep.REMOVE, change), by=by)
    say_done(device, f"{device} is removed.", broker, as_json=as_json)


@app.command()
def sync(*, as_json: Json = False) -> None:
    """Write the broker's files anew from the database, as after a restore; nobody's session is lost."""

    async def work(session: Session) -> Broker:
        broker = open_broker()
        async with registration(session.pool) as connection:
            await update_broker(connection, broker, session.now)
        return broker

    broker = run(work)
    said = "The broker lets in whom the database says." if broker.checks else NOBODY_CHECKED
    show(as_json, {"checked": broker.checks}, lambda: say.print(said))
