"""The command behind `make scale`: writes a report; exits non-zero when anything was lost, doubled or otherwise."""

import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.settings import CHECKOUT
from tests.proving.scale.run import Options, run_scale

REPORT: Final = CHECKOUT / ".local" / "reports" / "scale.json"


def main(
    *,
    uplinks_per_s: Annotated[int, typer.Option(min=1)] = 2_000,
    devices: Annotated[int, typer.Option(min=20)] = 1_000,
    changes: Annotated[int, typer.Option(min=1)] = 12,
    every_s: Annotated[float, typer.Option(min=5)] = 10.0,
    phase_s: Annotated[float, typer.Option(min=0, help="0: one worker is not compared with two.")] = 15.0,
    seed: int = 1,
) -> None:
    """Two of every service under a steady load; every few seconds one leaves, or is killed, and joins again."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    options = Options(
        uplinks_per_s=uplinks_per_s, devices=devices, changes=changes, every_s=every_s, phase_s=phase_s, seed=seed
    )
    with console.status("preparing") as status, tempfile.TemporaryDirectory(prefix="hb-scale-") as directory:
        report = run_scale(options, Path(directory), status.update)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    _show(report, console)
    console.print(f"Report: {REPORT}")
    raise typer.Exit(1 if report["failures"] else 0)


def _show(report: dict[str, Any], console: Console) -> None:
    windows, latency = report["uplinks_settled_per_window"], report["device_to_row_p99_ms"]
    console.print(
        f"{report['uplinks']:,} uplinks, {sum(report['leaves_and_joins'].values())} leaves and joins: "
        f"{report['lost']} lost, {report['duplicated']} duplicated, {report['key_conflicts']} key conflicts"
    )
    same = "the same as" if report["findings_equal_to_replay"] else "not the same as"
    console.print(f"{report['findings']:,} findings, {same} those of an undisturbed replay of the log")
    console.print(
        f"Settled in {report['window_s']:.0f} s: {min(windows):,} to {max(windows):,} uplinks. Device to row p99: "
        f"{latency['before']} ms before, {latency['during']} ms during. {report['checkpoints_lost']} checkpoints lost"
    )
    table = Table("stores and scorers", "uplinks/s", "CPU µs a reading", "store", "score", "ingest", "kafka")
    for workers, cost in report["workers"].items():
        spent = cost["cpu_us_per_reading"]
        shown = (spent[name] for name in ("total", "store", "score", "ingest", "kafka"))
        table.add_row(workers, f"{cost['uplinks_per_s']:,}", *(f"{one:.1f}" for one in shown))
    if report["workers"]:
        console.print(table)
    for why in report["failures"]:
        console.print(why, style="red", markup=False)


if __name__ == "__main__":
    typer.run(main)
