"""Scenario files played by the command: what holds, what does not, and what can't be read."""

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
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


def test_a_run_that_is_ended_from_outside_leaves_no_server_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.scenarios", FOLDER / "oxygen-low-and-back.yaml", "--report", tmp_path / "r"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        folder = str(ROOT / ".local" / "scenarios" / str(run.pid))
        deadline = time.monotonic() + 120
        # The services come last.
        while not any("services" in line for line in started_from(run.pid)):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        theirs = psutil.Process(run.pid).children(recursive=True)
        run.terminate()
        assert run.wait(60) == 128 + signal.SIGTERM
    gone, left = psutil.wait_procs(theirs, timeout=10)
    assert ([one.pid for one in left], len(gone) >= 2) == ([], True)
    assert not [one for one in psutil.process_iter(["cmdline"]) if folder in " ".join(one.info["cmdline"] or ())]


def started_from(pid: int) -> list[list[str]]:
    """The command lines of the processes that it has started."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(child.cmdline())
    return found
