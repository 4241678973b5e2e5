"""A small run of `make scale`: stores and scorers leave and join, and the books balance."""

from pathlib import Path

import pytest

from tests.proving.scale.run import Options, run_scale

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(300)]


def test_stores_and_scorers_that_come_and_go_lose_nothing_and_find_the_same(tmp_path: Path) -> None:
    options = Options(uplinks_per_s=200, devices=150, changes=4, every_s=8, phase_s=0)
    report = run_scale(options, tmp_path, lambda _: None)

    assert report["failures"] == []
    assert report["uplinks"] >= 200 * options.for_s
    assert (report["lost"], report["duplicated"], report["key_conflicts"]) == (0, 0, 0)
    assert report["findings"] > 0
    assert report["findings_equal_to_replay"]
    assert min(report["uplinks_settled_per_window"]) > 0
    assert sum(report["leaves_and_joins"].values()) == 4
