"""The events of reports against an independent count of them, on random traces and, where there is one, a real file."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.glucose_events import glucose_events
from tests.proving.scorecard import recorded_glucose
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
    recorded = recorded_glucose.traces(Path(os.environ["HB_EVAL_CGM"]))
    matched = expected = extra = 0
    for one in [*recorded.values()][:20]:
        trace = list(zip(one.minutes.tolist(), one.mg_dl.tolist(), strict=True))
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
