"""The reader of recorded glucose: people in any order, readings in the order of time."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.proving.scorecard.recorded_glucose import traces


def test_each_person_has_their_own_trace_in_the_order_of_time(tmp_path: Path) -> None:
    rows = [("b", 10, 120), ("a", 5, 39), ("b", 5, 110), ("a", 0, 401), ("b", 10, 500)]
    patients, minutes, values = zip(*rows, strict=True)
    table = pa.table(
        {
            "patient": pa.array(patients).dictionary_encode(),
            "minute": pa.array(minutes, pa.int32()),
            "glucose_mgdl": pa.array(values, pa.int16()),
        }
    )
    parquet.write_table(table, tmp_path / "made.parquet")
    found = traces(tmp_path / "made.parquet")
    assert list(found) == ["a", "b"]
    assert found["a"].minutes.tolist() == [0, 5]
    assert found["a"].mg_dl.tolist() == [401.0, 39.0]
    assert found["b"].minutes.tolist() == [5, 10]
    assert found["b"].mg_dl.tolist() == [110.0, 120.0]
    assert found["b"].days == pytest.approx(2 / 288)
