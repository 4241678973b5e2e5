"""The batches that the bench feeds to score's core: whose turn it is, what gathers, and that everything is taken."""

from collections import Counter
from itertools import pairwise

import pytest

from schemas.codec import decode_uplink_record
from schemas.records import JudgedUplink
from schemas.vitals import GLUCOSE, SYSTOLIC
from services.score.learned import WITHOUT
from services.score.rule import HOUR_MS, MINUTE_MS
from tests.proving.bench.batch_people import CUFF_EVERY_MS, PERIOD_MS, People, Received
from tests.proving.bench.batch_run import GATHER_MS, MOST, STALL_MS, Run, figures, gathered

BEGAN_AT = 500_000 * HOUR_MS


def records(count: int, every_ms: int, first: int) -> list[Received]:
    return [(first + number * every_ms, number, b"") for number in range(count)]


def read(sent: list[Received]) -> list[JudgedUplink]:
    found = [decode_uplink_record(value) for _, _, value in sent]
    return [one for one in found if isinstance(one, JudgedUplink)]


def test_each_band_sends_once_a_round_evenly_and_in_order() -> None:
    sent = People(100).round(BEGAN_AT)
    bands = [one for one in read(sent) if one.device.startswith("wearable_band")]
    assert [one.home_no for one in bands] == list(range(1, 101))
    assert {later.sent_at - one.sent_at for one, later in pairwise(bands)} == {PERIOD_MS // 100}
    assert sent == sorted(sent)


def test_a_fifth_sends_glucose_each_five_minutes_and_everybody_a_pressure_in_three_hours() -> None:
    people, seen = People(50), Counter[tuple[int, int]]()
    for at in range(BEGAN_AT, BEGAN_AT + CUFF_EVERY_MS, PERIOD_MS):
        for one in read(people.round(at, bands=False)):
            seen.update((one.home_no, reading.vital) for reading in one.readings)
    a_monitor = CUFF_EVERY_MS // (5 * MINUTE_MS)
    assert {home: count for (home, vital), count in seen.items() if vital == GLUCOSE.number} == dict.fromkeys(
        range(1, 51, 5), a_monitor
    )
    assert {home for home, vital in seen if vital == SYSTOLIC.number} == set(range(1, 51))


def test_no_device_sends_a_number_twice() -> None:
    people = People(50)
    seen = [(one.device_no, one.seq) for turn in range(40) for one in read(people.round(BEGAN_AT + turn * PERIOD_MS))]
    assert len(seen) == len(set(seen))


def test_what_comes_in_a_tenth_of_a_second_is_a_batch() -> None:
    batches = list(gathered(iter(records(500, 1, BEGAN_AT)), BEGAN_AT, stalls=False))
    assert [len(one) for one in batches] == [GATHER_MS] * 5


@pytest.mark.parametrize("every_ms", [1, 3])
def test_after_standing_still_all_is_taken_in_full_batches_in_order(every_ms: int) -> None:
    sent = records(2 * STALL_MS // every_ms, every_ms, BEGAN_AT)
    batches = list(gathered(iter(sent), BEGAN_AT, stalls=True))
    assert [one for batch in batches for one in batch] == sent
    assert max(map(len, batches)) == MOST
    assert sum(len(one) for one in batches if len(one) == MOST) >= STALL_MS // every_ms // MOST * MOST


def test_a_turn_is_measured_and_the_hours_before_it_are_not() -> None:
    run = Run(WITHOUT, People(3))
    run.pass_hours(BEGAN_AT, BEGAN_AT + 15 * MINUTE_MS)
    assert run.uplinks == []
    run.pass_turn(BEGAN_AT + HOUR_MS, stalls=False)
    assert sum(run.uplinks) >= 3 * 15
    assert run.readings >= 4 * 3 * 15
    assert len(run.spent_s) == len(run.cpu_s) == len(run.uplinks)


def test_figures_are_milliseconds_by_nearest_rank() -> None:
    assert figures([0.001] * 99 + [0.5]) == {"batches": 100, "p50": 1.0, "p99": 1.0, "most": 500.0}
    assert figures([]) == {"batches": 0, "p50": None, "p99": None, "most": None}
