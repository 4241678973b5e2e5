"""The process of ingest: environment, signals, exit code; and the command that clears away after an instance."""

import asyncio

import typer

from schemas.metrics import METRICS
from services.ingest import app, shards
from services.ingest.settings import IngestSettings
from services.runtime.lifecycle import run_process
from services.runtime.logs import configure_logs
from services.runtime.metrics import Metrics, serve_metrics

cli = typer.Typer(add_completion=False, help=__doc__)


@cli.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Runs until asked to stop."""
    if context.invoked_subcommand is not None:
        return
    settings = IngestSettings()
    configure_logs(settings.log.log_level)
    metrics = Metrics(METRICS)

    async def service(stop: asyncio.Event) -> None:
        await app.run(settings, clock=settings.clock.clock(), stop=stop, metrics=metrics)

    with serve_metrics(metrics, settings.log.metrics_port):
        run_process(service)


@cli.command()
def retire() -> None:
    """Clears away after the instance of HB_INGEST_INSTANCE, which has ended for good and whose shards others have."""
    settings = IngestSettings()
    asyncio.run(shards.retire(settings))
    typer.echo(f"instance {settings.instance} is gone")


if __name__ == "__main__":
    cli()
