"""What is counted on recordings: findings, episodes by their highest level, crossings, measured days."""

import gzip
from pathlib import Path

from schemas.reasons import Flag
from tests.proving.alarms.count import Found, crossings_of, days_of
from tests.proving.alarms.recordings import Row, pressure, worn

LOW = [Row(5 * n, {"glucose": value}) for n, value in enumerate([100, 60, 60, 60, 60, 53, 53, 90, 90, 90, 90, 60, 90])]


def test_findings_and_the_highest_level_of_each_episode_are_counted() -> None:
    found = Found()
    found.add(LOW, "cgm")
    assert found.findings == {("glucose_low", 1): 1, ("glucose_low", 2): 1}
    assert found.episodes == {("glucose_low", 2): 1}


def test_every_crossing_of_a_limit_counts_and_staying_beyond_it_does_not() -> None:
    assert [crossings_of(LOW, "glucose_low", level) for level in (1, 2, 3)] == [2, 1, 0]
    assert crossings_of(LOW, "glucose_high", 1) == 0


def test_a_gap_is_no_time_in_which_something_was_measured() -> None:
    assert days_of([Row(0, {}), Row(30, {}), Row(61, {}), Row(66, {})]) == 35 / (24 * 60)


def test_a_recording_gives_what_was_measured_and_leaves_out_what_was_imputed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "d1namo_multivital_5min.csv.gz", "wt") as file:
        file.write("patient,minute,heart_rate,resp_rate,activity_g\n")
        file.write("A,5,70,14,0.02\nA,10,70,300,0.5\nB,10,70,14,\n")
    people = worn(tmp_path)
    assert people == {
        "A": [
            Row(5, {"heart_rate": 70, "respiratory_rate": 14}, int(Flag.RESTING)),
            Row(10, {}, int(Flag.MOVING)),
        ],
        "B": [Row(10, {"heart_rate": 70, "respiratory_rate": 14}, int(Flag.RESTING))],
    }
    with gzip.open(tmp_path / "welltory_home_bp.csv.gz", "wt") as file:
        file.write("user_code,measurement_datetime,systolic,diastolic\nx,2020-04-29  22:33:33,150,100\n")
    (row,) = pressure(tmp_path)["x"]
    assert row.values == {"systolic": 150, "diastolic": 100}
