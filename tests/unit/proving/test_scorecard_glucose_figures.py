"""How glucose varies: figures of traces with gaps, read from a table, and of the simulated people beside them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.proving.scorecard.glucose_figures import LAGS_MIN, figures_of, recorded_traces, simulated_traces
from tests.proving.scorecard.section import MissingDataError

DAY = 288


def waves(*, phase: float = 0.0, mean: float = 160.0) -> np.ndarray:
    """A wave of ten hours, 70 mg/dL high."""
    return mean + 70 * np.sin(2 * np.pi * np.arange(5 * DAY) / 120 + phase)


def test_figures_of_a_wave_are_those_of_a_wave() -> None:
    figures = figures_of([waves(), waves(phase=1.0, mean=200)])
    assert figures.mean == pytest.approx(180)
    assert figures.sd_within == pytest.approx(70 / 2**0.5, rel=0.01)
    assert figures.sd_between == pytest.approx(20, rel=0.01)
    assert figures.cv_between == pytest.approx(20 / 180, rel=0.01)
    assert figures.below_70 == 0
    expected = [np.cos(2 * np.pi * lag / 600) for lag in LAGS_MIN]
    assert figures.autocorrelation == pytest.approx(expected, abs=0.01)


def test_what_is_missing_changes_little() -> None:
    whole, gappy = waves(), waves()
    gappy[100:130] = np.nan
    gappy[::17] = np.nan
    assert figures_of([gappy]).autocorrelation == pytest.approx(figures_of([whole]).autocorrelation, abs=0.02)


def test_a_recording_is_read_by_person_onto_a_grid(tmp_path: Path) -> None:
    minutes = [5 * place + 2 for place in range(3 * DAY)]
    del minutes[100]
    table = pa.table(
        {
            "patient": ["b"] * len(minutes) + ["a"] * 3,
            "minute": [*minutes, 0, 5, 10],
            "glucose_mgdl": [120.0] * len(minutes) + [100.0] * 3,
        }
    )
    parquet.write_table(table, tmp_path / "recording.parquet")
    (trace,) = recorded_traces(tmp_path / "recording.parquet")
    assert len(trace) == 3 * DAY
    assert np.flatnonzero(np.isnan(trace)).tolist() == [100]


def test_another_table_is_no_recording(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"patient": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(MissingDataError):
        recorded_traces(tmp_path / "other.parquet")
    short = pa.table({"patient": ["a"], "minute": [0], "glucose_mgdl": [100.0]})
    parquet.write_table(short, tmp_path / "short.parquet")
    with pytest.raises(MissingDataError):
        recorded_traces(tmp_path / "short.parquet")


def test_simulated_people_are_the_same_for_a_seed() -> None:
    one, again, other = (
        simulated_traces(people=2, days=1, seed=seed, start_ms=1_780_272_000_000) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.shape(one) == (2, DAY)
