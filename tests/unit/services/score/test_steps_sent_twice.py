"""Steps are summed over a day: what a device sends twice, under another epoch or number, counts once."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import JudgedUplink
from schemas.vitals import SKIN_TEMPERATURE, STEPS
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.rule_book import RULE_BOOK
from tests.unit.services.score.story import EPOCH, PERSON, uplink

OTHER = EPOCH + 1
DAY_MIN = 24 * 60


def walk(minutes: Sequence[float], *, first: int = 0, epoch: int = EPOCH, device: int = 11) -> list[JudgedUplink]:
    """Ten steps at each of these minutes, received at the last of them or later."""
    return [
        uplink(seq, at, {"steps": 10, "skin_temperature": 33.0}, epoch=epoch, device=device, received=max(minutes))
        for seq, at in enumerate(minutes, start=first)
    ]


def counted(*parts: Sequence[JudgedUplink], restarts: bool = False) -> tuple[int, Tally]:
    """The steps of all days, once they are closed."""
    state, tally = HomeState(), Tally()
    for part in parts:
        for record in part:
            step(state, record, tally)
        if restarts:
            state = HomeState.from_plain(state.to_plain(), RULE_BOOK, DEFAULT_BOOK)
    recent = state.subject(PERSON).recent
    recent.pass_time(parts[0][0].received_at + 9 * DAY_MIN * 60_000)
    days = recent.days.closed(STEPS.number)
    assert sum(one.values for one in days) == sum(one.values for one in recent.days.closed(SKIN_TEMPERATURE.number))
    return round(sum(one.total or 0 for one in days)), tally


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("every_min", [1 / 6, 1, 5, 15, 60])
def test_under_another_epoch_they_count_once(every_min: float, *, restarts: bool) -> None:
    minutes = [every_min * number for number in range(20)]
    total, tally = counted(walk(minutes), walk(minutes, epoch=OTHER), restarts=restarts)
    assert (total, tally.repeated) == (200, 40)


def test_under_another_number_they_count_once() -> None:
    minutes = [float(number) for number in range(20)]
    assert counted(walk(minutes), walk(minutes, first=20))[0] == 200


def test_what_comes_late_for_the_first_time_counts() -> None:
    """A gateway was away; what came after it is there already, and the device numbered them as it measured them."""
    minutes = [float(number) for number in range(60)]
    whole = walk(minutes)
    late, rest = whole[20:40], [*whole[:20], *whole[40:]]
    assert counted(rest, late) == (600, Tally())
    assert counted(rest, late[::-1]) == (600, Tally())
    assert counted(whole[::-1]) == (600, Tally())


def test_what_a_device_kept_through_a_pause_counts_though_its_numbers_are_newer() -> None:
    """It sends what it measures now before what it has kept, and numbers them as it sends them."""
    before, kept, now = ([first + float(number) for number in range(20)] for first in (0, 30, 60))
    assert counted(walk(before), walk(now, first=20), walk(kept, first=40))[0] == 600
    assert counted(walk(before), walk(now, epoch=OTHER), walk(kept, first=20, epoch=OTHER))[0] == 600


def test_another_device_counts_beside_it() -> None:
    minutes = [float(number) for number in range(20)]
    assert counted(walk(minutes), walk(minutes, device=12))[0] == 400


def test_over_midnight_they_count_once_and_what_is_over_is_forgotten() -> None:
    minutes = [float(number) for number in range(0, 12 * DAY_MIN, 10)]
    state = HomeState()
    for at in minutes:
        for epoch in (EPOCH, OTHER):
            step(state, uplink(round(at), at, {"steps": 10}, epoch=epoch), Tally())
    plain = state.to_plain()["subjects"][str(PERSON)]["recent"]
    assert len(str(plain)) < 2_000
    days = state.subject(PERSON).recent.days.closed(STEPS.number)
    assert {one.total for one in days[1:]} == {1_440}


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6), st.booleans())
def test_in_whatever_order_they_come_and_whichever_come_again_later(
    order: Sequence[int],
    again: Sequence[int],
    restarts: bool,  # noqa: FBT001 - drawn
) -> None:
    whole = walk([float(number) for number in range(12)])
    twice = [uplink(seq, float(number), {"steps": 10, "skin_temperature": 33.0}, epoch=OTHER, received=11)
             for seq, number in enumerate(again)]  # fmt: skip
    assert counted([whole[place] for place in order], twice, restarts=restarts)[0] == 120
