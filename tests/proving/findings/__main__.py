"""The command behind `make same-findings`: exits 0 only where both versions found the same."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from tests.proving.findings.compare import compare
from tests.proving.findings.record import older_form, record

_CHECKOUT: Final = Path(__file__).resolve().parents[3]
_DIRECTORY: Final = _CHECKOUT / ".local" / "findings"
_REPORT: Final = _CHECKOUT / ".local" / "reports" / "same-findings.json"


def _replay(checkout: Path, log: Path, name: str) -> tuple[list[str], dict[str, Any]]:
    findings, figures = log.with_name(f"{name}.jsonl"), log.with_name(f"{name}.json")
    script = _CHECKOUT / "tests" / "proving" / "findings" / "replayed.py"
    # The other checkout's packages, and not those of this one that pip knows.
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(script), str(log), str(findings), str(figures)]
    subprocess.run(command, cwd=checkout, env=environment, check=True)
    return findings.read_text().splitlines(), json.loads(figures.read_text())


def _reads_types(checkout: Path) -> bool:
    """Whether its records say of which type a device is. Rules judge by that: without it, findings would differ."""
    return "_HEAD_WITHOUT_TYPE" in (checkout / "schemas" / "codec.py").read_text()


@contextmanager
def _checked_out(base: str) -> Iterator[Path]:
    """Another version of the code, in a folder of its own."""
    other = _DIRECTORY / "base"
    _worktree("remove", "--force", str(other), check=False)
    _worktree("add", "--detach", str(other), base, check=True)
    try:
        yield other
    finally:
        _worktree("remove", "--force", str(other), check=False)


def _worktree(*arguments: str, check: bool) -> None:
    git = shutil.which("git") or "git"
    subprocess.run([git, "-C", str(_CHECKOUT), "worktree", *arguments], check=check, capture_output=True)


def main(
    *,
    base: Annotated[str, typer.Option(help="The commit that today's code is compared with.")],
    homes: Annotated[int, typer.Option(min=1)] = 230,
    hours: Annotated[int, typer.Option(min=1, help="Of platform time.")] = 24,
    seed: int = 1,
    recording: Annotated[Path | None, typer.Option(help="People of this recording are added.", exists=True)] = None,
    people: Annotated[int, typer.Option(min=1)] = 20,
    whatever_the_rationale: Annotated[bool, typer.Option(help="Passes over a rule's reasons in other words.")] = False,
) -> None:
    """Records a log of a seeded fleet with faults, and replays it with two versions of score."""
    console = Console(highlight=False)
    _DIRECTORY.mkdir(parents=True, exist_ok=True)
    log = _DIRECTORY / "log.bin"
    with console.status("recording the log"):
        recorded = record(
            log, homes=homes, hours=hours, seed=seed, recording=recording, people=people, tick=lambda: None
        )
    console.print(f"{recorded.records:,} records, {recorded.readings:,} readings, {recorded.events:,} events")
    with _checked_out(base) as other, console.status(f"replaying with {base} and with this checkout"):
        before, old = _replay(other, log if _reads_types(other) else older_form(log), "before")
        after, new = _replay(_CHECKOUT, log, "after")
    done = compare(before, after, whatever_the_rationale=whatever_the_rationale)
    figures = {"base": base, "before": old, "after": new, "compared": asdict(done)}
    _REPORT.parent.mkdir(parents=True, exist_ok=True)
    _REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, row in (("before", old), ("after", new)):
        console.print(f"{name}: {', '.join(f'{key} {value}' for key, value in row.items())}")
    console.print(f"same: {done.same} ({', '.join(f'{key}: {value}' for key, value in done.by_rule.items())})")
    for difference in done.differences:
        console.print(difference, markup=False)
    console.print(f"missing: {done.missing}, new: {done.new}, other: {done.other}")
    raise typer.Exit(0 if done.equal else 1)


if __name__ == "__main__":
    typer.run(main)
