"""Runs one of our own commands to its end."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]


class ToolError(RuntimeError):
    """A command of ours failed."""


def run_tool(environment: Mapping[str, str], *arguments: str, given: str | None = None) -> str:
    """Runs ``python -m ARGUMENTS`` with ``given`` as its input; its output. Raises ToolError with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=_CHECKOUT,
        env=dict(environment),
        input=given if given is not None else "",
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ToolError(f"python -m {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout
