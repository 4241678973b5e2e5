"""What one person's devices can do to score: memory stays bounded, and nobody else is silenced."""

from collections.abc import Callable, Iterator

import pytest

from schemas.codec import write_json
from schemas.records import JudgedUplink
from services.score.home_state import HomeState
from tests.unit.services.score.story import PERSON, levels, run, uplink

Story = Callable[[], Iterator[JudgedUplink]]
OTHER = PERSON + 1
MOST_BYTES = 24 * 1024
"""Of a state with fifty devices, whatever they send: a dozen times what a usual person takes."""
DAY = 24 * 60


def fifty_devices() -> Iterator[JudgedUplink]:
    """An hour of three vitals from each of fifty devices, a minute apart."""
    for number in range(60):
        for device in range(50):
            vitals = {"heart_rate": 70 + device % 9, "spo2": 96, "glucose": 110 + device % 5}
            yield uplink(number, number + device / 60, vitals, device=100 + device)


def a_year_of_backlog() -> Iterator[JudgedUplink]:
    """Half-hourly readings of a year, oldest first, all received at its end."""
    for number in range(365 * 48):
        yield uplink(number, number * 30 - 365 * DAY, {"heart_rate": 70, "spo2": 96}, received=number / 1000)


def a_year_newest_first() -> Iterator[JudgedUplink]:
    for number in range(365 * 48):
        yield uplink(number, -number * 30, {"heart_rate": 70, "spo2": 96}, received=number / 1000)


def a_clock_that_jumps_hourly() -> Iterator[JudgedUplink]:
    """Two days of minutes; each hour the clock goes two days ahead, or back again."""
    for number in range(2 * DAY):
        ahead = 2 * DAY if number // 60 % 2 else 0
        yield uplink(number, number + ahead, {"heart_rate": 70, "spo2": 96, "steps": number % 2}, received=number)


def a_reading_each_second() -> Iterator[JudgedUplink]:
    """Two hours of them: far more than a rule looks back over, within the time that it looks back."""
    for number in range(2 * 3600):
        yield uplink(number, number / 60, {"heart_rate": 70})


STORIES = {
    "fifty devices": fifty_devices,
    "a year of backlog": a_year_of_backlog,
    "a year, newest first": a_year_newest_first,
    "a clock that jumps hourly": a_clock_that_jumps_hourly,
    "a reading each second": a_reading_each_second,
}
stories = pytest.mark.parametrize("records", STORIES.values(), ids=STORIES.keys())


def kept(state: HomeState) -> int:
    """Samples in memory, of everybody."""
    return sum(len(samples) for one in state.subjects.values() for samples in one.window.samples.values())


@stories
def test_memory_stays_bounded(records: Story) -> None:
    state, most = HomeState(), 0
    for number, record in enumerate(records()):
        run([record], state)
        if number % 97 == 0:
            most = max(most, kept(state))
    assert most <= 3 * 400
    assert len(write_json(state.to_plain())) <= MOST_BYTES


@stories
def test_somebody_else_at_home_is_heard_as_if_alone(records: Story) -> None:
    """Their low oxygen comes between the records of the noisy one."""
    low = [uplink(seq, at, {"spo2": 86}, person=OTHER, device=7) for seq, at in enumerate(range(12))]
    found = []
    state, waiting = HomeState(), list(low)
    for number, record in enumerate(records()):
        found += run([record], state)
        if waiting and number % 20 == 0:
            found += run([waiting.pop(0)], state)
    found += run(waiting, state)
    of_other = [one for one in found if getattr(one, "person_no", None) == OTHER]
    # In between so much time passes that nothing is known of them for a while.
    begun = [one for one in levels(of_other) if one[2]]
    assert begun == levels(run(low))
    assert begun
