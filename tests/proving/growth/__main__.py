"""The command behind `make growth`: writes `.local/reports/growth.json`; exits 1 when a panel's query is too slow."""

import json
import signal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.proving.growth.picture import PICTURE, draw_growth
from tests.proving.growth.queries import About
from tests.proving.growth.run import REPORT, Options, run_growth


def main(
    rows: Annotated[int, typer.Option(min=50_000)] = 50_000_000,
    people: Annotated[int, typer.Option(min=501)] = 600,
    runs: Annotated[int, typer.Option(min=20)] = 100,
    *,
    picture: Annotated[bool, typer.Option(help="Draw docs/pictures/growth.png.")] = False,
) -> None:
    """Readings from one million to ROWS: insert rate, bytes a row, and how long the panels' queries take."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers end and their disk is given back
    console = Console(highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("preparing", total=rows)
        report = run_growth(
            Options(rows=rows, people=people, runs=runs),
            lambda what, written: progress.update(task, description=what, completed=min(written, rows)),
        )
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    _show(report, console)
    console.print(f"Report: {REPORT}")
    if picture:
        draw_growth(report, PICTURE)
        console.print(f"Picture: {PICTURE}")
    raise typer.Exit(1 if report["too_slow"] else 0)


def _show(report: dict[str, Any], console: Console) -> None:
    grown = Table("rows", "inserted a second", "bytes a row", "chunks", *(f"{about}, p95 ms" for about in About))
    for step in report["steps"]:
        bytes_a_row = (step["table_bytes"] + step["index_bytes"]) / step["rows"]
        worst = [
            max(step["queries"][name]["p95_ms"] for name, of in report["about"].items() if of == about)
            for about in About
        ]
        grown.add_row(
            f"{step['rows']:,}", f"{step['insert_rows_per_s']:,}", f"{bytes_a_row:.0f}", str(step["chunks"]),
            *(f"{value:.1f}" for value in worst),
        )  # fmt: skip
    console.print(grown)
    last = Table("query", "rows", "first ms", "p50", "p95", "plan")
    for name, timing in report["steps"][-1]["queries"].items():
        last.add_row(
            name, f"{timing['rows']:,.0f}", f"{timing['first_ms']:.0f}", f"{timing['p50_ms']:.1f}",
            f"{timing['p95_ms']:.1f}", report["plans"][name]["short"],
        )  # fmt: skip
    console.print(last)
    for name in report["too_slow"]:
        console.print(f"[red]{name}: p95 over {report['promised_p95_ms']:.0f} ms[/]")


if __name__ == "__main__":
    typer.run(main)
