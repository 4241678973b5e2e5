"""`make up`, `down`, `backup` and `restore`: in containers where a Docker engine answers, else on the Debian root."""

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.containers.clinic import started
from deploy.containers.engine import Engine
from deploy.local.settings import CHECKOUT

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


class Ground(StrEnum):
    """What a platform stands on. ``AUTO``: whatever is there."""

    AUTO = "auto"
    DOCKER = "docker"
    DEBIAN = "debian"


On = Annotated[Ground, typer.Option(help="Docker, a Debian root, or whichever is there.")]
_CONTAINERS: Final = "deploy.containers"
_DEBIAN: Final = "deploy.platform"


@cli.command()
def up(
    *,
    on: On = Ground.AUTO,
    profile: Annotated[str, typer.Option(help="In containers: clinic, or demo.")] = "clinic",
    host: Annotated[str, typer.Option(help="In containers: the name by which others reach this machine.")] = "",
    watched: Annotated[bool, typer.Option(help="In containers: Prometheus, too.")] = False,
) -> None:
    """Starts the full stack and every service."""
    why = Engine().why_unusable() if on is Ground.AUTO else None
    if on is Ground.DOCKER or (on is Ground.AUTO and why is None):
        typer.echo("In containers, by Docker Compose (ON=debian starts it on a Debian root instead).")
        _run(_CONTAINERS, "up", "--profile", profile, "--host", host, *(["--watched"] if watched else []))
    else:
        typer.echo(f"On a Debian root, not in containers: {why or 'as ON=debian asks for'}.")
        _run(_DEBIAN, "up")


@cli.command()
def down() -> None:
    """Ends what `up` started, on either ground."""
    for deployment in started():
        _run(_CONTAINERS, "down", "--profile", deployment.name)
    _run(_DEBIAN, "down")


@cli.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="The file.")] = None,
    stack: Annotated[str, typer.Option(help="On a Debian root: the name of the stack.")] = "dev",
) -> None:
    """Writes the whole database of what runs to a file."""
    _on_its_ground("backup", stack, *(["--to", str(to)] if to else []))


@cli.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="A file that `backup` wrote.")],
    stack: Annotated[str, typer.Option(help="On a Debian root: the name of the stack.")] = "dev",
) -> None:
    """Puts a backup in the place of the database; log and devices bring the rest."""
    _on_its_ground("restore", stack, "--from", str(source))


def _on_its_ground(command: str, stack: str, *arguments: str) -> None:
    """In containers where a platform runs there, else on the Debian root."""
    names = [one.name for one in started()]
    if len(names) > 1:
        typer.echo(
            f"{' and '.join(names)} run in containers: python -m deploy.containers {command} --profile …", err=True
        )
        raise typer.Exit(2)
    if names:
        _run(_CONTAINERS, command, *arguments, "--profile", names[0])
    else:
        _run(_DEBIAN, command, "--name", stack, *arguments)


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


if __name__ == "__main__":
    cli()
