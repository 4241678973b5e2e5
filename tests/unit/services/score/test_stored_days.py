"""Days from before score counted them come out of stored readings, as if they had been counted when they were lived."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.vitals import HEART_RATE, SKIN_TEMPERATURE, STEPS
from services.score.days import DAY_MS, STEPS_A_UNIT, Days
from services.score.models.drift import SKIN_TEMPERATURE as SKIN_CHANNEL
from services.score.models.drift import SLEEPING_PULSE, DriftDay
from services.score.models.drift import STEPS as STEPS_CHANNEL
from services.score.recent_values import RecentValues
from services.score.rule import HOUR_MS
from services.score.stored_days import closed_days

FIRST = 19_675
VITALS = (HEART_RATE.number, STEPS.number, SKIN_TEMPERATURE.number)
Reading = tuple[int, float, int]
"""A vital, its value, and when it was measured and received, in ms."""


def life(days: int, *, ill_from: int = 10**6) -> list[Reading]:
    """Three readings an hour; who is ill has a fast pulse, warm skin, and hardly walks."""
    found: list[Reading] = []
    for number in range(days * 24 * 3):
        at, day, ill = FIRST * DAY_MS + number * HOUR_MS // 3, number // 72, number // 72 >= ill_from
        values = (62 + day % 3 + number % 5 + 18 * ill, 60 + day % 4 - 45 * ill, 33.0 + day % 3 / 10 + 1.6 * ill)
        found += [(vital, float(value), at) for vital, value in zip(VITALS, values, strict=True)]
    return found


def lived(
    readings: Sequence[Reading], recent: RecentValues | None = None, until: int = 0
) -> tuple[RecentValues, list[DriftDay]]:
    """As score counts them from the log; and the days that it could say something of."""
    recent, drifted = recent or RecentValues(0), list[DriftDay]()
    for vital, value, at in [*readings, (0, 0.0, until)]:
        recent.pass_time(at)
        drifted += recent.days.drifted
        recent.days.drifted = []
        if vital:
            recent.add(vital, value, at, at)
    return recent, drifted


def stored(readings: Sequence[Reading], before: int) -> Any:
    """As the database counts them, of days before ``before``."""
    counts, hours = Counter[tuple[int, int, int]](), Counter[tuple[int, int, int]]()
    for vital, value, at in readings:
        key = vital, at // DAY_MS, int(value * STEPS_A_UNIT[vital] + 0.5)
        if at // DAY_MS < before:
            counts[key] += 1
            hours[key] |= 1 << at // HOUR_MS % 24
    rows = [
        (
            vital,
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day),
            step,
            counts[vital, day, step],
            hours[vital, day, step],
        )
        for vital, day, step in sorted(counts)
    ]
    return parse_json(write_json(closed_days(rows)))


def life_since(since: int, readings: Sequence[Reading], *, is_filled: bool) -> tuple[RecentValues, list[DriftDay]]:
    """Score counts from day ``since`` on; two hours later it takes what is stored of before, or does not."""
    counted = [one for one in readings if one[2] // DAY_MS >= since]
    recent, _ = lived(counted[: 2 * 9])
    if is_filled:
        days = recent.days.copied()
        days.fill(stored(readings, since - 1))
        recent.saved(days)
    return lived(counted[2 * 9 :], recent, readings[-1][2] + 3 * DAY_MS)


def test_who_has_stored_readings_stands_where_having_been_counted_would_have_left_them() -> None:
    readings = life(35)
    whole, _ = lived(readings, until=readings[-1][2] + 3 * DAY_MS)
    filled, _ = life_since(FIRST + 20, readings[: 72 * 3 * 19] + readings[72 * 3 * 20 :], is_filled=True)
    assert filled.days.first_closed == whole.days.first_closed == FIRST
    day_before = [one for one in whole.days.closed(STEPS.number) if one.day != FIRST + 19]
    assert filled.days.closed(STEPS.number) == day_before
    assert {STEPS_CHANNEL, SKIN_CHANNEL, SLEEPING_PULSE} <= filled.days.drift.past.keys()
    assert filled.days.drift.past[STEPS_CHANNEL].days[-1] == FIRST + 34


def test_an_illness_is_found_in_the_first_days_and_from_a_cold_start_it_is_not() -> None:
    readings = life(38, ill_from=33)
    _, warm = life_since(FIRST + 30, readings, is_filled=True)
    _, from_nothing = life_since(FIRST + 30, readings, is_filled=False)
    assert any(one.level for one in warm)
    assert not any(one.level for one in from_nothing)


def test_days_that_were_counted_whole_stay_and_what_is_open_stays_open() -> None:
    whole, _ = lived(life(40))
    before = whole.days.to_plain()
    lying = {code: [[day, 99, 1.0, 24, 1.0, 1.0] for day, *_ in days] for code, days in before["closed"].items()}
    whole.days.fill(lying)
    assert whole.days.to_plain() == before


def test_days_of_before_hours_and_sums_were_kept_are_replaced() -> None:
    """What score had written of them was their median; and steps and skin temperature it did not count."""
    readings = life(34)
    whole, _ = lived(readings, until=(FIRST + 36) * DAY_MS)
    old = whole.days.to_plain()
    kept = {HEART_RATE.code: [one[:3] for one in old["closed"][HEART_RATE.code]]}
    older = Days.from_plain({"version": 1, "open_from": old["open_from"], "open": [], "closed": kept})
    assert STEPS_CHANNEL not in older.drift.past
    older.fill(stored(readings, FIRST + 34))
    assert older.to_plain() == old


def test_nothing_is_said_of_days_that_come_in_so_and_the_drift_goes_on_with_the_next() -> None:
    readings = life(42, ill_from=34)
    recent, _ = lived([one for one in readings if one[2] // DAY_MS >= FIRST + 41][: 2 * 9])
    days = recent.days.copied()
    days.fill(stored(readings, FIRST + 40))
    assert days.drift.is_active
    assert (days.drifted, days.reported.episode) == ([], 0)
    _, said = life_since(FIRST + 41, readings, is_filled=True)
    assert [bool(one.level) for one in said] == [True]


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_newest_days_are_kept_and_filling_again_changes_nothing(since: int, upto: int) -> None:
    readings = [
        (STEPS.number, 100.0, (FIRST + number) * DAY_MS + hour * HOUR_MS) for number in range(41) for hour in (9, 12)
    ]
    recent, _ = lived([one for one in readings if one[2] // DAY_MS >= FIRST + since], until=(FIRST + 43) * DAY_MS)
    rows = stored(readings, FIRST + upto)
    recent.days.fill(rows)
    once = recent.days.to_plain()
    recent.days.fill(rows)
    assert recent.days.to_plain() == once
    known = [one.day for one in recent.days.closed(STEPS.number)]
    assert known == [day for day in range(FIRST + 6, FIRST + 41) if day < FIRST + upto or day >= FIRST + since]
