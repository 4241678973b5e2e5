"""Stays as they are read: whatever the order of rows, hours without a row, and when sepsis began."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.proving.scorecard.recorded_stays import RECORDING, Stay, recorded_stays

COLUMNS = ("heart_rate", "spo2", "temp_c", "sbp", "resp_rate")
Row = tuple[str, int, float, int]
"""Person, hour, pulse, label."""


def read(folder: Path, *rows: Row) -> list[Stay]:
    people, hours, pulses, labels = zip(*rows, strict=True)
    table = pa.table(
        {
            "patient": pa.array(people).dictionary_encode(),
            **{name: pa.array([97.0] * len(rows), pa.float32()) for name in COLUMNS},
            "heart_rate": pa.array(pulses, pa.float32()),
            "age": pa.array([71.5 if one == "b" else 50.0 for one in people], pa.float32()),
            "male": pa.array([int(one == "b") for one in people], pa.int16()),
            "hour": pa.array(hours, pa.int16()),
            "sepsis_label": pa.array(labels, pa.int16()),
        }
    )
    parquet.write_table(table, folder / RECORDING)
    return recorded_stays(folder / RECORDING)


def test_rows_are_put_in_order_and_hours_without_one_are_empty(tmp_path: Path) -> None:
    first, second = read(tmp_path, ("b", 5, 85.0, 0), ("a", 1, 71.0, 0), ("b", 3, 83.0, 0), ("b", 2, 82.0, 0))
    assert (first.person, second.person) == ("a", "b")
    np.testing.assert_equal(second.values[:, 0], [82.0, 83.0, np.nan, 85.0])
    assert (second.age, second.is_male, first.age, first.is_male) == (71.5, True, 50.0, False)
    assert (second.onset, second.hours, second.began_before) == (None, 4, False)


@pytest.mark.parametrize(
    ("labels", "onset", "began_before"),
    [((0, 0, 1, 1), 8, 0), ((1, 1, 1, 1), 6, 1), ((0, 0, 0, 0), None, 0)],
)
def test_the_onset_is_six_hours_after_the_label(
    tmp_path: Path, labels: tuple[int, ...], onset: int | None, began_before: int
) -> None:
    (stay,) = read(tmp_path, *(("a", hour, 80.0, label) for hour, label in enumerate(labels)))
    assert (stay.onset, stay.hours, stay.began_before) == (onset, 4, bool(began_before))


def test_hours_from_the_onset_on_do_not_count(tmp_path: Path) -> None:
    (stay,) = read(tmp_path, *(("a", hour, 80.0, int(hour >= 2)) for hour in range(12)))
    assert (len(stay.values), stay.onset, stay.hours) == (12, 8, 8)


def test_what_ingest_would_reject_is_left_out(tmp_path: Path) -> None:
    (stay,) = read(tmp_path, ("a", 1, 19.0, 0), ("a", 2, 20.0, 0), ("a", 3, float("nan"), 0), ("a", 4, 300.0, 0))
    np.testing.assert_equal(stay.values[:, 0], [np.nan, 20.0, np.nan, np.nan])
