"""The verdicts of a run: a line a scenario for people, JSON for machines."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.scenarios.options import DUE_S, SOON_S, STEP_MS, Options


def as_report(options: Options, failures: Mapping[str, list[tuple[str, str]]], seconds: float) -> dict[str, Any]:
    """``failures`` by scenario; none: it passed."""
    failed = sum(bool(one) for one in failures.values())
    return {
        "passed": len(failures) - failed,
        "failed": failed,
        "seconds": round(seconds, 1),
        "speed": options.speed or "max",
        "stack": options.stack,
        "allowance_s": {"real": False, "any": STEP_MS / 1000, "due_row": STEP_MS / 1000}
        if options.is_stepped
        else {"real": True, "any": SOON_S, "due_row": DUE_S},
        "scenarios": {
            name: {"passed": not found, "failures": [{"expected": said, "seen": seen} for said, seen in found]}
            for name, found in sorted(failures.items())
        },
    }


def write_report(report: Mapping[str, Any], path: Path) -> None:
    """As JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


def show_scenario(console: Console, name: str, failures: list[tuple[str, str]]) -> None:
    """A line, and what did not hold under it."""
    console.print(f"{'[bold red]failed[/]' if failures else '[bold green]passed[/]'} {name}", highlight=False)
    for expected, seen in failures:
        console.print(f"  expected {expected}", markup=False, highlight=False)
        console.print(f"  seen     {seen}", markup=False, highlight=False)


def show_sum(console: Console, report: Mapping[str, Any]) -> None:
    """How many passed, how long it took, and how late things could come."""
    allowed = report["allowance_s"]
    what = "real" if allowed["real"] else "platform"
    console.print(
        f"{report['passed']} passed, {report['failed']} failed in {report['seconds']:.0f} s"
        f" (what must happen may come {allowed['any']:g} s {what} time later, by a due row {allowed['due_row']:g} s)",
        highlight=False,
    )
