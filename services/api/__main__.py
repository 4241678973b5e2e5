"""The process of the console, and the commands that look at its audit."""

import typer

from schemas.metrics import METRICS
from services.api import app, audit_commands
from services.api.settings import ApiSettings
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
cli.add_typer(audit_commands.app, name="audit")


@cli.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Runs until asked to stop."""
    if context.invoked_subcommand is not None:
        return
    run_service(app.run, ApiSettings(), METRICS)


if __name__ == "__main__":
    begin(cli)
