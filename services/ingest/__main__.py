"""The process of ingest, and the command that clears away after an instance."""

import asyncio

import typer

from schemas.metrics import METRICS
from services.ingest import app, shards
from services.ingest.settings import IngestSettings
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Runs until asked to stop."""
    if context.invoked_subcommand is not None:
        return
    run_service(app.run, IngestSettings(), METRICS)


@cli.command()
def retire() -> None:
    """Clears away after the instance of HB_INGEST_INSTANCE, which has ended for good and whose shards others have."""
    settings = IngestSettings()
    asyncio.run(shards.retire(settings))
    typer.echo(f"instance {settings.instance} is gone")


if __name__ == "__main__":
    begin(cli)
