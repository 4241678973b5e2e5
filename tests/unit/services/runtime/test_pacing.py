"""The pause between two bursts grows with the load, and ends where no more may come."""

import pytest

from services.runtime.pacing import Gather


def test_a_burst_makes_the_next_one_wait_the_longer_the_larger_it_was_up_to_a_limit() -> None:
    gather = Gather(most_s=0.04, full=1000)
    assert gather.after(0) == 0
    assert gather.after(4) == pytest.approx(0.001)
    assert gather.after(40) == pytest.approx(0.01)
    assert gather.after(999) == 0.04


def test_after_any_record_what_comes_at_once_may_share_its_burst() -> None:
    gather = Gather(least_s=0.008, most_s=0.015, full=1000)
    assert gather.after(0) == 0
    assert gather.after(1) == gather.after(20) == 0.008
    assert gather.after(999) == 0.015


def test_a_burst_that_took_long_has_waited_enough() -> None:
    gather = Gather(least_s=0.013, most_s=0.015, full=1000, per_record_s=0.00005)
    assert gather.after(20, spent_s=0.005) == pytest.approx(0.008)
    assert gather.after(20, spent_s=0.018) == pytest.approx(0.001)
    assert gather.after(400, spent_s=0.018) == 0.015


def test_nobody_waits_where_as_many_records_wait_as_may() -> None:
    gather = Gather(most_s=0.04, full=1000)
    assert gather.after(1000) == gather.after(1500) == 0
    assert gather.after(600, waiting=400) == 0
    assert gather.after(600, waiting=399) == 0.04
