"""What a run counts."""

from itertools import pairwise

import pytest

from device_sim.tally import Tally


def test_the_latencies_of_a_long_run_are_those_of_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device_sim.tally._SAMPLES", 100)
    tally = Tally()
    for number in range(10_000):
        tally.acked(number / 1000)

    kept = tally.latencies_ms
    assert 50 <= len(kept) < 100
    assert len({round(later - earlier) for earlier, later in pairwise(kept)}) == 1
    latency = tally.latency()
    assert latency["p50"] == pytest.approx(5_000, rel=0.05)
    assert latency["p99"] == pytest.approx(9_900, rel=0.05)
    assert tally.settled == 10_000
