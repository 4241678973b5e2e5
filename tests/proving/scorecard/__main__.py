"""The command behind `make scorecard`: writes `.local/reports/scorecard.json`; exits 1 when a goal was missed."""

import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.settings import CHECKOUT
from tests.proving.scorecard.page import write_page
from tests.proving.scorecard.report import REPORT, document, said, write
from tests.proving.scorecard.scenarios import scenarios
from tests.proving.scorecard.section import MissingDataError, Section, Wanted
from tests.proving.scorecard.sections import SECTIONS

PAGE = CHECKOUT / "docs" / "scorecard.md"
PICTURES = CHECKOUT / "docs" / "pictures"


def main(
    data: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Holds the recordings.")] = None,
    scenario_files: Annotated[
        Path | None, typer.Option("--scenarios", exists=True, help="Scenario files to play and to count as well.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only these sections; may be given several times.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    report: Annotated[Path, typer.Option(help="Where the JSON goes.")] = REPORT,
    *,
    page: Annotated[bool, typer.Option("--page", help="Write docs/scorecard.md and its plots.")] = False,
) -> None:
    """How good alerts are: each detector beside what people would have otherwise."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    unknown = set(only or ()) - set(SECTIONS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(SECTIONS)}", param_hint="--only")
    measured = Measured(seed=seed, report=report)
    measured.measure([name for name in SECTIONS if not only or name in only], data, console)
    if scenario_files is not None:
        measured.add(scenarios(scenario_files))
    found, not_run = measured.found, measured.not_run
    for section in found:
        _show(section, console)
    for name, why in not_run.items():
        console.print(f"{name} was not run: {why}")
    if page:
        write_page(found, not_run, PAGE, PICTURES)
        console.print(f"Page: {PAGE}")
    console.print(f"Report: {report}")
    missed = [one for section in found for one in section.missed]
    for one in missed:
        console.print(one, style="bold red")
    # Without recordings some sections have nothing to count; with a folder each has to.
    raise typer.Exit(1 if missed or measured.failed or not found or (data and not_run) else 0)


class Measured:
    """The sections so far; the JSON is written after each, so that what fails later loses nothing."""

    def __init__(self, *, seed: int, report: Path) -> None:
        self.found: list[Section] = []
        self.not_run: dict[str, str] = {}
        self.failed = False
        self._seed, self._report, self._began = seed, report, time.monotonic()

    def add(self, section: Section) -> None:
        """Takes what a section says."""
        self.found.append(section)
        self._write()

    def measure(self, names: Sequence[str], data: Path | None, console: Console) -> None:
        """Runs sections by their names; what one of them can't read is said, and the others go on."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            for name in names:
                task = progress.add_task(name.replace("_", " "), total=1.0)
                wanted = Wanted(data=data, seed=self._seed, report=partial(_advance, progress, task))
                try:
                    self.add(SECTIONS[name](wanted))
                except MissingDataError as error:
                    self.not_run[name] = str(error)
                except Exception as error:  # noqa: BLE001 - whatever a folder holds, the other sections are worth having
                    self.not_run[name], self.failed = f"{type(error).__name__}: {error}", True
                    console.print_exception()
                progress.update(task, completed=1.0)
        self._write()

    def _write(self) -> None:
        took_s = time.monotonic() - self._began
        write(document(self.found, self.not_run, seed=self._seed, took_s=took_s), self._report)


def _advance(progress: Progress, task: TaskID, share: float) -> None:
    progress.update(task, completed=share)


def _show(section: Section, console: Console) -> None:
    titles = list(dict.fromkeys(title for line in section.lines for title in line.figures))
    table = Table("", *titles, title=section.title)
    for line in section.lines:
        name = f"{line.detector}, {line.group}" if line.group else line.detector
        cells = [said(line.figures[title]) if title in line.figures else "" for title in titles]
        table.add_row(name, *cells, style="bold" if line.is_ours else None)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
