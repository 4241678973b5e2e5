"""What happens in simulated homes, as the verdict counts it: events of glucose, doses, and all that was planned."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from tests.proving.scorecard.happenings import events_of, happenings
from tests.proving.scorecard.simulated_homes import DAY_MS, START_MS, make_neighbourhood

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS


def spans(beyond: str, lasts_ms: int = QUARTER_MS) -> Sequence[tuple[int, int]]:
    """Events of readings each 5 min, in minutes; x: beyond."""
    ats = [place * 5 * MINUTE_MS for place in range(len(beyond))]
    found = events_of(ats, [one == "x" for one in beyond], lasts_ms)
    return [(first // MINUTE_MS, last // MINUTE_MS) for first, last in found]


def test_a_quarter_of_an_hour_beyond_is_an_event_and_less_is_none() -> None:
    assert spans("..xxxx..") == [(10, 25)]
    assert spans("..xxx...") == []


def test_a_quarter_of_an_hour_on_the_good_side_ends_it() -> None:
    assert spans("xxxx..xxxx") == [(0, 45)]
    assert spans("xxxx...xxxx") == [(0, 15), (35, 50)]
    assert spans("xx..xx") == [(0, 25)]


def test_what_goes_on_at_the_end_counts() -> None:
    assert spans("....xxxx") == [(20, 35)]


@given(st.text("x.", max_size=60))
def test_events_are_long_enough_apart_and_hold_all_that_is_long_enough(beyond: str) -> None:
    found = spans(beyond)
    assert all(last - first >= 15 for first, last in found)
    assert all(later[0] - one[1] > 15 for one, later in itertools.pairwise(found))
    for place in range(len(beyond) - 3):
        if beyond[place : place + 4] == "xxxx":
            assert any(first <= 5 * place and 5 * place + 15 <= last for first, last in found)


@pytest.mark.parametrize("seed", [4, 5])
def test_all_that_is_planned_and_due_stands_there_once(seed: int) -> None:
    homes = make_neighbourhood(homes=6, days=2, seed=seed, every_h=8)
    happened = happenings(homes)
    end_ms = START_MS + 2 * DAY_MS
    planned = [row for row in homes.plan.planned if row.due_at_ms < end_ms]
    late = [one for one in happened if one.due_ms >= end_ms]
    assert late
    assert not any(one.asked or one.near_miss for one in late)
    assert len([one for one in happened if one.near_miss]) == sum(row.near_miss for row in planned)
    assert sum(one.kind == "sos" and one.asked for one in happened) == sum(row.kind == "sos" for row in planned)
    assert all(one.first_ms <= one.due_ms <= one.last_ms for one in happened)
    assert {one.kind for one in happened} & {"dose_not_taken", "dose_taken_out_of_time"}
    assert {one.kind for one in happened} & {"low of diabetes", "high of diabetes"}
    graver = [one for one in happened if one.kind == "severe low of diabetes"]
    assert all((one.level, one.severity) == (2, Severity.HIGH) for one in graver)
    assert happened == happenings(make_neighbourhood(homes=6, days=2, seed=seed, every_h=8))
