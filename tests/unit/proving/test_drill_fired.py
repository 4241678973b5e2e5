"""How rows with a due time are judged after an outage of their service."""

from datetime import UTC, datetime, timedelta

from tests.proving.drill.fired import Fired, judge, wrong

START = datetime(2026, 1, 1, tzinfo=UTC)
RATE = 60.0


def fired(*, due_s: float, after_s: float, times: int = 1) -> Fired:
    """Real seconds from the start; ``after_s`` is when it fired."""
    return Fired(START + timedelta(seconds=due_s * RATE), START + timedelta(seconds=after_s * RATE), times)


def verdict(*rows: Fired, pending: int | None = None) -> list[str]:
    found = judge(rows, pending=len(rows) if pending is None else pending, started_at=START, rate=RATE)
    return wrong("steps", found)


def test_what_was_due_during_the_outage_may_fire_five_seconds_after_the_start() -> None:
    assert verdict(fired(due_s=-9, after_s=4.9), fired(due_s=2, after_s=6.9)) == []


def test_later_than_that_is_reported() -> None:
    assert verdict(fired(due_s=-9, after_s=5.2)) == ["steps: the last 5.2 s late"]


def test_before_it_is_due_is_reported() -> None:
    assert verdict(fired(due_s=3, after_s=2.9)) == ["steps: 1 early"]


def test_twice_is_reported() -> None:
    assert verdict(fired(due_s=-1, after_s=1, times=2)) == ["steps: 1 twice"]


def test_what_did_not_fire_is_reported() -> None:
    assert verdict(fired(due_s=-1, after_s=1), pending=2) == ["steps: 1 of 2 fired"]
    assert verdict(pending=1) == ["steps: 0 of 1 fired"]
