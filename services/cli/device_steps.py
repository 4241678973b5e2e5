"""`hearthbeat device …`: the steps in the life of a device's credential, from its claim to its end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar

import typer

from schemas.broker_access import new_secret, verifier_of
from schemas.device_life import Claim, ClaimVerdict, LifeFacts, LifeState, LifeStep, after, hash_of, judge, new_code
from schemas.device_life import state_of as state_of_facts
from services.api.registration import registration
from services.cli.credentials import (
    Broker,
    admitted,
    give_credentials,
    known_device,
    open_broker,
    update_broker,
    wake_follower,
    write_down,
)
from services.cli.options import By, Json
from services.cli.session import Code, RefusedError, Session, run, say, show
from services.runtime.database import Connection, Queries, load_queries

T = TypeVar("T")
app = typer.Typer()
STEPS: Final[Queries] = load_queries("services.cli", "device_steps.sql")
NOBODY_CHECKED: Final = "This broker checks nobody: whoever reaches it may say that it is this device."
_MOST_CHANGES: Final = 20
_REFUSED: Final = {
    ClaimVerdict.UNKNOWN: "There is no such code.",
    ClaimVerdict.OVER: "The code is over; make another one with hearthbeat device claim.",
    ClaimVerdict.WITHDRAWN: "The code was withdrawn: another one was made after it, or its device was revoked.",
    ClaimVerdict.USED: "The code was used before. Somebody else may have it: operators are notified of that.",
}
Name = Annotated[str, typer.Argument(metavar="DEVICE", help="Its name: lower-case letters, digits and hyphens.")]
Change = Callable[[Session, Connection, int], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Made:
    """A claim that was made: its code, shown once, and until when it is good."""

    code: str
    ends_at: datetime


@app.command()
def claim(
    device: Name,
    *,
    hours: Annotated[int, typer.Option(min=1, max=24 * 90, help="For how long the code is good.")] = 72,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Give out a one-time code that a device without a secret trades for its own; one that was open is withdrawn."""

    async def change(session: Session, connection: Connection, number: int) -> Made:
        made = Made(new_code(), session.now + timedelta(hours=hours))
        await connection.execute(STEPS["withdraw_claims"], number, session.now)
        await connection.execute(STEPS["make_claim"], number, hash_of(made.code), session.now, made.ends_at)
        return made

    made, _ = run(lambda session: do_step(session, device, LifeStep.CLAIM, change), by=by)

    def text() -> None:
        say.print(f"The code of {device}, shown this once, good once, until {made.ends_at:%Y-%m-%d %H:%M} UTC:")
        typer.echo(made.code)

    show(as_json, {"device": device, "code": made.code, "ends_at": made.ends_at.isoformat()}, text)


@app.command()
def activate(
    code: Annotated[str, typer.Argument(help="What `device claim` has shown; case and hyphens don't count.")],
    *,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Trade a code for the secret of its device, shown once. A code that comes twice is refused, and alarms operators.

    The exit code is 1 where the code is refused.
    """
    (device, secret), broker = run(lambda session: trade(session, code), by=by)

    def text() -> None:
        said = "" if broker.checks else f" {NOBODY_CHECKED}"
        say.print(f"{device} is active. Its secret, shown this once:{said}")
        typer.echo(secret)

    show(as_json, {"device": device, "secret": secret, "checked": broker.checks}, text)


async def trade(session: Session, code: str) -> tuple[tuple[str, str], Broker]:
    """The device of a code and its new secret. Raises RefusedError, also where that is written down."""
    broker = open_broker()
    async with registration(session.pool) as connection:
        row = await connection.fetchrow(STEPS["claim"], hash_of(code))
        found = None if row is None else Claim(**{name: row[name] for name in Claim.model_fields})
        verdict = judge(found, session.now)
        if row is not None and verdict is ClaimVerdict.USED:
            # Committed, though the trade is refused: it is what operators have to hear of.
            await connection.execute(STEPS["used_again"], row["claim_no"], session.now)
            await write_down(session, connection, "device claim used again", row["device"], {})
        elif row is not None and verdict is ClaimVerdict.GOOD:
            device = row["device"]
            await _allowed(connection, device, LifeStep.ACTIVATE)
            await connection.execute(STEPS["use_claim"], row["claim_no"], session.now)
            secret = (await give_credentials(connection, [device], session.now))[device]
            await write_down(session, connection, "device activate", device, {})
            await update_broker(connection, broker, session.now, [device])
    if verdict is not ClaimVerdict.GOOD:
        raise RefusedError(_REFUSED[verdict])
    await wake_follower(session)
    return (device, secret), broker


@app.command()
def rotate(
    device: Name,
    *,
    after_min: Annotated[
        int,
        typer.Option(
            "--after", min=0, max=24 * 60, metavar="MINUTES",
            help="The old secret is good for so long yet; needs hearthbeat device follow.",
        ),
    ] = 0,
    by: By = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Give a device a new secret, shown once. A connection with the old one ends at once, or after so many minutes.

    A suspended device stays out until it is resumed.
    """

    async def change(session: Session, connection: Connection, number: int) -> tuple[str, datetime | None]:
        life = await _state(connection, device)
        if not after_min or life is not LifeState.ACTIVE:
            return (await give_credentials(connection, [device], session.now))[device], None
        secret, starts = new_secret(), session.now + timedelta(minutes=after_min)
        await connection.execute(STEPS["rotate_later"], number, verifier_of(secret), starts, session.now)
        return secret, starts

    (secret, starts), broker = run(lambda session: do_step(session, device, LifeStep.ROTATE, change), by=by)

    def text() -> None:
        when = "" if starts is None else f", good from {starts:%H:%M:%S} UTC on, when the old one ends"
        say.print(
            f"The new secret of {device}{when}, shown this once:" + ("" if broker.checks else f" {NOBODY_CHECKED}")
        )
        typer.echo(secret)

    facts = {"device": device, "secret": secret, "checked": broker.checks, "good_from": starts and starts.isoformat()}
    show(as_json, facts, text)


@app.command()
def suspend(device: Name, *, by: By = None, as_json: Json = False) -> None:
    """Keep a device out of the broker until it is resumed; a connection of it ends."""
    _do(device, LifeStep.SUSPEND, f"{device} is suspended.", _execute("suspend"), by=by, as_json=as_json)


@app.command()
def resume(device: Name, *, by: By = None, as_json: Json = False) -> None:
    """Let a suspended device in again, with the secret that it had."""

    async def change(_session: Session, connection: Connection, number: int) -> None:
        await connection.execute(STEPS["resume"], number)

    _do(device, LifeStep.RESUME, f"{device} may sign in again.", change, by=by, as_json=as_json)


@app.command()
def revoke(device: Name, *, by: By = None, as_json: Json = False) -> None:
    """End a device's secret, or a code that it has not used yet, for good; a connection of it ends.

    It stays registered, and its bindings stay. Nothing but `device wipe` and a new claim brings it back.
    """

    async def change(session: Session, connection: Connection, number: int) -> None:
        await connection.execute(STEPS["withdraw_claims"], number, session.now)
        await connection.execute(STEPS["revoke"], number, session.now)

    _do(device, LifeStep.REVOKE, f"{device} is revoked.", change, by=by, as_json=as_json)


@app.command()
def wipe(device: Name, *, by: By = None, as_json: Json = False) -> None:
    """Forget the secret of a revoked device, so that it can be claimed anew. What it has measured stays.

    What the device itself remembers, only its own reset takes away: docs/firmware.md.
    """

    async def change(_session: Session, connection: Connection, number: int) -> None:
        await connection.execute(STEPS["wipe"], number)

    said = f"Nothing lets {device} in any more; hearthbeat device claim {device} begins anew."
    _do(device, LifeStep.WIPE, said, change, by=by, as_json=as_json)


@app.command()
def life(device: Name, *, as_json: Json = False) -> None:
    """Show where a device is in its life, and what was done with it, the newest first."""

    async def work(session: Session) -> tuple[LifeState, list[tuple[datetime, str, str]]]:
        async with session.pool.acquire() as connection:
            state = await _state(connection, device)
            rows = await connection.fetch(STEPS["life_changes"], device, _MOST_CHANGES)
        return state, [(row["changed_at"], row["changed_by"], row["command"]) for row in rows]

    state, changes = run(work)

    def text() -> None:
        say.print(f"{device} is {state}.")
        for at, by, command in changes:
            say.print(f"{at:%Y-%m-%d %H:%M:%S} UTC  {command}, by {by}", markup=False)

    plain = [{"at": at.isoformat(), "by": by, "command": command} for at, by, command in changes]
    show(as_json, {"device": device, "state": state, "changes": plain}, text)


@app.command()
def doubted(*, as_json: Json = False) -> None:
    """List devices whose code was brought twice: either time it may have been a thief.

    A device leaves the list when it has another secret, or is suspended or revoked. The exit code is 1 where there are
    some.
    """

    async def work(session: Session) -> list[tuple[str, datetime, datetime]]:
        rows = await session.pool.fetch(STEPS["doubted_claims"], session.now)
        return [(row["device"], row["used_at"], row["used_again_at"]) for row in rows]

    found = run(work)

    def text() -> None:
        for device, first, again in found:
            say.print(
                f"{device}: used {first:%Y-%m-%d %H:%M:%S}, and again {again:%Y-%m-%d %H:%M:%S} UTC", markup=False
            )

    plain = [
        {"device": device, "used_at": first.isoformat(), "used_again_at": again.isoformat()}
        for device, first, again in found
    ]
    show(as_json, plain, text)
    raise typer.Exit(Code.NO if found else Code.DONE)


async def do_step(session: Session, device: str, step: LifeStep, change: Change[T]) -> tuple[T, Broker]:
    """One step of a device's life: in the database, then at the broker, or neither. Raises RefusedError."""
    broker, now = open_broker(), session.now
    async with registration(session.pool) as connection:
        row = await known_device(connection, device)
        await _allowed(connection, device, step)
        before = await admitted(connection, now)
        done = await change(session, connection, row["device_no"])
        await write_down(session, connection, f"device {step}", device, {})
        # A claim, or a secret that is good later, ends no connection, and no broker stands still for it.
        if await admitted(connection, now) != before:
            await update_broker(connection, broker, now, [device])
    await wake_follower(session)
    return done, broker


def say_done(device: str, said: str, broker: Broker, *, as_json: bool) -> None:
    """What a step has come to."""
    facts = {"device": device, "checked": broker.checks}
    show(as_json, facts, lambda: say.print(said if broker.checks else f"{said} {NOBODY_CHECKED}"))


def _do(device: str, step: LifeStep, said: str, change: Change[None], *, by: str | None, as_json: bool) -> None:
    _, broker = run(lambda session: do_step(session, device, step, change), by=by)
    say_done(device, said, broker, as_json=as_json)


def _execute(name: str) -> Change[None]:
    async def change(session: Session, connection: Connection, number: int) -> None:
        await connection.execute(STEPS[name], number, session.now)

    return change


async def _state(connection: Connection, device: str) -> LifeState:
    """Raises RefusedError where there is no such device."""
    row = await connection.fetchrow(STEPS["life"], device)
    if row is None:
        raise RefusedError(f"There is no device {device}.")
    return state_of_facts(LifeFacts(**{name: row[name] for name in LifeFacts.model_fields}))


async def _allowed(connection: Connection, device: str, step: LifeStep) -> None:
    state = await _state(connection, device)
    if after(state, step) is None:
        raise RefusedError(f"{device} is {state}: there is no {step} from there.")
