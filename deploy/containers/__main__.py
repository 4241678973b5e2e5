"""`python -m deploy.containers`: images, and a clinic in containers by Docker Compose."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.certificates.authority import CertificateError
from deploy.containers import images
from deploy.containers.clinic import Clinic
from deploy.containers.deployment import Deployment, Reach
from deploy.containers.engine import Engine, find_engine
from deploy.local.errors import StackError
from deploy.local.settings import StackSettings
from deploy.running.steps import print_first_steps

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(highlight=False, soft_wrap=True)
Profile = Annotated[str, typer.Option(help="clinic, or demo: with simulated homes.")]


@cli.command()
def build() -> None:
    """Build the images; what has not changed is not built again."""
    _build(find_engine())


@cli.command()
def up(
    *,
    profile: Profile = "clinic",
    host: Annotated[str, typer.Option(help="The name by which others reach this machine; left out: nobody does.")] = "",
    console_port: int = 8443,
    devices_port: int = 8883,
    watched: Annotated[bool, typer.Option(help="Prometheus, too.")] = False,
    prometheus_port: int = 9090,
) -> None:
    """Build, make secrets and certificates, start everything, wait until it is healthy."""
    engine = find_engine()
    _build(engine)
    clinic = Clinic(Deployment(profile), engine)
    clinic.deployment.prepare(
        Reach(
            profile=profile,
            host=host,
            console_port=console_port,
            devices_port=devices_port,
            watched=watched,
            prometheus_port=prometheus_port,
        )
    )
    with console.status("starting"):
        clinic.up()
    reach = clinic.deployment.reach
    console.print(f"doctors: {clinic.console}, devices: port {reach.devices_port}, both by TLS")
    if reach.watched:
        console.print(f"Prometheus: https://localhost:{reach.prometheus_port}, from this machine alone")
    console.print(f"browsers and devices have to trust {clinic.deployment.ca_file}")
    print_first_steps(console, at=f"{profile}, in containers")


@cli.command()
def down(profile: Profile = "clinic") -> None:
    """End it; data stays."""
    with console.status("stopping"):
        Clinic(Deployment(profile), find_engine()).down()
    console.print("stopped")


@cli.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="A file for a copy of it, too.")] = None, profile: Profile = "clinic"
) -> None:
    """Write the whole database, roles included, to a file; the services go on."""
    with console.status("backing up"):
        made = Clinic(Deployment(profile), find_engine()).back_up()
        if to is not None:
            to.touch(mode=0o600)
            made = Path(shutil.copyfile(made, to))
    console.print(f"{made}, {made.stat().st_size / 1e6:.1f} MB")


@cli.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="A file that a backup wrote.")], profile: Profile = "clinic"
) -> None:
    """Put a backup in the place of the database; log and devices bring the rest."""
    with console.status("restoring"):
        said = Clinic(Deployment(profile), find_engine()).restore(source.resolve())
    console.print(said)


def _build(engine: Engine) -> None:
    with console.status("building"):
        images.build(engine, StackSettings().local, console.print)
    for image, megabytes in images.sizes(engine).items():
        console.print(f"{image}: {megabytes:.0f} MB")


if __name__ == "__main__":
    try:
        cli()
    except (StackError, CertificateError) as error:
        console.print(str(error), style="red", markup=False)
        raise SystemExit(1) from error
