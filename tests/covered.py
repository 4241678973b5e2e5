"""Runs tests and says how much of the product they execute: `python -m tests.covered [PYTEST'S ARGUMENTS]`."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Final

import pytest
from slipcover import FileMatcher, Slipcover
from slipcover.config import read_config
from slipcover.importer import SlipcoverMetaPathFinder

ROOT: Final = Path(__file__).parents[1]
REPORT: Final = ROOT / ".local" / "reports" / "coverage.json"
SETTINGS: Final[Mapping[str, Any]] = read_config(ROOT / "pyproject.toml")
PRODUCT: Final[tuple[str, ...]] = tuple(SETTINGS["source"])
LEAST: Final[int] = SETTINGS["fail-under"]


class ProductFinder(SlipcoverMetaPathFinder):  # type: ignore[misc] # it ships no types
    """Finds, and counts the lines of, the product's modules alone.

    Pytest imports tests by its own rules (``--import-mode=importlib``), which another finder before it breaks.
    """

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """None for whatever is not the product's."""
        if name.partition(".")[0] not in PRODUCT:
            return None
        spec: ModuleSpec | None = super().find_spec(name, path, target)
        return spec


def part_of(file: str) -> str:
    """What a file counts for: its package, and of ``services`` the service."""
    first, second, *rest = Path(file).parts
    return f"{first}/{second}" if first == "services" and rest else first


def shares(files: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, float]:
    """Of each part of the product, and of all of it, how many per cent of the lines were executed."""
    executed: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for file, counted in files.items():
        for part in (part_of(file), "all"):
            executed[part] += len(counted["executed_lines"])
            lines[part] += len(counted["executed_lines"]) + len(counted["missing_lines"])
    return {part: 100 * executed[part] / lines[part] for part in sorted(lines)}


def main(arguments: Sequence[str]) -> int:
    """Runs pytest; the exit code is its own, or 1 where less of the product was executed than is asked for."""
    counting = Slipcover(source=list(PRODUCT))
    sys.meta_path.insert(0, ProductFinder(counting, FileMatcher(sources=list(PRODUCT))))
    # Slipcover is a plug-in of pytest's, too, and was imported before pytest could rewrite it.
    code = int(pytest.main(["-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments]))
    files = counting.get_coverage()["files"]
    found = shares(files)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"per cent": found, "files": files}, indent=2) + "\n", "utf-8")
    for part, share in found.items():
        sys.stdout.write(f"{share:5.1f} % of the lines of {part}\n")
    if found["all"] < LEAST:
        sys.stdout.write(f"less than {LEAST} % of all lines: which ones are missing is in {REPORT}\n")
        return code or 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
