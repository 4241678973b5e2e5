"""The command behind `make faults`: runs lines of the matrix, shows a table, exits non-zero where one failed."""

import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local.settings import CHECKOUT
from tests.proving.faults.lines import LINES
from tests.proving.faults.matrix import LineOutcome, run_lines

REPORT: Final = CHECKOUT / ".local" / "reports" / "faults.json"
_STYLES: Final = {"pass": "green", "fail": "red", "not run": "yellow"}


def main(
    *,
    line: Annotated[list[int] | None, typer.Option(help="Only these lines; may be given several times.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer strikes and shorter outages.")] = False,
    seed: int = 1,
    keep: Annotated[Path | None, typer.Option(help="Where the services' logs are kept; else they are removed.")] = None,
) -> None:
    """Injects the faults of the matrix one after the other and looks at what must hold after each."""
    wanted = [one for one in LINES if not line or one.number in line]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    with console.status("") as status, tempfile.TemporaryDirectory(prefix="hb-faults-") as directory:
        outcomes = []
        for one in run_lines(wanted, keep or Path(directory), status.update, quick=quick, seed=seed):
            outcomes.append(one)
            console.print(f"line {one.line.number}: {one.word}, {one.seconds:.0f} s", style=_STYLES[one.word])
            if one.word == "fail":
                console.print(one.why, style="red", markup=False)
            _report(outcomes, seed=seed, quick=quick)
    console.print(_table(sorted(outcomes, key=lambda one: one.line.number)))
    console.print(f"Report: {REPORT}")
    raise typer.Exit(1 if any(one.word == "fail" for one in outcomes) else 0)


def _report(outcomes: Sequence[LineOutcome], *, seed: int, quick: bool) -> None:
    """Written after each line, so that a run that is broken off has one, too."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(_as_report(outcomes, seed=seed, quick=quick), indent=2, default=str) + "\n")


def _as_report(outcomes: Sequence[LineOutcome], *, seed: int, quick: bool) -> dict[str, object]:
    return {
        "seed": seed,
        "quick": quick,
        "passed": sum(one.word == "pass" for one in outcomes),
        "failed": sum(one.word == "fail" for one in outcomes),
        "not_run": sum(one.word == "not run" for one in outcomes),
        "lines": [
            {
                "line": one.line.number, "fault": one.line.fault, "outcome": one.word, "why": one.why,
                "seconds": round(one.seconds, 1), "figures": dict(one.figures),
            }
            for one in outcomes
        ],
    }  # fmt: skip


def _table(outcomes: Sequence[LineOutcome]) -> Table:
    table = Table("line", "fault", "outcome", "s", "figures")
    for one in outcomes:
        said = ", ".join(f"{name} {value}" for name, value in one.figures.items()) or one.why.splitlines()[0]
        outcome = Text(one.word, style=_STYLES[one.word])
        table.add_row(str(one.line.number), one.line.fault, outcome, f"{one.seconds:.0f}", Text(said))
    return table


if __name__ == "__main__":
    typer.run(main)
