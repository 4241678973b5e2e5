"""Timings, the verdict, and plans in one line."""

from typing import Any

from tests.proving.growth.figures import timing_of, too_slow
from tests.proving.growth.plans import largest_of_each, short_form


def test_a_timing_keeps_the_first_execution_apart() -> None:
    timing = timing_of([90.0, *[float(number) for number in range(1, 20)]], [4, *[2] * 19])

    assert (timing.runs, timing.first_ms, timing.p50_ms, timing.p95_ms, timing.most_ms) == (20, 90, 10, 19, 90)
    assert timing.rows == 2.1


def test_what_breaks_the_promise_is_named_the_slowest_first() -> None:
    timings = {name: timing_of([at], [1]) for name, at in {"fine": 100.0, "slow": 101.0, "slowest": 500.0}.items()}
    assert too_slow(timings) == ["slowest", "slow"]


def read(relation: str, *, loops: int = 1, kind: str = "Index Only Scan") -> dict[str, Any]:
    return {"Node Type": kind, "Relation Name": relation, "Actual Loops": loops}


SERIES = {
    "Query Text": "series",
    "Plan": {
        "Node Type": "Aggregate", "Shared Hit Blocks": 500, "Shared Read Blocks": 20, "Actual Total Time": 12.34,
        "Plans": [{
            "Node Type": "Custom Scan", "Chunks excluded during startup": 48,
            "Plans": [read("_hyper_1_1_chunk"), read("_hyper_1_2_chunk"), read("_hyper_1_3_chunk", loops=0)],
        }, read("people", kind="Index Scan")],
    },
}  # fmt: skip
PANEL = {"Query Text": "panel", "Plan": {"Node Type": "Function Scan", "Shared Hit Blocks": 900}}


def test_a_panel_is_explained_by_what_its_function_read() -> None:
    assert short_form([SERIES, PANEL]) == (
        "2 x Index Only Scan on chunk, Index Scan on people, 49 not read; 500 buffers hit, 20 read; 12.3 ms"
    )


def test_a_query_that_reads_no_table_is_explained_by_itself() -> None:
    assert short_form([PANEL]) == "; 900 buffers hit, 0 read; 0.0 ms"


def test_of_a_function_that_ran_often_the_largest_run_is_kept() -> None:
    small = {"Query Text": "series", "Plan": {"Node Type": "Aggregate", "Shared Hit Blocks": 3}}
    assert list(largest_of_each([small, SERIES, small, PANEL])) == [SERIES, PANEL]
