"""Every process is killed while two hundred devices publish, none is waited for; nothing is lost, nobody forgotten."""

import os
from pathlib import Path

import pytest

from tests.proving.chaos.options import Options
from tests.proving.chaos.run import run_chaos
from tests.proving.chaos.schedule import TARGETS

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = int(os.environ.get("HB_KILL_SEED", "5"))


def test_nothing_is_lost_and_every_incident_is_notified_though_every_process_is_killed_before_the_last_is_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = Options(kills=2 * len(TARGETS), uplinks=12_000, seed=SEED, waits=False, rate=80)
    report = run_chaos(options, tmp_path, lambda _: None)
    details = report["details"]
    with capsys.disabled():
        print(f"\nkills: {report['kills']}; devices: {details['devices']}; uplinks: {report['uplinks']}")  # noqa: T201
        print(f"incidents: {details['incidents_by_kind']}; false: {details['false_alerts']}")  # noqa: T201

    assert report["failures"] == []
    assert report["kills"] == dict.fromkeys(report["kills"], 2)
    assert set(report["kills"]) == set(TARGETS)
    assert details["devices"] >= 200
    assert report["uplinks"] >= 12_000
    assert (report["lost"], report["duplicated"]) == (0, 0)
    assert details["incidents_under_strikes"] >= 10
    assert report["alerts"]["expected"] >= 10
    assert (report["alerts"]["missed"], report["alerts"]["twice"]) == (0, 0)
    assert report["recovery_ms"] == {}
