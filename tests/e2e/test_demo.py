"""The command that a newcomer types first, as a newcomer types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
REPORT = CHECKOUT / ".local" / "reports" / "demo.json"

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(300)]


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo", *options], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def test_a_short_demo_accounts_for_everything_and_notifies_its_first_alert() -> None:
    REPORT.unlink(missing_ok=True)

    done = demo("--for-s", "30", "--speed", "60", "--homes", "5", "--seed", "4711")
    report = json.loads(REPORT.read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert report["failures"] == []
    assert report["uplinks"]["published"] == report["uplinks"]["acked_end_to_end"] > 100
    assert report["incidents"]["by_kind"]["sos"]["alerted"] >= 1
    assert report["first_alert_s"] <= 60
    for kind in ("readings", "events"):
        assert report[kind]["published"] == report[kind]["stored"] + report[kind]["rejected"]


def test_a_speed_that_leaves_no_time_to_distinguish_incidents_is_refused() -> None:
    done = demo("--for-s", "5", "--speed", "601")

    assert done.returncode == 2
    assert "SPEED" in done.stdout
