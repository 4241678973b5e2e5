"""A run of scenarios: which share a platform, how many platforms at a time, what is said meanwhile."""

import asyncio
import shutil
import time
from collections import defaultdict
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.scenarios.options import Options, PlayError
from deploy.scenarios.play import Failures, play
from deploy.scenarios.report import as_report, show_scenario, show_sum, write_report
from device_sim.scenario.scenario import Scenario

_SAY_EVERY_S: Final = 10.0
_MOST_TOGETHER: Final = 64


def run(options: Options, scenarios: Sequence[Scenario], console: Console, report: Path) -> int:
    """Plays them, reports, and gives the exit code: 0, or 1 where one failed."""
    started_at = time.monotonic()
    forget_older(options.directory)
    found = asyncio.run(_play_all(options, scenarios, console))
    said = as_report(options, found, time.monotonic() - started_at)
    write_report(said, report)
    show_sum(console, said)
    return 1 if said["failed"] else 0


def forget_older(directory: Path) -> None:
    """Removes what runs that have ended left beside ``directory``, which has the name of this process."""
    for other in directory.parent.glob("*"):
        if other.name.isdigit() and not psutil.pid_exists(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)


def groups_of(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Those that share a platform: same start, about as long, and none that stops a part. The longest first."""
    groups: dict[object, list[Scenario]] = defaultdict(list)
    for one in sorted(scenarios, key=lambda one: -one.lasts_ms):
        groups[one.name if one.stops_parts else one.starts_ms].append(one)
    parts = [part for group in groups.values() for part in _parts_of(group)]
    return sorted(parts, key=lambda group: -group[0].lasts_ms)


def _parts_of(group: Sequence[Scenario]) -> list[list[Scenario]]:
    """So many that both cores have one for about as long; what is shorter need not wait for what is longer."""
    size = ceil(len(group) / ceil(len(group) / _MOST_TOGETHER))
    return [list(group[first : first + size]) for first in range(0, len(group), size)]


async def _play_all(options: Options, scenarios: Sequence[Scenario], console: Console) -> dict[str, Failures]:
    groups, found = groups_of(scenarios), dict[str, Failures]()
    turn = asyncio.Semaphore(options.at_once)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:

        async def one(number: int, group: list[Scenario]) -> None:
            async with turn:
                what = group[0].name if len(group) == 1 else f"{len(group)} scenarios with {group[0].name}"
                task = bars.add_task(what, total=1.0)
                said_at = time.monotonic()

                def progress(share: float) -> None:
                    nonlocal said_at
                    bars.update(task, completed=share)
                    if not console.is_terminal and time.monotonic() - said_at > _SAY_EVERY_S:
                        said_at = time.monotonic()
                        console.print(f"{share:4.0%} of {what}", highlight=False)

                try:
                    done = await play(options, group, options.directory / f"{number}", f"{number}", progress)
                except PlayError as error:
                    # The others go on.
                    done = {scenario.name: [("to be played", str(error))] for scenario in group}
                bars.remove_task(task)
            for name, failures in done.items():
                found[name] = failures
                show_scenario(console, name, failures)

        async with asyncio.TaskGroup() as tasks:
            for number, group in enumerate(groups):
                tasks.create_task(one(number, group))
    return found
