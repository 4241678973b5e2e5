"""`make up` and `make down`: in containers where a Docker engine answers, else on the Debian root; says which."""

import subprocess
import sys
from enum import StrEnum
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


def _run(module: str, *arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)


if __name__ == "__main__":
    cli()
