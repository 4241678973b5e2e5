"""The command behind `make drill`: both drills, their report; exits non-zero when something was lost, late or twice."""

import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from deploy.local.settings import CHECKOUT
from tests.proving.drill.run import Options, run_drill
from tests.proving.drill.timers import run_timers

REPORT: Final = CHECKOUT / ".local" / "reports" / "drill.json"


def main(
    *,
    homes: Annotated[int, typer.Option(min=1)] = 40,
    seconds: Annotated[float, typer.Option(min=60, help="Real seconds that homes stream.")] = 140,
    timers: Annotated[int, typer.Option(min=10, help="So many of each kind.")] = 250,
    seed: int = 1,
) -> None:
    """Loses the database and restores it, twice; then lets timers fall due while their services are down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    options = Options(homes=homes, runs_for_s=seconds, seed=seed)
    with console.status("preparing") as status, tempfile.TemporaryDirectory(prefix="hb-drill-") as directory:
        restored = run_drill(options, Path(directory) / "restore", status.update)
        fired = run_timers(timers, Path(directory) / "timers", status.update)
    report = {"restore": restored, "timers": fired, "failures": restored["failures"] + fired["failures"]}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    show(report, console)
    console.print(f"Report: {REPORT}")
    raise typer.Exit(1 if report["failures"] else 0)


def show(report: dict[str, Any], console: Console) -> None:
    """What a person wants to know."""
    restored = report["restore"]
    backup = restored["backup"]
    console.print(f"Backup of {backup['mb']} MB, taken at {backup['at_s']} of {backup['of_s']:.0f} s")
    for way, part in (("the log alone", restored["by_log"]), ("devices alone", restored["by_devices"])):
        before, held = part["rows"]["before"]["readings"], part["rows"]["in_backup"]["readings"]
        console.print(
            f"Restored by {way}: {part['lost']} lost, {part['duplicated']} duplicated; "
            f"the backup had {held:,} of {before:,} readings"
        )
    for kind, fired in report["timers"]["kinds"].items():
        console.print(
            f"{fired['fired']} of {fired['pending']} {kind}: {fired['early']} early, {fired['twice']} twice, "
            f"late p50 {fired['late_s']['p50']} s, p99 {fired['late_s']['p99']} s, most {fired['late_s']['max']} s"
        )
    for why in report["failures"]:
        console.print(why, style="red", markup=False)


if __name__ == "__main__":
    typer.run(main)
