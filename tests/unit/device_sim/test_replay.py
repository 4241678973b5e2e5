"""A recording is streamed as it is, moved so that its first minute is the start of platform time."""

import csv
import gzip
import json
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from device_sim.errors import ReplayError
from device_sim.replay import (
    DEFAULT_COLUMNS,
    Recorded,
    Recording,
    base_ms,
    make_register,
    make_sources,
    parse_columns,
    read_recordings,
    write_map,
)
from schemas.devices import DEVICE_TYPE_BY_CODE
from tests.unit.device_sim.sim_world import MINUTE_MS, START_MS

ROWS = [("B", 20, 101), ("A", 15, 90), ("A", 10, 88), ("B", 12, 100), ("C", 3, 77)]
COLUMNS = ("patient", "minute", "glucose_mgdl")


def written(directory: Path, ending: str) -> Path:
    path = directory / f"recorded.{ending}"
    if ending == "parquet":
        columns = zip(*ROWS, strict=True)
        parquet.write_table(pa.table(dict(zip(COLUMNS, map(list, columns), strict=True))), path)
        return path
    opener = gzip.open if ending.endswith("gz") else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *ROWS])
    return path


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz"])
def test_the_first_ids_in_sorted_order_are_streamed_in_the_order_of_time(tmp_path: Path, ending: str) -> None:
    people = read_recordings(written(tmp_path, ending), people=2, columns=DEFAULT_COLUMNS)
    assert [one.name for one in people] == ["A", "B"]
    assert [[row.minute for row in one.rows] for one in people] == [[10, 15], [12, 20]]
    streamed = [
        (planned.at_ms - START_MS, planned.readings[0].value, planned.readings[0].unit)
        for source in make_sources(people, start_ms=START_MS)
        for planned, fault in source.planned
        if fault is None
    ]
    assert streamed == [
        (0, 88, "mg/dL"),
        (5 * MINUTE_MS, 90, "mg/dL"),
        (2 * MINUTE_MS, 100, "mg/dL"),
        (10 * MINUTE_MS, 101, "mg/dL"),
    ]


def test_the_map_leads_from_a_row_of_the_file_to_its_stamp(tmp_path: Path) -> None:
    people = read_recordings(written(tmp_path, "csv"), people=3, columns=DEFAULT_COLUMNS)
    write_map(tmp_path / "map.json", people, start_ms=START_MS)
    rows = {row["id"]: row for row in json.loads((tmp_path / "map.json").read_text())}
    sources = {source.device: list(source.planned) for source in make_sources(people, start_ms=START_MS)}
    assert len(rows) == 3
    for name, minute, _ in ROWS:
        stamps = {planned.at_ms for planned, _ in sources[rows[name]["device"]]}
        assert rows[name]["base_ms"] + minute * MINUTE_MS in stamps
    register = make_register(people)
    assert {str(home.people[0].person_id) for home in register.homes} == {row["person_id"] for row in rows.values()}
    assert {device.device for home in register.homes for device in home.devices} == set(sources)


@given(st.lists(st.floats(0, 30_000), min_size=1, max_size=20, unique=True), st.integers(10**12, 2 * 10**12))
def test_moving_keeps_every_distance_and_starts_at_the_start(minutes: list[float], start_ms: int) -> None:
    rows = tuple(Recorded(minute=minute, values=(("glucose", 100.0),)) for minute in sorted(minutes))
    one = Recording(name="A", person_id=UUID(int=7), rows=rows)
    stamps = [planned.at_ms for planned, _ in make_sources([one], start_ms=start_ms)[0].planned]
    assert abs(stamps[0] - start_ms) <= 1
    assert all(
        abs((later - stamps[0]) - (row.minute - rows[0].minute) * MINUTE_MS) <= 1
        for later, row in zip(stamps, rows, strict=True)
    )
    assert base_ms([one], start_ms) == start_ms - round(rows[0].minute * MINUTE_MS)


def test_several_vitals_go_to_the_devices_that_can_measure_them(tmp_path: Path) -> None:
    path = tmp_path / "home.csv"
    path.write_text("who,minute,hr,gl\nx,0,70,100\nx,5,,101\nx,10,72,nan\n")
    people = read_recordings(path, people=1, columns="person=who,minute=minute,heart_rate=hr,glucose=gl")
    for source in make_sources(people, start_ms=START_MS):
        vitals = {row.vital for planned, _ in source.planned for row in planned.readings}
        assert vitals <= set(DEVICE_TYPE_BY_CODE[source.type].vitals)
    counts = {source.type: len(list(source.planned)) for source in make_sources(people, start_ms=START_MS)}
    assert counts == {"cgm": 2, "wearable_band": 2}


@pytest.mark.parametrize(
    "columns", ["", "person=a", "person=a,minute=b", "person=a,minute=b,mood=c", "person=,minute=b,glucose=c"]
)
def test_a_column_map_that_says_too_little_is_refused(columns: str) -> None:
    with pytest.raises(ReplayError):
        parse_columns(columns)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_column_that_the_file_has_not_is_named(tmp_path: Path, ending: str) -> None:
    with pytest.raises(ReplayError, match="sugar"):
        read_recordings(written(tmp_path, ending), people=2, columns="person=patient,minute=minute,glucose=sugar")
