"""The command behind `make fuzz`: decoder, properties and API, one after the other or one alone; writes a report."""

import json
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from deploy.local.settings import CHECKOUT
from tests.proving.fuzz.runs import fuzz_api, fuzz_decoder, fuzz_properties

REPORT: Final = CHECKOUT / ".local" / "reports" / "fuzz.json"
Executions = Annotated[int, typer.Option(min=1)]
Examples = Annotated[int, typer.Option(min=1)]
Calls = Annotated[int, typer.Option(min=1)]
Seed = Annotated[int, typer.Option(min=1)]

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
_console = Console(highlight=False)


@cli.command()
def decoder(*, executions: Executions = 1_000_000, seed: Seed = 1) -> None:
    """A coverage-guided fuzzer on the codec and on the judge of ingest."""
    _report({"decoder": fuzz_decoder(executions, seed)})


@cli.command()
def properties(*, examples: Examples = 50_000) -> None:
    """Hypothesis on what holds for every uplink."""
    _report({"properties": fuzz_properties(examples)})


@cli.command()
def api(*, calls: Calls = 5_000) -> None:
    """Schemathesis on the whole OpenAPI of the console."""
    _report({"api": fuzz_api(calls)})


@cli.command()
def everything(
    *, executions: Executions = 1_000_000, examples: Examples = 50_000, calls: Calls = 5_000, seed: Seed = 1
) -> None:
    """All three."""
    report = {"properties": fuzz_properties(examples), "api": fuzz_api(calls)}
    _report(report | {"decoder": fuzz_decoder(executions, seed)})


def _report(report: dict[str, dict[str, Any]]) -> None:
    """Prints, adds to the report what was run, and ends with 1 where anything was found or not run."""
    kept = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(kept | report, indent=2) + "\n")
    for name, result in report.items():
        figures = ", ".join(f"{key} {value:,}" for key, value in result.items() if type(value) is int)
        _console.print(f"{name}: {figures}" + ("" if result["ok"] else " - not as it should be"))
        if result.get("last_words") or result.get("not_run"):
            _console.print(result.get("not_run") or result["last_words"], markup=False)
    _console.print(f"Report: {REPORT}")
    raise typer.Exit(0 if all(result["ok"] for result in report.values()) else 1)


if __name__ == "__main__":
    cli()
