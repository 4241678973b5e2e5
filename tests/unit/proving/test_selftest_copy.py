"""A trial of the selftest runs the copy that a defect was planted in, and nothing of the original."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.platform.platform import base_environment
from tests.proving.chaos.selftest import copy_product


def test_what_a_copy_runs_lies_in_the_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy_product(copy)
    modules = (
        "tests.proving.chaos.run",
        "deploy.platform.platform",
        "services.store.core",
        "transport",
        "schemas.codec",
    )
    said = f"import importlib; print(*(importlib.import_module(name).__file__ for name in {modules!r}), sep='\\n')"
    command = [sys.executable, "-c", said]
    done = subprocess.run(command, cwd=copy, env=base_environment(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert [Path(line).is_relative_to(copy) for line in done.stdout.splitlines()] == [True] * len(modules)
    assert {path.name for path in (copy / "tests").iterdir()} - {"__pycache__"} == {"__init__.py", "proving"}


@pytest.mark.parametrize("left_out", ["docs", ".venv", ".local", "tests/unit"])
def test_what_no_trial_needs_is_not_copied(tmp_path: Path, left_out: str) -> None:
    copy_product(tmp_path / "copy")
    assert not (tmp_path / "copy" / left_out).exists()
