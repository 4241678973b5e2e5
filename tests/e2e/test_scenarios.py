"""Scenario files played by the command: what holds, what does not, and what can't be read."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.repo.tree import ROOT

FOLDER = ROOT / "tests" / "scenarios"


def play(folder: Path, *arguments: str | Path) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was printed, and the report."""
    report = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "deploy.scenarios", *map(str, arguments), "--report", str(report)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.exists() else {}


def reasons(report: dict[str, Any]) -> dict[str, list[str]]:
    """What did not hold, with the scenarios of which it did not: those of one platform often share a reason."""
    found = defaultdict[str, list[str]](list)
    for name, one in report.get("scenarios", {}).items():
        for failure in one["failures"]:
            found[f"{failure['expected']}: {failure['seen']}"].append(name)
    return dict(found)


@pytest.mark.timeout(1200)  # some 170 of them, beside other tests
def test_what_the_projects_scenarios_say_is_so(tmp_path: Path) -> None:
    code, said, report = play(tmp_path, FOLDER)
    assert code == 0, reasons(report) or said
    names = {file.stem for file in FOLDER.rglob("*.yaml")}
    assert report["scenarios"] == {name: {"passed": True, "failures": []} for name in names}
    assert (report["passed"], report["failed"]) == (len(names), 0)


def test_a_file_that_can_not_be_read_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text((FOLDER / "oxygen-low-and-back.yaml").read_text().replace("spo2: 96,", "spo2: 960,"))
    code, said, report = play(tmp_path, FOLDER, file)
    assert (code, report) == (2, {})
    assert f"{file}:15: story[3].spo2: 960 % is outside" in said
