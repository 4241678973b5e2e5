"""The process of score, and the commands that compare its state with a replay."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from schemas.metrics import METRICS
from services.runtime.lifecycle import run_service
from services.runtime.settings import database_for_tools
from services.runtime.starting import begin
from services.score import app, replay
from services.score.settings import ScoreSettings

Findings = Annotated[Path | None, typer.Option(help="Where to write the findings that rest on readings, one a line.")]

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Runs until asked to stop."""
    if context.invoked_subcommand is not None:
        return
    run_service(app.run, ScoreSettings(), METRICS)


@cli.command()
def export_state(
    *,
    as_it_stands: Annotated[bool, typer.Option(help="Do not wait until score has saved what it did.")] = False,
    findings: Findings = None,
) -> None:
    """Prints the checkpoint: its positions, then a home a line, canonical JSON."""
    settings = ScoreSettings(database=database_for_tools())
    state = asyncio.run(replay.export_state(settings, as_it_stands=as_it_stands))
    if findings is not None:
        findings.write_text(asyncio.run(replay.export_findings(settings)))
    typer.echo(state)


@cli.command()
def replay_state(
    exported: Annotated[Path, typer.Argument(help="What export-state printed: its positions are where to stop.")],
    after: Annotated[Path | None, typer.Option(help="What export-state printed where the log begins.")] = None,
    findings: Findings = None,
) -> None:
    """Prints what export-state has to print, from an undisturbed replay of the log."""
    positions, _ = replay.parsed(exported.read_text())
    before = after.read_text() if after else ""
    done = asyncio.run(replay.replay_to(ScoreSettings(database=database_for_tools()), positions, before))
    if findings is not None:
        findings.write_text(done.reported())
    typer.echo(replay.as_of(positions, done.states()))


if __name__ == "__main__":
    begin(cli)
