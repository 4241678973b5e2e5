"""The command behind `make scenarios`: exit 1 where one fails, 2 where a file can't be read."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.scenarios.options import CHECKOUT, HIGHEST_SPEED, Options
from device_sim.scenario.document import ScenarioError
from device_sim.scenario.scenario import read_scenarios


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 < speed <= HIGHEST_SPEED:
        raise typer.BadParameter(f"max, or a number up to {HIGHEST_SPEED:.0f}", param_hint="--speed")
    return speed


def _stack(name: str) -> str:
    if name not in {"embedded", "full"}:
        raise typer.BadParameter("embedded or full")
    return name


def scenarios(
    files: Annotated[list[Path], typer.Argument(help="Scenario files, and folders of them.")],
    speed: Annotated[str, typer.Option(help="Platform seconds a real second, or max: time is stepped.")] = "max",
    stack: Annotated[str, typer.Option(callback=_stack, help="embedded (Python wheels alone) or full.")] = "embedded",
    report: Annotated[Path, typer.Option(help="Where the JSON goes.")] = CHECKOUT / ".local/reports/scenarios.json",
) -> None:
    """Play scenario files on platforms of their own, and say what did not hold (docs/scenarios.md)."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    try:
        found = read_scenarios(files)
    except ScenarioError as error:
        console.print(str(error), markup=False, style="bold red", soft_wrap=True)
        raise typer.Exit(2) from error
    # Not at the top: the servers from wheels are not needed by those who only look after a platform.
    from deploy.scenarios.run import run  # noqa: PLC0415

    directory = CHECKOUT / ".local" / "scenarios" / str(os.getpid())
    options = Options(speed=_speed(speed), stack="full" if stack == "full" else "embedded", directory=directory)
    raise typer.Exit(run(options, found, console, report))


if __name__ == "__main__":
    typer.run(scenarios)
