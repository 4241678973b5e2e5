"""The commands on a CA: make, renew, show."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.certificates.authority import NAME, RENEW_DAYS, Authority, CertificateError, Held
from deploy.certificates.files import CA_CERTIFICATE

SOON_DAYS: Final = 30
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the CA; for its owner alone.")]


def make_app(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> typer.Typer:
    """The commands. ``now`` is a clock."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, help="The deployment's own CA and what it signs.")
    console = Console(soft_wrap=True, highlight=False)

    @app.command()
    def make(
        directory: Directory,
        *,
        server: Annotated[
            list[str] | None, typer.Option(metavar="NAME=HOST,...", help="A server, and how clients name it.")
        ] = None,
        client: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Somebody who signs in by one.")] = None,
        name: Annotated[str, typer.Option(help="What a new CA is called.")] = "HearthBeat private CA",
        new_ca: Annotated[bool, typer.Option("--new-ca", help="Replace the CA: everybody needs the new one.")] = False,
    ) -> None:
        """Make a CA where there is none, and sign what is missing. Give it again with more, and it adds those."""
        with _failing(console):
            servers = dict(_server(text) for text in server or ())
            made = (
                Authority.create(directory, name, now(), replace=True)
                if new_ca
                else Authority.open_or_create(directory, name, now())
            )
            for signed in made.provide(servers, client or (), now()):
                console.print(f"signed {made.leaf_file(signed)}", markup=False)
            console.print(f"clients trust {directory / CA_CERTIFICATE}", markup=False)

    @app.command()
    def renew(
        directory: Directory,
        *,
        within_days: Annotated[int, typer.Option(min=0, help="Whatever ends sooner.")] = RENEW_DAYS,
        everything: Annotated[bool, typer.Option("--all", help="However long they last yet.")] = False,
    ) -> None:
        """Sign anew what ends soon, with new keys and for the same hosts. The CA stays; safe to run every day."""
        with _failing(console):
            days = 1_000_000 if everything else within_days
            renewed = Authority.open(directory).renew(now(), within_days=days)
            console.print(f"renewed {', '.join(renewed) or 'nothing'}", markup=False)

    @app.command()
    def show(
        directory: Directory,
        *,
        within_days: Annotated[int, typer.Option(min=0, help="What ends sooner makes the exit code 1.")] = SOON_DAYS,
    ) -> None:
        """Show what ends when. The exit code is 1 where something ends soon."""
        with _failing(console):
            held = Authority.open(directory).held()
        console.print(_table(held, now()))
        if any(one.days(now()) < within_days for one in held):
            raise typer.Exit(1)

    return app


def _server(text: str) -> tuple[str, list[str]]:
    """``NAME=HOST,HOST``. Raises CertificateError."""
    name, _, hosts = text.partition("=")
    found = [host for host in hosts.split(",") if host]
    if not NAME.fullmatch(name) or not found:
        raise CertificateError(f"{text!r} is not of the form NAME=HOST,HOST")
    return name, found


def _table(held: list[Held], now: datetime) -> Table:
    table = Table("name", "kind", "ends", "days", "for")
    for one in held:
        kind = one.kind or "ca"
        table.add_row(one.name, kind, f"{one.ends:%Y-%m-%d}", str(one.days(now)), " ".join(one.hosts))
    return table


@contextmanager
def _failing(console: Console) -> Iterator[None]:
    """Ends the command, in a sentence, with exit code 2."""
    try:
        yield
    except (CertificateError, OSError) as error:
        console.print(str(error), markup=False, style="red")
        raise typer.Exit(2) from error
