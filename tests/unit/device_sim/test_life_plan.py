"""A plan of many days: something happens now and then, bands lie on the table, doses are late or stay in their cup."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.adherence import PERFECT, Adherence
from device_sim.incident import IncidentKind
from device_sim.life import NEAR_MISSES, LifePlan
from tests.unit.device_sim.sim_world import HOUR_MS, START_MS, uplinks, world

DAY_MS = 24 * HOUR_MS


def life(
    *, seed: int = 1, days: int = 6, every: int = 12, adherence: Adherence | None = None, start_ms: int = START_MS
) -> LifePlan:
    made = LifePlan(
        world(seed=seed, homes=10, start_ms=start_ms),
        start_ms=start_ms,
        rate=1,
        every=every,
        adherence=adherence or Adherence(seed=seed),
    )
    made.ensure(start_ms + days * DAY_MS)
    return made


def test_each_kind_happens_once_in_so_many_hours_with_near_misses_for_each() -> None:
    made = life(days=10)
    kinds = Counter(row.kind for row in made.all)
    assert {IncidentKind.SLOW_PULSE, IncidentKind.HYPERGLYCAEMIA} <= set(kinds)
    assert max(kinds.values()) <= 10 * 24 / 12 + 1
    assert len(made.near_misses) > 0.8 * NEAR_MISSES * len(made.all)
    assert len({row.kind for row in made.near_misses}) > 18


def test_nothing_happens_to_a_band_that_lies_on_the_table_and_it_measures_nobody() -> None:
    made = life()
    bands = {device.device: device for device in made.world.devices if device.type == "wearable_band"}
    offs = {
        name: [off for day in range(7) if (off := made.left_off(band, START_MS + day * DAY_MS)) is not None]
        for name, band in bands.items()
    }
    assert sum(off.last_ms - off.first_ms for some in offs.values() for off in some) > 10 * 3 * DAY_MS / 5
    for row in made.planned:
        assert not any(off.overlaps(*row.busy) for off in offs.get(row.device, ()))
    name = next(name for name, some in offs.items() if any(off.last_ms > off.first_ms for off in some))
    rows = list(uplinks(made, bands[name], hours=6 * 24))
    left = [row for row in rows if any(off.first_ms <= row.at_ms < off.last_ms for off in offs[name])]
    assert left
    assert not any(row.readings for row in left)


def test_a_band_that_is_put_down_is_put_on_again_also_at_the_end_of_a_day() -> None:
    # The end of a day is the beginning of an hour of the plan.
    made, ends = life(start_ms=START_MS // HOUR_MS * HOUR_MS), 0
    for band in (device for device in made.world.devices if device.type == "wearable_band"):
        rows = list(uplinks(made, band, hours=6 * 24))
        said = [event.event for row in rows for event in row.events if event.event in {"worn", "not_worn"}]
        assert said
        assert all(one != other for one, other in itertools.pairwise(said))
        offs = (made.left_off(band, START_MS + day * DAY_MS) for day in range(6))
        ends += sum(off is not None and off.first_ms < off.last_ms and off.last_ms % DAY_MS == 0 for off in offs)
    assert ends


def test_four_of_five_time_critical_doses_are_taken_in_time() -> None:
    made = life(days=3)
    late = Counter[str]()
    for plan in made.world.plans:
        for dose in plan.doses(START_MS, START_MS + 60 * DAY_MS):
            late_ms = made.dose_late_ms(plan.device, dose)
            if dose.time_critical:
                late["never" if late_ms is None else "late" if late_ms else "in time"] += 1
            else:
                assert late_ms == 0
    assert late["in time"] / late.total() == pytest.approx(0.8, abs=0.03)
    assert late["late"] == pytest.approx(late["never"], rel=0.35)


def test_who_keeps_to_everything_wears_the_band_and_takes_each_dose() -> None:
    made = life(adherence=PERFECT, days=1)
    assert all(made.left_off(device, START_MS + 2 * DAY_MS) is None for device in made.world.devices)
    doses = [(plan.device, dose) for plan in made.world.plans for dose in plan.doses(START_MS, START_MS + DAY_MS)]
    assert doses
    assert {made.dose_late_ms(device, dose) for device, dose in doses} == {0}


@given(seed=st.integers(0, 9), worn=st.floats(0.1, 1.0), at=st.integers(START_MS, START_MS + 90 * DAY_MS))
def test_a_band_is_left_off_within_one_day_for_whole_hours(seed: int, worn: float, at: int) -> None:
    off = Adherence(seed=seed, worn=worn).off_body("band", at)
    assert at // DAY_MS * DAY_MS <= off.first_ms <= off.last_ms <= (at // DAY_MS + 1) * DAY_MS
    assert (off.last_ms - off.first_ms) % HOUR_MS == 0
    assert off == Adherence(seed=seed, worn=worn).off_body("band", at // DAY_MS * DAY_MS)


def test_people_measure_a_little_less_from_week_to_week_and_who_is_perfect_does_not() -> None:
    keeps = Adherence(seed=1)
    assert keeps.still_measures(-1) == keeps.still_measures(0) == 1
    assert keeps.still_measures(365) == pytest.approx(0.64 / 0.89)
    assert keeps.still_measures(30) > keeps.still_measures(60)
    assert PERFECT.still_measures(365) == 1
