"""Scenario files played by the command: what holds, what does not, and what can't be read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.repo.tree import ROOT

FOLDER = ROOT / "tests" / "scenarios"
LIES = {
    "alert: spo2, of: ruth, severity: high, after: 6m, by: 10m": "alert: spo2, of: ruth, severity: medium",
    "pages: 1, rule: spo2, of: ruth": "pages: 2, rule: spo2, of: ruth",
    "state: closed, rule: spo2, of: ruth": "state: open, rule: spo2, of: ruth",
    "no_alert: any, of: karl": "alert: spo2, of: karl",
}


def play(folder: Path, *arguments: str | Path) -> tuple[int, str, dict[str, Any]]:
    """Exit code, what was printed, and the report."""
    report = folder / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "deploy.scenarios", *map(str, arguments), "--report", str(report)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.exists() else {}


@pytest.mark.timeout(600)  # some 130 of them
def test_what_the_projects_scenarios_say_is_so(tmp_path: Path) -> None:
    code, said, report = play(tmp_path, FOLDER)
    assert code == 0, said
    names = {file.stem for file in FOLDER.rglob("*.yaml")}
    assert report["scenarios"] == {name: {"passed": True, "failures": []} for name in names}
    assert (report["passed"], report["failed"]) == (len(names), 0)


@pytest.mark.timeout(300)  # three platforms, one after the other, beside other tests
@pytest.mark.full_stack
def test_a_scenario_that_lies_fails_by_each_lie_on_either_stack_and_whether_time_runs_or_is_stepped(
    tmp_path: Path,
) -> None:
    text = (FOLDER / "oxygen-low-and-back.yaml").read_text()
    for truth, lie in LIES.items():
        assert truth in text
        text = text.replace(truth, lie)
    # Shortly before the end: where time runs, the doctor still waits for the alert when it is over.
    text = text.replace("expect:", "  - {at: 44m, doctor: haddad, acknowledges: fall, of: karl}\nexpect:")
    file = tmp_path / "lies.yaml"
    file.write_text(text)
    seen = []
    for arguments in ((), ("--speed", "120"), ("--stack", "full")):
        code, said, report = play(tmp_path, file, *arguments)
        assert code == 1, said
        (verdict,) = report["scenarios"].values()
        seen.append([failure["expected"] for failure in verdict["failures"]])
    assert seen == [["doctor: haddad, acknowledges: fall, of: karl", *LIES.values()]] * 3


def test_a_file_that_can_not_be_read_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text((FOLDER / "oxygen-low-and-back.yaml").read_text().replace("spo2: 96,", "spo2: 960,"))
    code, said, report = play(tmp_path, FOLDER, file)
    assert (code, report) == (2, {})
    assert f"{file}:15: story[3].spo2: 960 % is outside" in said
