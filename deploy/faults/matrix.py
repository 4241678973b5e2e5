"""Runs lines of the matrix, those of one soil on one ground, and says how each ended."""

import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from deploy.chaos.recovery import NotRecoveredError
from deploy.faults.ground import SOILS, CriterionError, Ground, Say, Soil, open_ground
from deploy.faults.line import Figures, Line
from deploy.local.settings import CHECKOUT
from deploy.platform.ready import NotReadyError

_TESTS_TIMEOUT_S: Final = 300
Word = Literal["pass", "fail", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a line ended. ``why`` says so of one that failed or was not run."""

    line: Line
    word: Word
    seconds: float = 0.0
    figures: Figures
    why: str = ""


def run_lines(lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int) -> list[Outcome]:
    """Every line that was asked for, in the order of the matrix."""
    outcomes = [_not_run(line) for line in lines if line.why_not]
    for soil in SOILS:
        wanted = [line for line in lines if line.soil is soil and line.run]
        outcomes += _on(soil, wanted, directory, say, quick=quick, seed=seed) if wanted else []
    outcomes += [_by_tests(line, say) for line in lines if line.tests and not line.run and not line.why_not]
    return sorted(outcomes, key=lambda one: one.line.number)


def _not_run(line: Line) -> Outcome:
    return Outcome(line=line, word="not run", figures={}, why=line.why_not)


def _on(soil: Soil, lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int) -> list[Outcome]:
    """A line that failed leaves its ground behind: the next one gets a new one."""
    outcomes: list[Outcome] = []
    waiting = list(lines)
    while waiting:
        with ExitStack() as opened:
            where = directory / f"{soil.name}-{len(outcomes)}"
            ground = opened.enter_context(open_ground(soil, where, say, quick=quick, seed=seed))
            while waiting:
                outcomes.append(_attempt(waiting.pop(0), ground))
                if outcomes[-1].word == "fail":
                    break
    return outcomes


def _attempt(line: Line, ground: Ground) -> Outcome:
    assert line.run is not None  # noqa: S101 - only those come here
    ground.say(f"line {line.number}: {line.fault}")
    began = time.monotonic()
    figures: Figures = {}
    why = ""
    try:
        figures = line.run(ground)
        ground.mend()
    except (CriterionError, NotReadyError, NotRecoveredError) as error:
        why = str(error)
    except Exception:  # noqa: BLE001 - a line that breaks is a line that failed; the others still run
        why = traceback.format_exc(limit=-4)
    took = time.monotonic() - began
    return Outcome(line=line, word="fail" if why else "pass", seconds=took, figures=figures, why=why)


def _by_tests(line: Line, say: Say) -> Outcome:
    say(f"line {line.number}: {line.fault}")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *line.tests],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=_TESTS_TIMEOUT_S, check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    return Outcome(
        line=line, word="fail" if done.returncode else "pass", seconds=took, figures={"tests": last[0].strip("= ")},
        why=done.stdout[-2000:] if done.returncode else "",
    )  # fmt: skip
