"""The command behind `make train`: fits everything that is learned, and writes it with its cards into a folder."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from services.score.settings import SHIPPED
from tests.proving.scorecard.section import MissingDataError, Wanted
from tests.proving.training.artefact_files import write
from tests.proving.training.card_page import write_card
from tests.proving.training.models import TRAINED


def main(
    data: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Holds the recordings.")],
    into: Annotated[Path, typer.Option(help="Where the models go.")] = SHIPPED,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Measure each model on people it was not fitted on, fit it on all of them, write it with its card."""
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for one in TRAINED:
            task = progress.add_task(one.kind.replace("_", " "), total=1.0)
            wanted = Wanted(data=data, seed=seed, report=partial(_show, progress, task))
            try:
                measured = one.measured(wanted)
                artefact = one.fitted(wanted, measured)
            except MissingDataError as error:
                console.print(f"{one.kind} was not fitted: {error}", style="bold red")
                raise typer.Exit(1) from error
            size = write(into, artefact)
            page = write_card(into, artefact, measured)
            progress.update(task, completed=1.0)
            console.print(
                f"{one.kind}: {size / 1000:,.1f} kB of {len(artefact.card.people)} people; its card is {page}"
            )


def _show(progress: Progress, task: TaskID, share: float) -> None:
    progress.update(task, completed=share)


if __name__ == "__main__":
    typer.run(main)
