"""The command behind `make chaos-selftest`: plants each defect in a copy, and chaos must turn red every time."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.chaos.defects import CONTROLS, DEFECTS, Defect, Trial
from deploy.chaos.recovery import NotRecoveredError
from deploy.local.settings import CHECKOUT
from deploy.platform.platform import base_environment

REPORT: Final = CHECKOUT / ".local" / "reports" / "chaos-selftest.json"
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache", "docs", "tests")
_SHARED: Final = ("root", "kafka")
_TIMEOUT_S: Final = 600


class SelftestError(RuntimeError):
    """A run ended without a verdict: that is no catch."""


def main(
    only: Annotated[
        list[int] | None, typer.Option(help="Defects by number, from 1; may be given several times.")
    ] = None,
    seed: int = 1,
) -> None:
    """Every defect has to be caught, and the product itself has to pass, with resends and without."""
    console = Console(highlight=False)
    chosen = [DEFECTS[number - 1] for number in only] if only else list(DEFECTS)
    controls = () if only else CONTROLS
    caught: dict[str, list[str]] = {}
    table = Table("trial", "s", "caught by", "red beside that")
    with console.status("") as status:
        for place, trial in enumerate([*controls, *chosen], start=1):
            status.update(f"{place} of {len(controls) + len(chosen)}: {trial.name}")
            began = time.monotonic()
            found = run_with(trial, seed=seed)
            caught[trial.name] = trial.caught(found) if isinstance(trial, Defect) else found
            beside = [why for why in found if why not in caught[trial.name]]
            took = f"{time.monotonic() - began:.0f}"
            table.add_row(trial.name, took, _lines(caught[trial.name]) or Text("nothing"), _lines(beside))
    console.print(table)
    number = sum(bool(caught[defect.name]) for defect in chosen)
    sound = not any(caught[control.name] for control in controls)
    console.print(f"{number} of {len(chosen)} caught" + ("" if sound else "; the product itself is red"))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"seed": seed, "caught": caught}, indent=2) + "\n")
    raise typer.Exit(0 if sound and number == len(chosen) else 1)


def _lines(found: Sequence[str]) -> Text:
    return Text("\n".join(found))


def run_with(trial: Trial, *, seed: int) -> list[str]:
    """Why chaos turned red over a copy of the product with what the trial plants in it; empty where it stayed green."""
    with tempfile.TemporaryDirectory(prefix="hb-selftest-") as directory:
        copy = Path(directory) / "copy"
        shutil.copytree(CHECKOUT, copy, ignore=_LEFT_OUT)
        (copy / ".local").mkdir()
        for name in _SHARED:
            (copy / ".local" / name).symlink_to(CHECKOUT / ".local" / name)
        trial.plant(copy)
        return _run_chaos(copy, trial, seed)


def _run_chaos(copy: Path, trial: Trial, seed: int) -> list[str]:
    targets = [word for target in trial.targets for word in ("--target", target)]
    command = [
        sys.executable, "-m", "deploy.chaos", "--kills", str(trial.kills), "--uplinks", str(trial.uplinks),
        "--seed", str(seed), "--quiet-s", str(trial.quiet_s), *targets,
        "--resends" if trial.resends else "--no-resends",
    ]  # fmt: skip
    ended = subprocess.run(
        command, cwd=copy, env=base_environment(), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    report = copy / ".local" / "reports" / "chaos.json"
    if report.exists():
        found: list[str] = json.loads(report.read_text())["failures"]
        return found
    last_words = ended.stderr.strip().splitlines()[-1:]
    if any(NotRecoveredError.__name__ in line for line in last_words):
        return [f"recovery: {last_words[0]}"]
    raise SelftestError(f"chaos did not come to a verdict:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}")


if __name__ == "__main__":
    typer.run(main)
