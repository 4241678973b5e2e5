"""The reader of recorded glucose: people in any order, readings in the order of time."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.reasons import Flag
from tests.proving.alarms.recordings import Row, glucose
from tests.proving.scorecard.recorded_glucose import FILE, traces
from tests.proving.scorecard.section import MissingDataError


def write(path: Path, rows: Sequence[tuple[str, int, int | None]]) -> Path:
    patients, minutes, values = zip(*rows, strict=True)
    table = pa.table(
        {
            "patient": pa.array(patients).dictionary_encode(),
            "minute": pa.array(minutes, pa.int32()),
            "glucose_mgdl": pa.array(values, pa.int16()),
        }
    )
    parquet.write_table(table, path / FILE)
    return path / FILE


def test_each_person_has_their_own_trace_in_the_order_of_time(tmp_path: Path) -> None:
    rows = [("b", 10, 120), ("a", 5, 39), ("b", 5, 110), ("a", 0, 401), ("b", 10, 500)]
    found = traces(write(tmp_path, rows))
    assert list(found) == ["a", "b"]
    assert found["a"].minutes.tolist() == [0, 5]
    assert found["a"].mg_dl.tolist() == [401.0, 39.0]
    assert found["b"].minutes.tolist() == [5, 10]
    assert found["b"].mg_dl.tolist() == [110.0, 120.0]
    assert found["b"].days == pytest.approx(2 / 288)


def test_as_records_of_a_monitor_what_lies_beyond_the_sensor_is_flagged(tmp_path: Path) -> None:
    write(tmp_path, [("a", 5, 39), ("a", 0, 40), ("a", 10, None), ("b", 0, 400), ("b", 5, 401), ("c", 0, None)])
    assert glucose(tmp_path) == {
        "a": [Row(0, {"glucose": 40}), Row(5, {"glucose": 39}, int(Flag.CLIPPED))],
        "b": [Row(0, {"glucose": 400}), Row(5, {"glucose": 401}, int(Flag.CLIPPED))],
    }


def test_another_table_is_no_recording(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"patient": ["a"], "minute": [0]}), tmp_path / FILE)
    with pytest.raises(MissingDataError, match="glucose_mgdl"):
        traces(tmp_path / FILE)
