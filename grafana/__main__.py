"""The command line: ``python -m grafana build``, ``pictures``, ``caregiver ...``, ``operator ...``."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from getpass import getpass, getuser
from pathlib import Path
from typing import Annotated, Final, TypeVar
from uuid import UUID

import asyncpg
import typer

from grafana import caregivers
from grafana.caregivers import Connection, Sight
from grafana.errors import GrafanaError
from grafana.query_target import Reader
from schemas.presentation import RULE_PRESENTATIONS
from schemas.vitals import VITAL_BY_CODE

T = TypeVar("T")

app: Final = typer.Typer(no_args_is_help=True, help="Dashboards as code, and who may look at them.")
caregiver: Final = typer.Typer(no_args_is_help=True, help="Logins of caregiver groups, and what each sees of whom.")
operator: Final = typer.Typer(no_args_is_help=True, help="Logins of operators, who see counts and no person.")
app.add_typer(caregiver, name="caregiver")
app.add_typer(operator, name="operator")

Dsn = Annotated[str, typer.Option(envvar="HB_DB_DSN", help="The database, as its owner.", show_envvar=True)]
Role = Annotated[str, typer.Argument(help="The group's login; it names a group, never a person.")]
People = Annotated[list[UUID], typer.Option("--person", help="Whom the group may see; several times for several.")]
Vitals = Annotated[list[str] | None, typer.Option("--vital", help=f"Only these: {', '.join(VITAL_BY_CODE)}.")]
ALERTED: Final = tuple(row.rule for row in RULE_PRESENTATIONS)
Rules = Annotated[list[str] | None, typer.Option("--alert", help=f"Only alerts of these rules: {', '.join(ALERTED)}.")]
Moment = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="UTC.")]


@app.command()
def build() -> None:
    """Writes the dashboards' JSON."""
    from grafana.boards import boards  # noqa: PLC0415  # the SDK is needed where dashboards are made, not where logins are

    for board in boards():
        board.file.parent.mkdir(parents=True, exist_ok=True)
        board.file.write_text(board.json, "utf-8")
        typer.echo(f"{board.reader}/{board.file.name}")


@app.command()
def pictures(
    board: Annotated[Reader, typer.Argument(help="Whose dashboards.")],
    dsn: Annotated[str, typer.Option(envvar="HB_GRAFANA_DSN", help="The database, as that reader.", show_envvar=True)],
    out: Annotated[Path, typer.Option(help="Where the PNG files go.")] = Path("docs/pictures"),
    until: Moment = None,
    hours: Annotated[float, typer.Option(min=0.1, help="How far back.")] = 24,
    person: Annotated[UUID | None, typer.Option(help="The first one visible, if not named.")] = None,
) -> None:
    """Draws each panel's result from its own query, as its reader; this is not Grafana's own rendering."""
    from grafana.pictures import draw_boards  # noqa: PLC0415  # the same for matplotlib

    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    for file in _run(lambda: draw_boards(board, dsn, end - timedelta(hours=hours), end, person, out)):
        typer.echo(file.name)


@caregiver.command("add")
def add_caregiver(
    role: Role,
    person: People,
    dsn: Dsn,
    vital: Vitals = None,
    alert: Rules = None,
    doses: Annotated[bool, typer.Option("--doses", help="Medication too, where something else is named.")] = False,  # noqa: FBT002
    since: Moment = None,
    until: Moment = None,
) -> None:
    """Gives a group sight of people: everything, or only what is named. A new login needs a password."""
    if unknown := set(vital or ()) - set(VITAL_BY_CODE):
        raise typer.BadParameter(", ".join(sorted(unknown)), param_hint="--vital")
    if unknown := set(alert or ()) - set(ALERTED):
        raise typer.BadParameter(", ".join(sorted(unknown)), param_hint="--alert")
    sight = Sight.of(vital or (), alert or (), doses=doses, since=_utc(since), until=_utc(until))

    async def work(connection: Connection) -> bool:
        known = await caregivers.is_known(connection, role)
        return await caregivers.add_caregivers(
            connection, role, person, sight, None if known else _password(), by=_login()
        )

    made = _with_database(dsn, work)
    typer.echo(f"{role}: {'new login, ' if made else ''}sees {len(person)} more")


@caregiver.command("end")
def end_caregiver(
    role: Role, dsn: Dsn, person: Annotated[UUID | None, typer.Option(help="Everybody, if not named.")] = None
) -> None:
    """Ends what a group sees, at once."""
    _with_database(dsn, lambda connection: caregivers.end_sight(connection, role, person, by=_login()))


@caregiver.command("remove")
@operator.command("remove")
def remove(role: Role, dsn: Dsn) -> None:
    """Removes a login and all it might see."""
    _with_database(dsn, lambda connection: caregivers.remove_reader(connection, role, by=_login()))


@caregiver.command("password")
@operator.command("password")
def password(role: Role, dsn: Dsn) -> None:
    """Gives a login another password."""
    _with_database(dsn, lambda connection: caregivers.set_password(connection, role, _password(), by=_login()))


@operator.command("add")
def add_operator(role: Role, dsn: Dsn) -> None:
    """Makes the login of an operator."""
    _with_database(dsn, lambda connection: caregivers.add_operator(connection, role, _password(), by=_login()))


def _password() -> str:
    """From HB_GRAFANA_PASSWORD, a terminal, or the first line of standard input; never an argument."""
    if given := os.environ.get("HB_GRAFANA_PASSWORD"):
        return given
    return getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _login() -> str:
    """Who gives the command; '' where this machine doesn't know them, as in a container."""
    try:
        return getuser()
    except (OSError, KeyError):
        return ""


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _with_database(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def connected() -> T:
        connection = await asyncpg.connect(dsn)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return _run(connected)


def _run(work: Callable[[], Awaitable[T]]) -> T:
    async def done() -> T:
        return await work()

    try:
        return asyncio.run(done())
    except (GrafanaError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    app(prog_name="python -m grafana")
