"""What the bench makes of its measurements: memory that grows, notifications that come, speed at full work, goals."""

from pathlib import Path
from typing import Any

import pytest

from services.score.learned import LEARNED, catalogue_of
from tests.proving.bench.drain import Seen, speed
from tests.proving.bench.encryption import cost_ratio
from tests.proving.bench.goals import judge_goals
from tests.proving.bench.memory import judge_memory
from tests.proving.bench.notifications import notification_latency
from tests.proving.bench.options import Options, Phase
from tests.proving.bench.trial import ratio, with_other_fits


def test_memory_that_rises_at_the_start_only_is_flat() -> None:
    found = judge_memory([50, 80, 100, 100, 100, 100, 101, 101, 101])
    assert found.flat
    assert found.most_mb == 101


def test_memory_that_goes_on_rising_is_not_flat() -> None:
    found = judge_memory([50, 60, 70, 80, 90, 100, 110, 120, 130])
    assert not found.flat
    assert found.growth == pytest.approx(120 / 90 - 1)


def test_of_too_few_samples_nothing_is_said() -> None:
    found = judge_memory([50, 50])
    assert found.growth is None
    assert not found.flat
    assert judge_memory([]).most_mb == 0


def test_a_page_is_measured_from_the_press_over_its_alert() -> None:
    found = notification_latency({"a": 1.0, "b": 2.0}, {"a": "x", "b": "y"}, {"x": 1.25, "y": 2.5, "z": 9.0})
    assert found == {"p50": 250, "p99": 500, "most": 500, "notifications": 2, "missed": 0}


@pytest.mark.parametrize(
    ("alerts", "arrived"), [({}, {"x": 2.0}), ({"a": "x"}, {}), ({"a": "other"}, {"x": 2.0})], ids=str
)
def test_a_press_without_a_page_is_missed(alerts: dict[str, str], arrived: dict[str, float]) -> None:
    found = notification_latency({"a": 1.0}, alerts, arrived)
    assert (found["notifications"], found["missed"], found["p99"]) == (0, 1, None)


def test_speed_is_that_of_the_middle() -> None:
    seen = [Seen(0, 0), Seen(5, 100), Seen(6, 500), Seen(7, 900), Seen(20, 1000)]
    assert speed(seen, 1000) == 400


def test_without_a_middle_there_is_no_speed() -> None:
    assert speed([Seen(0, 0), Seen(1, 1000)], 1000) == 0
    assert speed([], 1000) == 0


def load(**changed: Any) -> dict[str, Any]:
    return {"lost": 0, "duplicated": 0, "foreign": 0, "rejected": 0, **changed}


def light(row: float | None = 40.0, page: float | None = 900.0, missed: int = 0, **changed: Any) -> dict[str, Any]:
    pages = {"p99": page, "missed": missed}
    return {"latency": load(device_to_row_ms={"p99": row}, device_to_notification_ms=pages, **changed)}


def heavy(
    per_s: float = 10_000,
    seconds: float = 300,
    most: float = 300,
    *,
    flat: bool = True,
    row: float | None = 5_000,
    score: tuple[float, float, float] = (12.0, 0.4, 150.0),
) -> dict[str, Any]:
    score_us, loop_us, score_mb = score
    memory = {"ingest": {"most": most, "growth": 0.0 if flat else 0.2, "flat": flat}}
    memory["score"] = {"most": score_mb, "growth": 0.0, "flat": True}
    cpu = {"cpu_us_per_reading": {"score": score_us}, "loop_us": loop_us}
    rows = {"p99": row}
    return {"sustained": load(uplinks_per_s=per_s, seconds=seconds, device_to_row_ms=rows, memory_mb=memory, **cpu)}


def modelled(p99: float = 200.0, **silent: str) -> dict[str, Any]:
    return {"models": {"learned": {"batch_ms": {"p99": p99}, "silent": silent}}}


def weighed(state: float = 4_096, wal: float = 1_024, log_s: float = 10, **changed: Any) -> dict[str, Any]:
    figures = {"fast_state_bytes_a_person": state, "wal_bytes_a_reading": wal, "restart_reads_s": log_s}
    return {"state": load(**figures, **changed)}


def beside(p99_ratio: float | None = 1.1, homes: int = 500, lost: int = 0) -> dict[str, Any]:
    found = {"without": [load()], "with": [load(lost=lost)], "homes_with_trial": homes, "p99_ratio": p99_ratio}
    return {"trial": found}


def encrypted(cpu_ratio: float = 1.25, away_s: float | None = 120.0, lost: int = 0) -> dict[str, Any]:
    found = {"plain": [load()], "encrypted": [load(lost=lost)], "cpu_ratio": cpu_ratio, "storm": load(away_s=away_s)}
    return {"encryption": found}


@pytest.mark.parametrize(
    "report",
    [
        light(),
        heavy(),
        {"peer": {"cpu_ratio": 3.0, "throughput_ratio": 0.5}},
        {"growth": {"devices": [load(devices=1_000)]}},
        weighed(),
        modelled(),
        beside(),
        encrypted(),
        heavy(score=(24.0, 0.8, 150.0)),
        {},
    ],
    ids=str,
)
def test_a_report_that_keeps_every_goal_passes(report: dict[str, Any]) -> None:
    assert all(goal.met for goal in judge_goals(report))


@pytest.mark.parametrize(
    "report",
    [
        light(row=51),
        light(row=None),
        light(page=1001),
        light(missed=1),
        light(lost=1),
        light(duplicated=1),
        heavy(per_s=9_000),
        heavy(seconds=60),
        heavy(most=301),
        heavy(flat=False),
        heavy(row=60_000),
        heavy(row=None),
        {"peer": {"cpu_ratio": 3.1, "throughput_ratio": 0.5}},
        {"peer": {"cpu_ratio": 3.0, "throughput_ratio": 0.4}},
        {"peer": {"not_run": "not run: telegraf is not on PATH"}},
        {"growth": {"devices": [load(devices=1_000), load(devices=5_000, lost=1)]}},
        weighed(state=4_097),
        weighed(wal=1_025),
        weighed(log_s=10.1),
        weighed(lost=1),
        modelled(p99=201),
        modelled(anomaly="anomaly.npz is missing"),
        beside(1.11),
        beside(None),
        beside(homes=0),
        beside(lost=1),
        encrypted(1.26),
        encrypted(away_s=121),
        encrypted(away_s=None),
        encrypted(lost=1),
        heavy(score=(13.0, 0.4, 150.0)),
        heavy(score=(12.0, 0.4, 151.0)),
    ],
    ids=str,
)
def test_a_goal_that_is_missed_is_reported(report: dict[str, Any]) -> None:
    assert not all(goal.met for goal in judge_goals(report))


def test_the_default_asks_for_what_the_goals_want() -> None:
    options = Options()
    assert not {Phase.TRIAL, Phase.ENCRYPTION} & set(options.phases)
    assert (options.sustained_per_s, options.sustained_s, options.light_per_s) == (10_000, 300, 1_000)


def test_a_machine_that_becomes_slow_between_two_turns_makes_nothing_dear() -> None:
    assert cost_ratio([22.0, 44.0, 66.0], [20.0, 40.0, 60.0]) == pytest.approx(1.1)


def test_medians_are_compared_and_what_was_not_measured_is_not() -> None:
    assert ratio([30.0, 90.0, 33.0], [30.0, 20.0, 31.0]) == pytest.approx(1.1)
    assert ratio([30.0, None], [30.0, 20.0]) is None
    assert ratio([], []) is None


def test_of_every_model_another_fit_can_be_tried(tmp_path: Path) -> None:
    catalogue = catalogue_of(with_other_fits(tmp_path))
    assert not catalogue.shipped.missing
    names = sorted(rule.name for rule in catalogue.models.values())
    assert names == sorted(one.rule for one in LEARNED for _ in range(2))
