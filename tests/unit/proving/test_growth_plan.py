"""What is generated: a fleet like a product's, whole days, and never more than the disk takes."""

import math
from itertools import pairwise

import pytest

from schemas.devices import DEVICE_TYPE_BY_CODE
from tests.proving.growth.plan import BEGIN, MINUTE_BAND, SOURCES, STEPS, disk_wanted, rows_a_day, steps_of, steps_to

PEOPLE = 600


def test_every_source_is_a_device_of_the_product() -> None:
    assert all(source.vitals and source.device_type in DEVICE_TYPE_BY_CODE for source in SOURCES)


def test_a_day_has_a_whole_number_of_reports() -> None:
    assert all(86_400 % source.every_s == 0 for source in SOURCES)


def test_everybody_has_a_cuff_and_few_a_band_that_reports_each_minute() -> None:
    owners = {source.code: source.owners(PEOPLE) for source in SOURCES}
    assert owners == {"band": 10, "sparing-band": 30, "cgm": 60, "cuff": 600, "scale": 600}


def test_a_worn_device_is_silent_a_sixteenth_of_the_day() -> None:
    assert MINUTE_BAND.rows_a_day(60) == 5 * 1440 * 15 / 16


def test_a_run_is_measured_at_every_step_and_at_its_end() -> None:
    assert steps_to(50_000_000) == STEPS
    assert steps_to(7_000_000) == (1_000_000, 5_000_000, 7_000_000)
    assert steps_to(200_000) == (200_000,)


@pytest.mark.parametrize("rows", [50_000, 200_000, 1_000_001, 50_000_000])
def test_steps_follow_each_other_day_by_day(rows: int) -> None:
    steps = list(steps_of(rows, PEOPLE))

    assert steps[0].first == 0
    assert all(after.first == before.until for before, after in pairwise(steps))
    assert all(step.first < step.copied_from < step.until for step in steps)
    assert steps[-1].until * rows_a_day(PEOPLE) >= rows


def test_fifty_million_rows_are_about_a_year() -> None:
    last = list(steps_of(50_000_000, PEOPLE))[-1]
    assert last.until == math.ceil(50_000_000 / rows_a_day(PEOPLE))
    assert 365 <= (last.ends_at - BEGIN).days <= 400


def test_three_times_the_disk_is_wanted() -> None:
    assert disk_wanted(50_000_000) == 3 * 260 * 50_000_000
