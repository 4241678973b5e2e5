"""The events of reports against an independent count of them, on random traces and, where there is one, a real file."""

import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.glucose_events import glucose_events
from tests.unit.services.score.hypoglycaemia import Trace, episodes
from tests.unit.services.score.story import START, minute

steps = st.sampled_from([1, 4, 5, 5, 5, 5, 10, 14, 15, 16, 29, 30, 31])
values = st.sampled_from([39, 50, 53, 53.9, 54, 60, 69, 69.9, 70, 71, 100])


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    gaps = draw(st.lists(steps, min_size=1, max_size=60))
    return [(sum(gaps[: number + 1]), draw(values)) for number in range(len(gaps))]


@given(traces())
def test_reports_count_the_events_that_an_independent_count_finds(trace: Trace) -> None:
    assert _found(trace, 1) == episodes(trace, 70)
    assert _found(trace, 2) == episodes(trace, 54)


@pytest.mark.skipif("HB_EVAL_CGM" not in os.environ, reason="HB_EVAL_CGM names no recording")
def test_reports_count_the_events_of_a_real_recording() -> None:
    traces_by_person = _recording(Path(os.environ["HB_EVAL_CGM"]))
    matched = expected = extra = 0
    for person in sorted(traces_by_person)[:20]:
        trace = sorted(traces_by_person[person])
        for level, limit in ((1, 70), (2, 54)):
            found, counted = set(_found(trace, level)), set(episodes(trace, limit))
            matched, expected, extra = (
                matched + len(found & counted),
                expected + len(counted),
                extra + len(found - counted),
            )

    assert expected > 100
    assert matched / (expected + extra) >= 0.99


def _found(trace: Trace, level: int) -> list[tuple[float, float]]:
    return [
        ((event.first_at - START) / 60_000, (event.counts_at - START) / 60_000)
        for event in glucose_events((minute(at), value) for at, value in trace)
        if event.level == level
    ]


def _recording(path: Path) -> dict[str, list[tuple[float, float]]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = parquet.read_table(path).to_pydict()
    found = defaultdict(list)
    for person, at, value in zip(columns["patient"], columns["minute"], columns["glucose_mgdl"], strict=True):
        found[person].append((at, value))
    return found
