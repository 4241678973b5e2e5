"""`python -m deploy.local`: build, start, end and look at a stack by hand."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local import promtool as promtool_here
from deploy.local.apt import install
from deploy.local.errors import StackError, UnsupportedMachineError
from deploy.local.prepare import prepare as build
from deploy.local.prepare import prepare_docker, prepare_helm, prepare_promtool, why_unavailable
from deploy.local.settings import SERVERS, StackSettings
from deploy.local.stack import Stack

Name = Annotated[str, typer.Option(help="Which stack; each has its own data and ports.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console()


@app.command()
def prepare(
    *,
    browser: Annotated[bool, typer.Option(help="Chromium too, for the tests of the console.")] = False,
    helm: Annotated[bool, typer.Option(help="Helm too, for the tests of the chart.")] = False,
    promtool: Annotated[bool, typer.Option(help="promtool too, for the tests of Prometheus' rules.")] = False,
    docker: Annotated[bool, typer.Option(help="A Docker engine too, for the tests of the images.")] = False,
) -> None:
    """Build the Debian root and fetch Kafka, once for all stacks; nothing where the full stack can't be had."""
    if helm:
        prepare_helm(StackSettings().local, console.print)
    if promtool:
        if reason := promtool_here.why_unavailable():
            console.print(f"no promtool here: {reason}")
        else:
            prepare_promtool(StackSettings().local, console.print)
    if docker:
        _prepare_docker()
    if reason := why_unavailable():
        console.print(f"the full stack can't be had here: {reason}")
        return
    with console.status("preparing") as status:
        build(StackSettings().local, lambda line: _progress(status.update, line))
        if browser:
            install({"chromium": "chromium"})


@app.command()
def up(
    name: Name = "dev",
    mqtt_port: int = 0,
    kafka_port: int = 0,
    postgres_port: int = 0,
    *,
    tls: Annotated[bool, typer.Option("--tls", help="By TLS alone; a stack that was so stays so.")] = False,
) -> None:
    """Start the three servers and leave them running."""
    settings = StackSettings(
        name=name, tls=tls, mqtt_port=mqtt_port, kafka_port=kafka_port, postgres_port=postgres_port
    )
    stack = Stack(settings)
    with console.status("preparing") as status:
        stack.prepare(lambda line: _progress(status.update, line))
        status.update("starting")
        stack.start()
    _show(stack)


@app.command()
def down(name: Name = "dev", *, erase: Annotated[bool, typer.Option(help="Remove its data too.")] = False) -> None:
    """End the recorded servers."""
    settings = _known(name)
    stack = Stack(settings)
    with console.status("stopping"):
        stack.stop()
        if erase:
            stack.erase()


@app.command()
def status(name: Name = "dev") -> None:
    """Show what runs; the exit code is 1 unless all three do."""
    stack = Stack(_known(name))
    _show(stack)
    if not all(stack.process(server).alive for server in SERVERS):
        raise typer.Exit(1)


@app.command()
def renew(name: Name = "dev") -> None:
    """Sign new certificates for all servers of an encrypted stack; only Kafka is started anew."""
    stack = Stack(_known(name))
    if not stack.settings.tls:
        console.print(f"stack {name} has no certificates")
        raise typer.Exit(1)
    with console.status("renewing"):
        stack.renew_certificates()


@app.command()
def versions(name: Name = "dev") -> None:
    """Show the servers' versions and durability settings, as the running stack reports them."""
    stack = Stack(_known(name))
    table = Table("what", "value")
    for what, value in {**stack.versions(), **stack.server_settings()}.items():
        table.add_row(what, value)
    console.print(table)


def _prepare_docker() -> None:
    """Where none can be had, the tests of the images say what that means."""
    try:
        prepare_docker(StackSettings().local, console.print)
    except UnsupportedMachineError as error:
        console.print(f"no Docker engine is fetched here: {error}")


def _known(name: str) -> StackSettings:
    settings = StackSettings(name=name)
    if not settings.run_directory.exists():
        console.print(f"there is no stack {name}")
        raise typer.Exit(1)
    return settings


def _progress(update: Callable[[str], None], line: str) -> None:
    console.print(line)
    update(line)


def _show(stack: Stack) -> None:
    where = {"mosquitto": f"{stack.mqtt_host}:{stack.mqtt_port}", "kafka": stack.kafka_bootstrap}
    where["postgresql"] = stack.dsn.rpartition("@")[2].partition("?")[0]
    table = Table("server", "pid", "where")
    for server in SERVERS:
        table.add_row(server, str(stack.process(server).pid or "not running"), where[server])
    console.print(table)


if __name__ == "__main__":
    try:
        app()
    except StackError as error:
        console.print(f"[red]{error}[/red]")
        raise SystemExit(1) from error
