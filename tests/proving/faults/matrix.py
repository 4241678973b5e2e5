"""Runs lines of the matrix, those of one soil on one ground, and says how each ended."""

import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from deploy.local.settings import CHECKOUT
from deploy.platform.ready import NotReadyError
from tests.proving.chaos.recovery import NotRecoveredError
from tests.proving.faults.ground import SOILS, CriterionError, Ground, Say, Soil, open_ground
from tests.proving.faults.line import Figures, Line

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


def run_lines(lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int) -> Iterator[Outcome]:
    """Every line that was asked for, each as it ends: soil by soil, then those that are tests."""
    yield from (Outcome(line=line, word="not run", figures={}, why=line.why_not) for line in lines if line.why_not)
    for soil in SOILS:
        wanted = [line for line in lines if line.soil is soil]
        yield from _on(soil, wanted, directory, say, quick=quick, seed=seed)
    yield from (_by_tests(line, say) for line in lines if line.tests)


def _on(soil: Soil, lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int) -> Iterator[Outcome]:
    """A line that failed leaves its ground behind: the next one gets a new one."""
    waiting = list(lines)
    while waiting:
        where = directory / f"{soil.name}-{len(waiting)}"
        with open_ground(soil, where, say, quick=quick, seed=seed) as ground:
            while waiting:
                outcome = _attempt(waiting.pop(0), ground)
                yield outcome
                if outcome.word == "fail":
                    break


def _attempt(line: Line, ground: Ground) -> Outcome:
    assert line.run is not None
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
