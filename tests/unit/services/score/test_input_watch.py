"""What models are asked is counted by decile, and shown: rows of monitors, answers of a batch, never a person."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.alerts import Variant
from schemas.metrics import METRICS
from schemas.model_drift import LEAST_PEOPLE, LEAST_ROWS
from schemas.reasons import Flag
from services.runtime.clock import FakeClock
from services.runtime.metrics import Metrics
from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.input_watch import InputWatch, fit_of
from services.score.models.anomaly import FEATURES
from services.score.models.feature_drift import Spread
from services.score.models.glucose_forecast import FORM
from services.score.questions import Question
from services.score.re_ruled import use_rules
from services.score.rule_book import RuleBook
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, USUAL
from tests.unit.services.score.forecast_cases import FORECAST_BOOK, monitor, pricked
from tests.unit.services.score.story import HOME, START, uplink

SPREADS = {name: Spread((100.0,), (0.5, 0.5, 0.0)) for name in FORM.features}
OTHER_SPREADS = {name: Spread((60.0,), (0.5, 0.5, 0.0)) for name in FORM.features}
FIT, OTHER_FIT, UNKNOWN_FIT, OF_ANOMALY = "forecast 1 a", "forecast 1 b", "forecast 1 c", "anomaly 1 a"


def fitted(book: RuleBook, rule: str, fit: str) -> RuleBook:
    return RuleBook([replace(one, artefact=fit) if one.name == rule else one for one in book.rules])


SPREADS_OF = {FIT: [SPREADS], OTHER_FIT: [OTHER_SPREADS]}
BOOK = fitted(FORECAST_BOOK, "glucose_forecast", FIT)


class Pool:
    """Keeps what is written, as rows of a table would; ``away``: takes nothing."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.away = False

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["Pool"]:
        yield self

    def transaction(self, **_: object) -> "Pool":
        return self

    async def start(self) -> None:
        """Nothing is taken back."""

    commit = rollback = start

    async def executemany(self, _sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if self.away:
            raise ConnectionError
        self.rows += rows

    async def execute(self, _sql: str, *arguments: object) -> None:
        assert isinstance(arguments[0], date)


def watch_of(pool: Pool, metrics: Metrics) -> InputWatch:
    clock = FakeClock(at_ms=START)
    spreads = {FIT: SPREADS, OTHER_FIT: OTHER_SPREADS, OF_ANOMALY: {}}
    return InputWatch(spreads, pool=pool, clock=clock, metrics=metrics, instance="0")  # type: ignore[arg-type]


def counted(watch: InputWatch, pool: Pool) -> dict[str, list[int]]:
    asyncio.run(watch.settle())
    return {row[3]: row[6] for row in pool.rows}


def test_the_newest_row_of_a_monitor_counts_once_a_batch_and_a_meters_never() -> None:
    home, pool, metrics = HomeState(rules=BOOK), Pool(), Metrics(METRICS)
    watch = watch_of(pool, metrics)
    records = [*monitor(*[90] * 13, 110), pricked(66, 60)]
    for record in records:
        step(home, record, Tally())
    watch.see(records, {HOME: home}, [])
    found = counted(watch, pool)
    assert found["mg_dl"] == [0, 1, 0]
    assert found["step_0_min_ago"] == [1, 0, 0]
    assert {row[1:3] for row in pool.rows} == {("glucose_forecast", fit_of(SPREADS))}
    assert metrics.registry.get_sample_value("hb_score_model_rows_total", {"model": "glucose_forecast"}) == 1


def test_after_a_promotion_rows_are_compared_with_the_spreads_of_the_fit_that_is_live() -> None:
    home, pool, metrics = HomeState(rules=BOOK), Pool(), Metrics(METRICS)
    watch = watch_of(pool, metrics)

    def index() -> float | None:
        labels = {"model": "glucose_forecast", "feature": "mg_dl"}
        return metrics.registry.get_sample_value("hb_score_model_drift_ratio", labels)

    for number, fit in enumerate((FIT, OTHER_FIT, UNKNOWN_FIT)):
        use_rules(home, fitted(FORECAST_BOOK, "glucose_forecast", fit))
        (record,) = monitor(90, first=5.0 * number)
        step(home, record, Tally())
        # As many rows, and people, as an index takes.
        for _ in range(LEAST_ROWS):
            watch.see([record], {HOME: home}, [])
        for one in watch._models.values():  # noqa: SLF001 - of one home there are too few people
            one.days[-1].people.update(range(LEAST_PEOPLE))
        pool.rows.clear()
        found = counted(watch, pool).get("mg_dl")
        assert found == {FIT: [LEAST_ROWS, 0, 0], OTHER_FIT: [0, LEAST_ROWS, 0]}.get(fit)
        assert {row[2] for row in pool.rows} == {fit_of(one) for one in SPREADS_OF.get(fit, ())}
        seen = index()
        assert seen is not None
        assert (seen > 1) is (fit != UNKNOWN_FIT)


def test_a_fit_that_is_tried_is_not_counted() -> None:
    tried = next(replace(one, variant=Variant.SHADOW) for one in ANOMALY_BOOK.rules if one.name == "anomaly")
    book = fitted(RuleBook([*ANOMALY_BOOK.rules, tried]), "anomaly", OF_ANOMALY)
    home, metrics = HomeState(rules=book), Metrics(METRICS)
    spreads = {OF_ANOMALY: {name: Spread((0.0,), (0.5, 0.5, 0.0)) for name in FEATURES}}
    watch = InputWatch(
        spreads, pool=Pool(), clock=FakeClock(at_ms=START), metrics=metrics, instance="0",  # type: ignore[arg-type]
    )  # fmt: skip
    records = [uplink(hour, 60 * hour, USUAL, flags=Flag.RESTING) for hour in (0, 1)]
    effects = [effect for record in records for effect in step(home, record, Tally())]
    assert [one.rule.variant for one in effects if isinstance(one, Question)] == [Variant.LIVE, Variant.SHADOW]
    watch.see(records, {HOME: home}, effects)
    assert metrics.registry.get_sample_value("hb_score_model_rows_total", {"model": "anomaly"}) == 1


def test_what_the_database_does_not_take_is_written_the_next_time() -> None:
    home, pool = HomeState(rules=BOOK), Pool()
    watch = watch_of(pool, Metrics(METRICS))
    records = monitor(90, 90)
    for record in records:
        step(home, record, Tally())
    watch.see(records, {HOME: home}, [])
    pool.away = True
    with pytest.raises(ConnectionError):
        asyncio.run(watch.settle())
    pool.away = False
    assert counted(watch, pool)["mg_dl"] == [1, 0, 0]
    pool.rows.clear()
    assert counted(watch, pool) == {}


def test_rules_without_a_model_are_not_looked_at() -> None:
    home, pool = HomeState(), Pool()
    watch = watch_of(pool, Metrics(METRICS))
    records = monitor(90, 90)
    for record in records:
        step(home, record, Tally())
    watch.see(records, {HOME: home}, [])
    assert counted(watch, pool) == {}


def test_what_could_not_be_asked_for_too_long_is_no_row() -> None:
    home, pool = HomeState(rules=fitted(ANOMALY_BOOK, "anomaly", OF_ANOMALY)), Pool()
    metrics = Metrics(METRICS)
    spreads = {OF_ANOMALY: {name: Spread((0.0,), (0.5, 0.5, 0.0)) for name in FEATURES}}
    watch = InputWatch(
        spreads, pool=pool, clock=FakeClock(at_ms=START), metrics=metrics, instance="0",  # type: ignore[arg-type]
    )  # fmt: skip
    records = [uplink(hour, 60 * hour, USUAL, flags=Flag.RESTING) for hour in (0, 1, 9)]
    effects = [effect for record in records for effect in step(home, record, Tally())]
    asked = [one for one in effects if isinstance(one, Question)]
    assert [bool(one.lapsed_at) for one in asked] == [False, True]
    watch.see(records, {HOME: home}, effects)
    assert metrics.registry.get_sample_value("hb_score_model_rows_total", {"model": "anomaly"}) == 1
