"""Prometheus' rules as the tests read them: which metrics an expression uses, and what promtool says."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from deploy.local import promtool
from deploy.local.settings import StackSettings
from deploy.prometheus.targets import HERE

RULES: Final = sorted((HERE / "rules").glob("*.yaml"))
CASES: Final = sorted((HERE / "cases").glob("*.yaml"))
_SELECTOR: Final = re.compile(r"\b(hb_[a-z_]+|up)\b(?:\{([^}]*)\})?(\[[^\]]+\])?")
_MATCHER: Final = re.compile(r'([a-z_]+)\s*(=~|!=|=)\s*"([^"]*)"')


class NoPromtoolError(Exception):
    """There is no promtool here; what fetches it."""


class Selector(NamedTuple):
    """A metric as an expression names it; ``called`` are the functions around it, the innermost first."""

    metric: str
    labels: Mapping[str, tuple[str, str]]
    is_range: bool
    called: tuple[str, ...]


def rules() -> list[dict[str, Any]]:
    """Every rule, in the order of the files."""
    documents = [yaml.safe_load(path.read_text("utf-8")) for path in RULES]
    return [rule for one in documents for group in one["groups"] for rule in group["rules"]]


def selectors_of(expression: str) -> list[Selector]:
    """What an expression reads."""
    return [
        Selector(
            metric=found[1],
            labels={name: (how, value) for name, how, value in _MATCHER.findall(found[2] or "")},
            is_range=found[3] is not None,
            called=_around(expression[: found.start()]),
        )
        for found in _SELECTOR.finditer(expression)
    ]


def _around(before: str) -> tuple[str, ...]:
    """The functions whose parentheses are still open at the end of ``before``."""
    names: list[str] = []
    # Aggregations name their labels in parentheses of their own: `sum by (le) (`.
    plain = re.sub(r"\bby\s*\([^()]*\)", "", before)
    for token in re.finditer(r"([a-z_0-9]*)\s*\(|\)", plain):
        if token[0] == ")":
            names.pop()
        else:
            names.append(token[1])
    return tuple(name for name in reversed(names) if name)


def run_promtool(*arguments: str | Path, cwd: Path | None = None) -> str:
    """What it says. Raises NoPromtoolError, and AssertionError with its own words where it is not content."""
    program = promtool.program(StackSettings().local)
    if not program.exists():
        raise NoPromtoolError("python -m deploy.local prepare --promtool")
    done = subprocess.run([str(program), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout
