"""Versions of rules on a real database: what a release brings, what a doctor has chosen, and what score then runs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from pydantic import SecretStr

from schemas.alerts import Variant
from schemas.metrics import METRICS
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.known_rules import KnownRules
from services.score.learned import Catalogue, RulesInUse, catalogue_of
from services.score.rule_book import RuleBook
from services.score.settings import SHIPPED

RULE = "glucose_forecast"
FIRST = catalogue_of(SHIPPED)
OF_FIRST = next(rule.artefact for rule in FIRST.shipped.book.rules if rule.name == RULE)


def release(name: str, *, without: tuple[str, ...] = ()) -> Catalogue:
    """A release that ships another fit of the forecast; the files of others are there but for ``without``."""
    rules = [replace(rule, artefact=name) if rule.name == RULE else rule for rule in FIRST.shipped.book.rules]
    models = {**FIRST.models, **{rule.artefact: rule for rule in rules if rule.artefact}}
    for gone in without:
        del models[gone]
    return Catalogue(shipped=RulesInUse(book=RuleBook(rules)), models=models)


@pytest.fixture
async def pool(embedded_dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(embedded_dsn)), application="test") as opened:
        await opened.execute("truncate rule_versions, fitted_models")
        yield opened


CLOCK = FakeClock()


def score_of(pool: Pool, catalogue: Catalogue, metrics: Metrics | None = None) -> KnownRules:
    log = structlog.get_logger()
    return KnownRules(catalogue, pool=pool, clock=CLOCK, metrics=metrics or Metrics(METRICS), log=log)


async def live_of(known: KnownRules, at: int) -> dict[str, str]:
    return {rule.key: rule.artefact for rule in (await known.look()).at(at).rules if rule.name == RULE}


async def choose(pool: Pool, name: str, at: int, place: Variant = Variant.LIVE) -> None:
    doctor = await pool.fetchval("insert into doctors (email, display_name) values ($1, 'D') returning doctor_no", name)
    change = "promoted" if place is Variant.LIVE else "tried"
    await pool.execute(
        "insert into rule_versions (rule, variant, artefact, change, valid_from, written_at, doctor_no, author, reason)"
        " values ($1, $2, $3, $4, $5, $5, $6, 'D', 'so')",
        RULE, place, name, change, to_datetime(at), doctor,
    )  # fmt: skip


async def test_what_a_release_brings_is_written_down_once_and_runs_from_ten_seconds_later_on(pool: Pool) -> None:
    now = CLOCK.now_ms()
    for _ in range(2):
        await score_of(pool, FIRST).write_down()
    rows = await pool.fetch("select * from rule_versions order by rule")
    assert [(row["rule"], row["change"]) for row in rows] == [("anomaly", "shipped"), (RULE, "shipped")]
    assert {row["valid_from"] - row["written_at"] for row in rows} == {timedelta(seconds=10)}
    known = await pool.fetch("select name, is_shipped from fitted_models")
    assert {(row["name"], row["is_shipped"]) for row in known} == {(name, True) for name in FIRST.models}

    second = score_of(pool, release("new"))
    await second.write_down()
    assert [await live_of(second, at) for at in (now + 9_999, now + 10_001)] == [{RULE: OF_FIRST}, {RULE: "new"}]
    assert await pool.fetchval("select is_shipped from fitted_models where name = $1", OF_FIRST) is False


async def test_a_release_does_not_take_the_place_of_what_a_doctor_has_chosen(pool: Pool) -> None:
    await score_of(pool, FIRST).write_down()
    at = CLOCK.now_ms() + 20_000
    await choose(pool, "chosen", at)
    catalogue = release("new")
    catalogue = Catalogue(shipped=catalogue.shipped, models={**catalogue.models, "chosen": catalogue.models["new"]})
    known = score_of(pool, catalogue)
    await known.write_down()
    assert await pool.fetchval("select count(*) from rule_versions where change = 'shipped'") == len(FIRST.models)
    assert (await live_of(known, at)).keys() == {RULE}
    assert (await known.look()).at(at) is not catalogue.shipped.book


async def test_without_the_file_of_what_was_chosen_the_shipped_one_runs_and_that_is_said(pool: Pool) -> None:
    await score_of(pool, FIRST).write_down()
    await choose(pool, f"{RULE} 1 gone", CLOCK.now_ms() + 20_000)
    metrics = Metrics(METRICS)
    known = score_of(pool, FIRST, metrics)
    assert await live_of(known, CLOCK.now_ms() + 20_000) == {RULE: OF_FIRST}
    value = metrics.registry.get_sample_value
    assert value("hb_score_rule_without_model_state", {"rule": RULE}) == 1
    assert value("hb_score_rule_without_model_state", {"rule": "anomaly"}) == 0


async def test_the_timeline_is_the_same_object_until_a_version_is_written(pool: Pool) -> None:
    known = score_of(pool, FIRST)
    before = await known.look()
    assert await known.look() is before
    await choose(pool, OF_FIRST, CLOCK.now_ms() + 20_000, Variant.SHADOW)
    CLOCK.beat += 1
    after = await known.look()
    assert after is not before
    assert after.at(0) is before.at(0)
    assert f"{RULE}|shadow" in {rule.key for rule in after.at(CLOCK.now_ms() + 20_000).rules}
