"""Tries mutations in one copy of the source: runs the tests that have to notice, each with a limit of time."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT
from deploy.platform.platform import base_environment
from tests.proving.mutations.mutation import Mutation

_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache", ".hypothesis", "docs")
_NOTICED: Final = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_PASSED, _FAILED, _INTERRUPTED = 0, 1, 2
"""What pytest ends with; interrupted where a module can't even be imported."""


class TrialError(RuntimeError):
    """The tests came to no verdict, or are red without any mutation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """``killed_by`` is the first test that noticed; "" where none did."""

    mutation: Mutation
    killed_by: str
    took_s: float


def copy_source(to: Path) -> None:
    """The source and its tests, without what none of these tests needs."""
    shutil.copytree(CHECKOUT, to, ignore=_LEFT_OUT)


def undisturbed(copy: Path, mutations: Sequence[Mutation], *, limit_s: float) -> float:
    """Seconds that the tests take without a mutation. Raises TrialError where they are red."""
    began = time.monotonic()
    tests = tuple(sorted({one for mutation in mutations for one in mutation.tests}))
    noticed = _first_failure(copy, tests, limit_s=limit_s)
    if noticed:
        raise TrialError(f"the tests are red without any mutation: {noticed}")
    return time.monotonic() - began


def tried(copy: Path, mutation: Mutation, *, limit_s: float) -> Tried:
    """What the tests say of the copy with the mutation in it, which it is taken out of again."""
    began = time.monotonic()
    with _planted(copy, mutation):
        killed_by = _first_failure(copy, _nearest_first(copy, mutation), limit_s=limit_s)
    return Tried(mutation=mutation, killed_by=killed_by, took_s=time.monotonic() - began)


@contextmanager
def _planted(copy: Path, mutation: Mutation) -> Iterator[None]:
    path = copy / mutation.path
    source = path.read_text()
    path.write_text(mutation.changed(source))
    try:
        yield
    finally:
        path.write_text(source)


def _nearest_first(copy: Path, mutation: Mutation) -> Sequence[str]:
    """The tests that are named after the module come first: they notice most of what is wrong in it."""
    named = f"test_{Path(mutation.path).stem}.py"
    named_so = [Path(one) if one.endswith(named) else Path(one) / named for one in mutation.tests]
    nearest = [str(one) for one in named_so if (copy / one).is_file()]
    return [*nearest, *mutation.tests]


def _first_failure(copy: Path, tests: Sequence[str], *, limit_s: float) -> str:
    """The first test that fails; "" where none does. Raises TrialError where pytest says neither."""
    shutil.rmtree(copy / ".hypothesis", ignore_errors=True)
    # The profile "ci" of Hypothesis knows no chance and no deadline: the same source gives the same verdict.
    command = [
        sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci", *tests,
    ]  # fmt: skip
    # Python takes a compiled file for that of a source by second and size, which two mutations may share.
    environment = base_environment() | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "COLUMNS": "200"}
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as pytest:  # fmt: skip
        try:
            said, _ = pytest.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(pytest.pid, signal.SIGKILL)
            return f"the limit of {limit_s:.0f} s"
        except BaseException:
            os.killpg(pytest.pid, signal.SIGKILL)
            raise
    if pytest.returncode == _PASSED:
        return ""
    noticed = _NOTICED.search(said)
    if pytest.returncode not in {_FAILED, _INTERRUPTED} or noticed is None:
        raise TrialError(f"pytest came to no verdict:\n{said[-2000:]}")
    return noticed[1]
