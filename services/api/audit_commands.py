"""`python -m services.api audit …`: whether the audit is as it was written, and who looked at somebody's data."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Final, NoReturn, TypeVar
from uuid import UUID

import typer

from services.api.audit_anchors import AnchorFile, AuditSettings
from services.api.audit_chain import Flaw
from services.api.audit_result import Result, write_result
from services.api.audit_verification import Verified, command_queries, verify
from services.api.register_changes import write_change
from services.runtime.clock import to_datetime
from services.runtime.database import LOST_CONNECTION, Pool, open_pool, transaction
from services.runtime.errors import HearthBeatError, SettingError
from services.runtime.settings import ClockSettings, database_for_tools
from services.runtime.starting import settings_of

app = typer.Typer(no_args_is_help=True, help="The audit: who did and saw what.")
_NO: Final = 1
_USAGE: Final = 2
_AWAY: Final = 3
_SAYS_EVERY_S: Final = 5.0
T = TypeVar("T")


class NobodyError(HearthBeatError):
    """There is no person of this id."""


@app.command("verify")
def verify_audit() -> None:
    """Compare every sealed row of the audit with its seal, and the chain of seals with the anchors.

    Prints a line for each row that was changed, is missing or was added, and then exits with 1. HB_API_AUDIT_ANCHORS
    says where the anchors lie; there it also notes what it has found, for the metrics of consoles.
    """
    directory = AuditSettings().anchors
    anchors = AnchorFile(directory) if directory else None
    began = said_at = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _SAYS_EVERY_S:
            said_at = time.monotonic()
            typer.echo(f"{done:,} of {of:,} seals, {said_at - began:.0f} s", err=True)

    def report(one: Flaw) -> None:
        typer.echo(str(one))

    done = _run(lambda pool: verify(pool, anchors, report, progress))
    now = datetime.now(UTC)
    typer.echo(summary(done, now, has_anchors=anchors is not None))
    if directory is not None:
        try:
            write_result(directory, Result(verified_at=now, faults=done.faults))
        except OSError as error:
            typer.echo(f"It could not be noted in HB_API_AUDIT_ANCHORS ({error.strerror}).", err=True)
    raise typer.Exit(_NO if done.faults else 0)


def summary(done: Verified, now: datetime, *, has_anchors: bool) -> str:
    """What was verified, in a few sentences. ``now`` is real time."""
    waits = ""
    if done.oldest_waiting_at is not None:
        waits = f" (the oldest for {max(0.0, (now - done.oldest_waiting_at).total_seconds()):.0f} s)"
    lines = [f"{done.sealed:,} rows are sealed, {done.waiting:,} wait for their seal{waits}."]
    if not has_anchors:
        lines.append("No anchors: HB_API_AUDIT_ANCHORS is not set, so a chain written anew as a whole would not show.")
    elif done.newest is None:
        lines.append("There are no anchors yet.")
    else:
        newest = f"seal {done.newest.seal_no:,} of {done.newest.written_at:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{done.agreeing} of {done.anchors} anchors agree; the newest is {newest}.")
    if done.lost_anchors:
        lines.append(f"{done.lost_anchors} more are of what was lost when a backup was restored.")
    lines.append(f"{done.faults:,} faults." if done.faults else "Nothing was changed, taken away or added.")
    return "\n".join(lines)


@app.command("show")
def show_looks(
    person: Annotated[UUID, typer.Argument(metavar="PERSON", help="An id.")],
    *,
    most: Annotated[int | None, typer.Option(min=1, help="No more lines than that; left out: all.")] = None,
) -> None:
    """Say who looked at a person's data or changed it: when (platform time), who, what; the newest first.

    That somebody asked is written down, too.
    """

    async def work(pool: Pool) -> None:
        sql = command_queries()
        person_no = await pool.fetchval(sql["person_no"], person)
        if person_no is None:
            raise NobodyError(str(person))
        async with transaction(pool) as connection:
            left = most
            async for row in connection.cursor(sql["looks_at_person"], person_no, str(person)):
                if left == 0:
                    break
                left = None if left is None else left - 1
                refused = "" if row["allowed"] else "\trefused"
                typer.echo(f"{row['at']:%Y-%m-%d %H:%M:%S}\t{row['account']}\t{row['what']}{refused}")
            now = to_datetime(ClockSettings().clock().now_ms())
            await write_change(connection, now, _login(), "audit show", str(person), {})

    _run(work)


def _run(work: Callable[[Pool], Awaitable[T]]) -> T:
    async def with_pool() -> T:
        async with open_pool(settings_of(database_for_tools), application="hb-audit") as pool:
            return await work(pool)

    try:
        return asyncio.run(with_pool())
    except SettingError as error:
        _fail(str(error), _USAGE)
    except LOST_CONNECTION as error:
        _fail(f"The database does not answer ({type(error).__name__}).", _AWAY)
    except HearthBeatError as error:
        _fail(str(error), _NO)


def _fail(why: str, code: int) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(code)


def _login() -> str:
    """Who gives the command; '' where this machine doesn't know them, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
