"""`make up` and `make down`: the full stack and every service on it, left running until asked to end."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.errors import StackError
from deploy.local.proc import reference, wait_gone
from deploy.local.settings import CHECKOUT, SERVERS, StackSettings
from deploy.local.stack import Stack
from deploy.platform.keeper import console_of, keeper_of, record_of
from deploy.platform.platform import Platform, take_over
from deploy.platform.tool import ToolError
from deploy.running.steps import print_first_steps

RESTART_AFTER_S: Final = 0.5
_READY_S: Final = 30.0

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console(highlight=False)
Name = Annotated[str, typer.Option(help="Which stack; each has its own data and ports.")]


@cli.command()
def up(
    name: Name = "dev",
    *,
    tls: Annotated[bool, typer.Option("--tls", help="Servers by TLS alone; a stack that was so stays so.")] = False,
) -> None:
    """Starts everything and leaves it running under a keeper that starts again what ends."""
    stack = Stack(StackSettings(name=name, tls=tls))
    with console.status("preparing and starting mosquitto, Apache Kafka and TimescaleDB") as status:
        stack.prepare(console.print)
        stack.start()
        status.update("starting the services")
        _start_services(stack)
    _show(stack)


def _start_services(stack: Stack) -> None:
    """Under a keeper, unless there is one."""
    if keeper_of(stack.settings.run_directory) is None:
        subprocess.Popen(
            [sys.executable, "-m", "deploy.platform", "keep", "--name", stack.settings.name],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(stack.settings.run_directory / "keeper.log").open("wb"),
            start_new_session=True,
        )
    deadline = time.monotonic() + _READY_S
    while keeper_of(stack.settings.run_directory) is None:
        if time.monotonic() > deadline:
            console.print(f"[red]the services did not start; see {stack.settings.run_directory}/keeper.log[/]")
            raise typer.Exit(1)
        time.sleep(0.1)


def _stop_services(stack: Stack) -> None:
    keeper = keeper_of(stack.settings.run_directory)
    if keeper is not None:
        keeper.send(signal.SIGTERM)
        for late in wait_gone([keeper], 90):
            late.send(signal.SIGKILL)
    record_of(stack.settings.run_directory).unlink(missing_ok=True)


@cli.command()
def down(name: Name = "dev") -> None:
    """Ends the services, then the servers; data stays."""
    stack = Stack(StackSettings(name=name))
    with console.status("stopping"):
        _stop_services(stack)
        stack.stop()
    console.print("stopped")


@cli.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="The file; one named by the time if not given.")] = None,
    name: Name = "dev",
) -> None:
    """Writes the whole database, roles included, to a file; the services go on."""
    stack = Stack(StackSettings(name=name))
    path = to or CHECKOUT / ".local" / "backups" / f"{name}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.tar.gz"
    with console.status("backing up"):
        stack.back_up(path.resolve())
    console.print(f"{path}, {path.stat().st_size / 1e6:.1f} MB")


@cli.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="A file that `make backup` wrote.")], name: Name = "dev"
) -> None:
    """Stops the services, replaces the database by a backup, lets log and devices bring the rest, starts again."""
    stack = Stack(StackSettings(name=name))
    with console.status("starting the servers") as status:
        stack.start()
        status.update("stopping the services")
        _stop_services(stack)
        status.update("putting the backup in the place of the database")
        stack.put_back(source.resolve())
        platform = Platform(stack)
        status.update("taking the database over")
        said = take_over(platform)
        status.update("starting the services")
        _start_services(stack)
    console.print(said)
    _show(stack)


@cli.command(hidden=True)
def keep(name: Name = "dev") -> None:
    """The keeper: runs the services until SIGTERM."""
    asyncio.run(_keep(Stack(StackSettings(name=name))))


async def _keep(stack: Stack) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    platform = Platform(stack, followed=True)
    await asyncio.to_thread(platform.prepare)
    platform.start()
    own = reference(os.getpid())
    assert own is not None  # noqa: S101 - this process is alive
    record_of(stack.settings.run_directory).write_text(
        json.dumps({"pid": own.pid, "started": own.started, "console": platform.console_url})
    )
    try:
        while not stop.is_set():
            await asyncio.sleep(RESTART_AFTER_S)
            for service in platform.restart_ended():
                sys.stderr.write(f"started {service} again\n")
    finally:
        await asyncio.to_thread(platform.stop)


def _show(stack: Stack) -> None:
    table = Table("part", "where")
    where = {"mosquitto": f"{stack.mqtt_host}:{stack.mqtt_port} for devices", "kafka": stack.kafka_bootstrap}
    where["postgresql"] = stack.dsn.rpartition("@")[2]
    for server in SERVERS:
        table.add_row(server, where[server])
    table.add_row("console", console_of(stack.settings.run_directory))
    console.print(table)
    print_first_steps(console, at=f"the stack {stack.settings.name}")


if __name__ == "__main__":
    try:
        cli()
    except (StackError, ToolError) as error:
        console.print(f"[red]{error}[/red]")
        raise SystemExit(1) from error
