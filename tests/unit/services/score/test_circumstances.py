"""Moving or at rest, worn or off: the same whatever the order in which it becomes known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.circumstances import COVERS_MS, WORN_AGAIN_MS, Movement, Wearing, walking_from
from services.score.rule import MINUTE_MS

moments = st.integers(0, 60).map(lambda minute: minute * MINUTE_MS)


@pytest.mark.parametrize(
    ("steps", "minutes", "begins"),
    [(20, 1, 0), (19, 1, None), (1, 9, None), (100, 5, 0), (99, 5, None), (400, 20, 15), (0, 1, None), (50, 0, None)],
)
def test_walking_is_twenty_steps_a_minute_since_the_device_counted_last(
    steps: float, minutes: int, begins: int | None
) -> None:
    assert walking_from(steps, 0, minutes * MINUTE_MS) == (None if begins is None else begins * MINUTE_MS)


@given(st.lists(st.tuples(moments, moments), max_size=12), moments)
def test_a_person_moves_within_each_span_and_five_minutes_after(spans: list[tuple[int, int]], at: int) -> None:
    movement = Movement()
    for first, last in spans:
        movement.add(min(first, last), max(first, last))
    expected = any(min(one) <= at < max(one) + COVERS_MS for one in spans)
    assert movement.is_moving(at) == (expected or _bridged(spans, at))
    assert Movement(movement.spans).is_moving(at) == movement.is_moving(at)


def _bridged(spans: list[tuple[int, int]], at: int) -> bool:
    """Spans that touch by what they speak for are one."""
    return any(max(one) <= at <= min(other) <= max(one) + COVERS_MS for one in spans for other in spans)


@given(st.lists(st.tuples(moments, st.booleans()), max_size=12, unique_by=lambda one: one[0]), moments)
def test_a_device_that_says_both_is_worn_as_it_said_last(said: list[tuple[int, bool]], at: int) -> None:
    wearing = Wearing()
    wearing.note(-1, worn=True)
    for moment, worn in said:
        wearing.note(moment, worn=worn)
    before = [worn for moment, worn in sorted(said) if moment <= at]
    assert wearing.is_worn(at) == (before[-1] if before else True)
    assert Wearing.from_plain(wearing.to_plain()).is_worn(at) == wearing.is_worn(at)


@pytest.mark.parametrize(("after_min", "worn"), [(-1, True), (0, False), (14, False), (15, True)])
def test_a_device_that_never_says_that_it_is_worn_counts_as_worn_a_quarter_of_an_hour_later(
    after_min: int, worn: bool
) -> None:
    wearing = Wearing()
    wearing.note(60 * MINUTE_MS, worn=False)
    assert wearing.is_worn(60 * MINUTE_MS + after_min * MINUTE_MS) is worn
    assert WORN_AGAIN_MS == 15 * MINUTE_MS


def test_each_time_that_it_is_off_counts_anew() -> None:
    wearing = Wearing()
    wearing.note(0, worn=False)
    wearing.note(10 * MINUTE_MS, worn=False)
    assert not wearing.is_worn(20 * MINUTE_MS)
    assert wearing.is_worn(25 * MINUTE_MS)
