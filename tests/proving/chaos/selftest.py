"""The command behind `make chaos-selftest`: plants each defect in a copy, and chaos must turn red every time."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local.settings import CHECKOUT
from deploy.platform.platform import base_environment
from tests.proving.chaos.defects import CONTROLS, DEFECTS, Defect, Trial
from tests.proving.chaos.evidence import LOGS
from tests.proving.chaos.recovery import NotRecoveredError

REPORT: Final = CHECKOUT / ".local" / "reports" / "chaos-selftest.json"
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache", "docs")
_PROVING: Final = Path("tests") / "proving"
_SHARED: Final = ("root", "kafka")
_TIMEOUT_S: Final = 600


class SelftestError(RuntimeError):
    """A run ended without a verdict: that is no catch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A trial and what chaos found: ``caught`` of the defect that was planted, ``beside`` whatever else was red."""

    trial: Trial
    caught: Sequence[str]
    beside: Sequence[str]
    took_s: float


def main(
    only: Annotated[
        list[int] | None, typer.Option(help="Defects by number, from 1; may be given several times.")
    ] = None,
    seed: int = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Trials beside each other; each has servers of its own.")] = 1,
) -> None:
    """Every defect has to be caught, and the product itself has to pass, with resends and without."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(highlight=False)
    chosen = [DEFECTS[number - 1] for number in only] if only else list(DEFECTS)
    trials = [*(() if only else CONTROLS), *chosen]
    table = Table("trial", "s", "caught by", "red beside that")
    with console.status("") as status, ThreadPoolExecutor(at_once) as beside_each_other:
        tried = []
        for one in beside_each_other.map(lambda trial: run_with(trial, seed=seed), trials):
            tried.append(one)
            status.update(f"{len(tried)} of {len(trials)} are done")
            table.add_row(
                one.trial.name, f"{one.took_s:.0f}", _lines(one.caught) or Text("nothing"), _lines(one.beside)
            )
    console.print(table)
    caught = [one for one in tried if one.caught and isinstance(one.trial, Defect)]
    sound = not any(one.caught for one in tried if not isinstance(one.trial, Defect))
    console.print(f"{len(caught)} of {len(chosen)} caught" + ("" if sound else "; the product itself is red"))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = {one.trial.name: {"caught": one.caught, "beside": one.beside, "s": round(one.took_s)} for one in tried}
    REPORT.write_text(json.dumps({"seed": seed, "trials": report}, indent=2) + "\n")
    raise typer.Exit(0 if sound and len(caught) == len(chosen) else 1)


def _lines(found: Sequence[str]) -> Text:
    return Text("\n".join(found))


def run_with(trial: Trial, *, seed: int) -> Tried:
    """Why chaos turned red over a copy of the product with what the trial plants in it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hb-selftest-") as directory:
        copy = Path(directory) / "copy"
        copy_product(copy)
        (copy / ".local").mkdir()
        for name in _SHARED:
            (copy / ".local" / name).symlink_to(CHECKOUT / ".local" / name)
        trial.plant(copy)
        found = _run_chaos(copy, trial, seed)
        caught = trial.caught(found)
        beside = [why for why in found if why not in caught]
        _keep_logs(copy / LOGS.relative_to(CHECKOUT), LOGS / trial.name)
    return Tried(trial=trial, caught=caught, beside=beside, took_s=time.monotonic() - began)


def copy_product(to: Path) -> None:
    """The product and what proves it, without the other tests: nothing in the copy may be found in the original."""
    shutil.copytree(CHECKOUT, to, ignore=lambda at, names: {*_LEFT_OUT(at, names), *_other_tests(at, names)})


def _other_tests(at: str, names: list[str]) -> set[str]:
    kept = {_PROVING.name, "__init__.py"}
    return set(names) - kept if Path(at) == CHECKOUT / _PROVING.parent else set()


def _keep_logs(kept: Path, to: Path) -> None:
    """Those of a trial that was red, as most are, outlive its copy."""
    shutil.rmtree(to, ignore_errors=True)
    if kept.exists():
        shutil.copytree(kept, to)


def _run_chaos(copy: Path, trial: Trial, seed: int) -> list[str]:
    targets = [word for target in trial.targets for word in ("--target", target)]
    command = [
        sys.executable, "-m", "tests.proving.chaos", "--kills", str(trial.kills), "--uplinks", str(trial.uplinks),
        "--seed", str(seed), "--quiet-s", str(trial.quiet_s), *targets,
        "--resends" if trial.resends else "--no-resends",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=copy, env=base_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as chaos:
        try:
            output, errors = chaos.communicate(timeout=_TIMEOUT_S)
        except BaseException:
            chaos.terminate()  # it takes its servers with it
            raise
    report = copy / ".local" / "reports" / "chaos.json"
    if report.exists():
        found: list[str] = json.loads(report.read_text())["failures"]
        return found
    last_words = errors.strip().splitlines()[-1:]
    if any(NotRecoveredError.__name__ in line for line in last_words):
        return [f"recovery: {last_words[0]}"]
    raise SelftestError(f"chaos did not come to a verdict:\n{output[-2000:]}\n{errors[-2000:]}")


if __name__ == "__main__":
    typer.run(main)
