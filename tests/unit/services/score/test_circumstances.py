"""Moving or at rest, worn or off: the same whatever the order in which it becomes known."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from services.score.circumstances import COVERS_MS, WORN_AGAIN_MS, Movement, Wearing
from services.score.home_state import HomeState
from services.score.rule import MINUTE_MS, NEVER
from tests.unit.services.score.story import levels, run, uplink

DEVICE = 11
minutes = st.integers(0, 60)
Counts = Sequence[tuple[int, int]]
"""(minute, steps) of a device."""


def walked(counts: Counts, *, device: int = DEVICE) -> Movement:
    movement = Movement()
    for minute, steps in counts:
        movement.walk(device, minute * MINUTE_MS, steps)
    return movement


@pytest.mark.parametrize(
    ("steps", "minute", "moving", "still"),
    [
        (20, 1, (0.1, 1, 5.9), (0, 6)),
        (19, 1, (), (0, 1, 3)),
        (1, 9, (), (1, 9)),
        (100, 5, (0.1, 5, 9.9), (0, 10)),
        (99, 5, (), (5,)),
        (400, 20, (15, 20, 24.9), (14.9, 25)),
        (0, 1, (), (1,)),
    ],
)
def test_walking_is_twenty_steps_a_minute_since_the_device_counted_last(
    steps: int, minute: int, moving: Sequence[float], still: Sequence[float]
) -> None:
    movement = walked([(0, 0), (minute, steps)])
    assert [at for at in (*moving, *still) if movement.is_moving(round(at * MINUTE_MS))] == list(moving)


def test_the_steps_of_two_devices_are_not_taken_for_one_walk() -> None:
    movement = walked([(0, 0), (10, 30)])
    movement.walk(12, 9 * MINUTE_MS, 0)
    assert not movement.is_moving(10 * MINUTE_MS)
    movement.walk(12, 10 * MINUTE_MS, 30)
    assert movement.is_moving(10 * MINUTE_MS)


@given(st.lists(st.tuples(minutes, st.sampled_from([0, 10, 20, 100, 300])), max_size=12, unique_by=lambda one: one[0]),
       st.lists(minutes, max_size=4), st.randoms(use_true_random=False), st.floats(-1, 70))  # fmt: skip
def test_the_order_in_which_movement_becomes_known_does_not_matter(
    counts: list[tuple[int, int]], active: list[int], chance: Random, minute: float
) -> None:
    at = round(minute * MINUTE_MS)
    in_order = walked([(-10, 0), *sorted(counts)])
    for moment in sorted(active):
        in_order.move(moment * MINUTE_MS)
    mixed = Movement()
    things: list[tuple[int, int | None]] = [*counts, *((moment, None) for moment in active)]
    chance.shuffle(things)
    mixed.walk(DEVICE, -10 * MINUTE_MS, 0)
    for moment, steps in things:
        if steps is None:
            mixed.move(moment * MINUTE_MS)
        else:
            mixed.walk(DEVICE, moment * MINUTE_MS, steps)
    assert mixed.is_moving(at) == in_order.is_moving(at)
    kept = Movement.from_plain(parse_json(write_json(mixed.to_plain())))
    assert kept.is_moving(at) == mixed.is_moving(at)
    kept.forget(at)
    assert kept.is_moving(at) == mixed.is_moving(at)


@given(st.lists(minutes, max_size=8), minutes)
def test_a_person_moves_at_each_active_reading_and_five_minutes_after(active: list[int], minute: int) -> None:
    movement = Movement()
    for moment in active:
        movement.move(moment * MINUTE_MS)
    assert movement.is_moving(minute * MINUTE_MS) == any(0 <= minute - one < 5 for one in active)
    assert COVERS_MS == 5 * MINUTE_MS


def worn_at(off: Sequence[int], on: Sequence[int], at: int) -> bool:
    """The definition, by looking at everything."""
    said = max((one for one in off if one <= at), default=None)
    if said is None:
        return True
    if any(said < one <= at for one in on):
        return True
    return not any(one <= at for one in on) and at - said >= 15


@given(st.lists(st.tuples(minutes, st.booleans()), max_size=14, unique_by=lambda one: one[0]), st.integers(-1, 70))
def test_a_device_is_off_from_when_it_says_so_until_something_shows_that_it_is_worn(
    said: list[tuple[int, bool]], at: int
) -> None:
    wearing, shown = Wearing(), []
    for moment, worn in said:
        if worn:
            shown.append(moment)
            wearing.show(moment)
        else:
            wearing.take_off(moment, shown)
    expected = worn_at([one for one, worn in said if not worn], shown, at)
    assert _worn(wearing, at) == expected
    kept = Wearing.from_plain(parse_json(write_json(wearing.to_plain())))
    assert _worn(kept, at) == expected
    kept.forget(at)
    assert _worn(kept, at) == expected


@given(st.lists(st.tuples(minutes, st.booleans()), max_size=14, unique_by=lambda one: one[0]), minutes, minutes)
def test_what_a_device_says_of_being_worn_counts_in_whatever_order_it_becomes_known(
    said: list[tuple[int, bool]], forgotten: int, at: int
) -> None:
    wearing = Wearing()
    for number, (moment, worn) in enumerate(said):
        if worn:
            wearing.show(moment, is_said=True)
        else:
            wearing.take_off(moment, ())
        if number == len(said) // 2 and all(one > forgotten for one, _ in said[number + 1 :]):
            wearing.forget(forgotten)
            at = max(at, forgotten)
    assert _worn(wearing, at) == worn_at(
        [one for one, worn in said if not worn], [one for one, worn in said if worn], at
    )


def test_of_many_statements_those_are_kept_that_follow_a_time_off() -> None:
    wearing = Wearing()
    wearing.take_off(0, ())
    for moment in range(100, 0, -1):
        wearing.show(moment)
        wearing.show(moment, is_said=True)
    assert len(wearing.on) == 32
    assert wearing.is_worn(1)


def test_worn_again_counts_though_the_time_off_before_it_becomes_known_later() -> None:
    off, worn = uplink(0, 50, events=["not_worn"], received=62), uplink(1, 60, events=["worn"])
    fast = [uplink(10 + number, 61 + number, {"heart_rate": 140}) for number in range(30)]
    in_order = levels(run([off, worn, *fast]))
    assert in_order == [("heart_rate", 1, 2, 71.0)]
    assert levels(run([worn, off, *fast])) == in_order
    assert levels(run([worn, *fast[:5], off, *fast[5:]])) == in_order
    state = HomeState()
    run([worn], state)
    assert levels(run([off, *fast], HomeState.from_plain(state.to_plain()))) == in_order


def test_so_do_steps_of_before_it() -> None:
    off, steps = uplink(0, 50, events=["charging"], received=62), uplink(1, 60, {"steps": 40})
    fast = [uplink(10 + number, 70 + number, {"heart_rate": 140}) for number in range(30)]
    in_order = levels(run([off, steps, *fast]))
    assert in_order == [("heart_rate", 1, 2, 80.0)]
    assert levels(run([steps, off, *fast])) == in_order


def _worn(wearing: Wearing, minute: int) -> bool:
    """In these tests a minute is a number; only the quarter of an hour is ms."""
    scaled = Wearing(
        wearing.shown_at if wearing.shown_at == NEVER else wearing.shown_at * MINUTE_MS,
        [one * MINUTE_MS for one in wearing.off],
        [one * MINUTE_MS for one in wearing.on],
    )
    return scaled.is_worn(minute * MINUTE_MS)


def test_each_time_that_it_is_off_counts_anew() -> None:
    wearing = Wearing()
    wearing.take_off(0, ())
    wearing.take_off(10 * MINUTE_MS, ())
    assert not wearing.is_worn(20 * MINUTE_MS)
    assert wearing.is_worn(25 * MINUTE_MS)
    assert WORN_AGAIN_MS == 15 * MINUTE_MS
