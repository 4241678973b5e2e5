"""When score writes its partitions: each in its turn, all of them once in the time given."""

from hypothesis import given
from hypothesis import strategies as st

from services.score.consumer import in_turn


@given(st.sets(st.integers(0, 47), min_size=1), st.floats(0, 1e6), st.floats(0.001, 60))
def test_turns_are_spread_evenly_and_none_waits_longer_than_the_time_given(
    numbers: set[int], now_s: float, every_s: float
) -> None:
    turns = in_turn(numbers, now_s, every_s)
    assert turns.keys() == numbers
    waits = [turns[number] - now_s for number in sorted(numbers)]
    assert waits == sorted(waits)
    assert waits[0] > 0 or now_s + every_s / len(numbers) == now_s
    assert waits[-1] <= every_s * 1.001 + 1e-6


def test_nothing_held_has_no_turns() -> None:
    assert in_turn((), 5.0, 8.0) == {}
