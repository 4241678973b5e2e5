"""The command behind `make demo`: exits 0 only when every item is accounted for and every incident notified."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo.options import DemoError, OptionError, Options
from deploy.demo.run import run_demo


def main(
    for_s: Annotated[float, typer.Option(help="Real seconds to run; 0: until Ctrl-C.", min=0)] = 0,
    speed: Annotated[float, typer.Option(help="Platform seconds a real second.", min=0.1)] = 60,
    homes: Annotated[int, typer.Option(min=1, max=500)] = 20,
    seed: int = 1,
    replay: Annotated[Path | None, typer.Option(help="Stream this recording instead of simulated homes.")] = None,
    people: Annotated[int, typer.Option(help="How many people of the recording.", min=1)] = 20,
) -> None:
    """Simulated homes, every service and the doctor's page, from Python wheels alone."""
    started_at = time.monotonic()
    console = Console(highlight=False)
    try:
        options = Options(for_s=for_s, speed=speed, homes=homes, seed=seed, replay=replay, people=people)
    except OptionError as error:
        console.print(f"[bold red]{error}[/]")
        raise typer.Exit(2) from error
    try:
        report = asyncio.run(run_demo(options, started_at, console))
    except DemoError as error:
        console.print(f"[bold red]{error}[/]", markup=False)
        raise typer.Exit(1) from error
    raise typer.Exit(1 if report["failures"] else 0)


if __name__ == "__main__":
    typer.run(main)
