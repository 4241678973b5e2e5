"""Small runs of `make drill`: the database is lost and restored; timers fall due while their services are down."""

from pathlib import Path

import pytest

from tests.proving.drill.run import Options, run_drill
from tests.proving.drill.timers import run_timers

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(400)]


def test_a_lost_database_comes_back_from_the_log_alone_and_from_the_devices_alone(tmp_path: Path) -> None:
    report = run_drill(Options(homes=10, runs_for_s=60, seed=3), tmp_path, lambda _: None)

    assert report["failures"] == []
    for way in (report["by_log"], report["by_devices"]):
        assert (way["lost"], way["duplicated"]) == (0, 0)
        assert 0 < way["rows"]["in_backup"]["readings"] < way["rows"]["before"]["readings"]
    assert report["by_devices"]["records_deleted"] > report["by_devices"]["uplinks"]["published"]


def test_what_fell_due_during_an_outage_fires_within_five_seconds_of_the_start_and_once(tmp_path: Path) -> None:
    report = run_timers(100, tmp_path, lambda _: None)

    assert report["failures"] == []
    assert all(kind["due_while_down"] > 50 for kind in report["kinds"].values())
    assert all(kind["due_while_down"] < kind["fired"] == 100 for kind in report["kinds"].values())
