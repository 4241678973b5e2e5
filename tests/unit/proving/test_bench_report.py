"""What becomes of a report: pictures of what is in it; and a peer that can't be had is said to be missing."""

from pathlib import Path
from typing import Any
from unittest.mock import sentinel

import pytest

from deploy.platform.services import SERVICES
from tests.proving.bench.peer import NOT_RUN, compare
from tests.proving.bench.pictures import draw

COSTS = {"kafka": 3.0, "ingest": 2.0}
MEMORY = {"memory_mb": {name: {"samples": [50.0, 60.0, 60.0]} for name in SERVICES}}
STEP = {"cpu_us_per_reading": COSTS, "device_to_row_ms": {"p50": 10.0, "p99": 20.0}}
REPORT: dict[str, Any] = {
    "latency": {"uplinks_per_s": 1_000.0, "cpu_us_per_reading": COSTS},
    "sustained": {"uplinks_per_s": 10_000.0, "cpu_us_per_reading": COSTS, **MEMORY},
    "outage": MEMORY,
    "peer": {
        "readings_per_s": 100.0,
        "cpu_us_per_reading_of": {"telegraf": 4.0},
        "ours": {"readings_per_s": 80.0, "cpu_us_per_reading_of": COSTS},
    },
    "growth": {"devices": [{"devices": 1_000, **STEP}, {"devices": 5_000, **STEP}]},
}


def names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths if path.stat().st_size}


def test_a_whole_report_is_drawn_whole(tmp_path: Path) -> None:
    assert names(draw(REPORT, tmp_path)) == {
        "speed-costs.png",
        "speed-peer.png",
        "speed-memory.png",
        "speed-growth.png",
    }


def test_what_was_not_run_is_not_drawn(tmp_path: Path) -> None:
    report = {"growth": REPORT["growth"], "latency": REPORT["latency"], "peer": {"not_run": NOT_RUN}}
    assert names(draw(report, tmp_path)) == {"speed-growth.png"}


def test_without_telegraf_the_peer_is_said_not_to_have_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert compare(sentinel.bench) == {"not_run": "not run: telegraf is not on PATH"}
