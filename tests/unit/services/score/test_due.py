"""How long a due row waits for an answer that is still on its way."""

from datetime import datetime, timedelta

import pytest

from services.runtime.clock import to_datetime
from services.score.due import PassedTime, answer_hold_s
from tests.unit.services.score.story import START


def at(seconds: float) -> datetime:
    return to_datetime(START) + timedelta(seconds=seconds)


def test_the_watermark_is_believed_when_it_has_been_seen_long_enough() -> None:
    passed = PassedTime(hold_s=2)

    assert passed.see(at(10), 100.0) is None
    assert passed.see(at(20), 101.0) is None
    assert passed.see(at(30), 102.0) == at(10)
    assert passed.see(at(30), 103.0) == at(20)
    assert passed.see(at(30), 170.0) == at(30)
    assert passed.stands_still(170.0)
    assert not passed.stands_still(161.9)


@pytest.mark.parametrize(
    ("rate", "resend_after_s", "hold_s"), [(1, 60, 0.5), (1, 5, 0.5), (60, 5, 10), (600, 5, 10), (2, 60, 30)]
)
def test_an_answer_has_a_resend_s_time_where_the_clock_runs_fast(
    rate: float, resend_after_s: float, hold_s: float
) -> None:
    assert answer_hold_s(rate=rate, resend_after_s=resend_after_s) == pytest.approx(hold_s)
