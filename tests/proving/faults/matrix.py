"""Runs lines of the matrix, those of one kind on one testbed, and says how each ended."""

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
from tests.proving.faults.line import Figures, Line
from tests.proving.faults.testbed import KINDS, CriterionError, Say, Testbed, TestbedKind, open_ground

_TESTS_TIMEOUT_S: Final = 300
Word = Literal["pass", "fail", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOutcome:
    """How a line ended. ``why`` says so of one that failed or was not run."""

    line: Line
    word: Word
    seconds: float = 0.0
    figures: Figures
    why: str = ""


def run_lines(lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int) -> Iterator[LineOutcome]:
    """Every line that was asked for, each as it ends: kind by kind, then those that are tests."""
    yield from (LineOutcome(line=line, word="not run", figures={}, why=line.why_not) for line in lines if line.why_not)
    for kind in KINDS:
        wanted = [line for line in lines if line.kind is kind]
        yield from _on(kind, wanted, directory, say, quick=quick, seed=seed)
    yield from (_by_tests(line, say) for line in lines if line.tests)


def _on(
    kind: TestbedKind, lines: Sequence[Line], directory: Path, say: Say, *, quick: bool, seed: int
) -> Iterator[LineOutcome]:
    """A line that failed leaves its testbed behind: the next one gets a new one."""
    waiting = list(lines)
    while waiting:
        where = directory / f"{kind.name}-{len(waiting)}"
        with open_ground(kind, where, say, quick=quick, seed=seed) as testbed:
            while waiting:
                outcome = _attempt(waiting.pop(0), testbed)
                yield outcome
                if outcome.word == "fail":
                    break


def _attempt(line: Line, testbed: Testbed) -> LineOutcome:
    assert line.run is not None
    testbed.say(f"line {line.number}: {line.fault}")
    began = time.monotonic()
    figures: Figures = {}
    why = ""
    try:
        figures = line.run(testbed)
        testbed.mend()
    except (CriterionError, NotReadyError, NotRecoveredError) as error:
        why = str(error)
    except Exception:  # noqa: BLE001 - a line that breaks is a line that failed; the others still run
        why = traceback.format_exc(limit=-4)
    took = time.monotonic() - began
    return LineOutcome(line=line, word="fail" if why else "pass", seconds=took, figures=figures, why=why)


def _by_tests(line: Line, say: Say) -> LineOutcome:
    say(f"line {line.number}: {line.fault}")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *line.tests],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=_TESTS_TIMEOUT_S, check=False,
    )  # fmt: skip
    took = time.monotonic() - began
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    return LineOutcome(
        line=line, word="fail" if done.returncode else "pass", seconds=took, figures={"tests": last[0].strip("= ")},
        why=done.stdout[-2000:] if done.returncode else "",
    )  # fmt: skip
