"""A small run of `make chaos`: six strikes at random, and the proof finds nothing."""

from pathlib import Path

import pytest

from tests.proving.chaos.options import Options
from tests.proving.chaos.run import run_chaos

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(400)]


def test_six_strikes_lose_nothing_and_notify_nobody_twice(tmp_path: Path) -> None:
    report = run_chaos(Options(kills=6, uplinks=1_500, seed=6), tmp_path, lambda _: None)

    # How long a recovery may take is for `make chaos` to judge, on a machine that does nothing else.
    assert [why for why in report["failures"] if not why.startswith("recovery: ")] == []
    assert sum(report["kills"].values()) == 6
    assert report["uplinks"] >= 1_500
    assert (report["lost"], report["duplicated"]) == (0, 0)
    assert report["alerts"]["expected"] >= 6
    assert report["notifications"]["sent"] > 0
    assert report["details"]["acknowledgements"]["answered"] > 0
    assert report["recovery_ms"]
