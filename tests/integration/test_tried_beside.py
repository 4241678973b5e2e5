"""A fit that is tried beside the live one changes no alert; promoted or rolled back, it holds for what comes next."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest
import structlog
from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from schemas.alerts import Finding, Variant
from schemas.metrics import METRICS
from schemas.records import JudgedUplink
from schemas.registry import Doctor as RegisteredDoctor
from schemas.registry import Register
from schemas.rule_versions import RULES_LEAD_S
from services.api.console import Console, Doctor
from services.api.registration import register
from services.api.rule_versions import Author, models_of_rules, promote, roll_back, try_model
from services.api.settings import ApiSettings
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.migrate import load_migrations, migrate
from services.runtime.settings import DatabaseSettings
from services.score.home_state import HomeState
from services.score.known_rules import KnownRules
from services.score.learned import Catalogue, RulesInUse
from services.score.rule import Rule
from services.score.rule_book import RuleBook
from services.score.rules import RULES
from services.score.rules.glucose_forecast import with_model
from tests.conftest import create_database, drop_database
from tests.integration.alert_desk import AlertDesk
from tests.proving.explain import course
from tests.proving.explain.course import Course
from tests.proving.explain.home_logs import marked, settle_in
from tests.unit.services.score.forecast_cases import monitor
from tests.unit.services.score.models.made_model import model
from tests.unit.services.score.story import minute, run

RULE, SHIPPED, OTHER = "glucose_forecast", "glucose_forecast 1 a", "glucose_forecast 1 b"
PROMOTED, ROLLED_BACK = 70, 135
"""From which minute on."""


def fit(name: str, *, warns_below: float) -> Rule:
    made = model()
    trees = replace(made.trees, threshold=made.trees.threshold * warns_below / 80)
    return replace(with_model(replace(made, trees=trees)), artefact=name)


FITS = {SHIPPED: fit(SHIPPED, warns_below=80), OTHER: fit(OTHER, warns_below=90)}
BOOK = RuleBook([FITS[SHIPPED] if rule.name == RULE else rule for rule in RULES])
CATALOGUE = Catalogue(shipped=RulesInUse(book=BOOK), models=FITS)


def log(values: Mapping[int, float], minutes: int) -> list[JudgedUplink]:
    """A monitor sends 100 mg/dL each five minutes, but for the ``values`` of some of them."""
    return monitor(*[values.get(at, 100) for at in range(0, minutes, 5)])


@pytest.fixture
def dsn(embedded: Embedded) -> Iterator[str]:
    """A database of each test's own: nothing is scored twice."""
    address = asyncio.run(create_database(embedded.dsn))
    asyncio.run(migrate(address, load_migrations("schemas.sql.migrations")))
    yield address
    asyncio.run(drop_database(embedded.dsn, address))


@pytest.fixture
async def console(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    # Few looks at due rows: nothing here is silent for long.
    monkeypatch.setattr(course, "_MOST_MS", 280_000)
    database = DatabaseSettings(dsn=SecretStr(dsn))
    async with open_pool(database, application="test") as pool:
        yield Console(
            settings=ApiSettings(database=database), pool=pool, clock=FakeClock(), stop=asyncio.Event(),
            feed=cast("Any", None), metrics=Metrics(METRICS),
        )  # fmt: skip


async def begin(console: Console, records: Sequence[JudgedUplink]) -> Doctor:
    """Score has written down what it brings, an operator tries the other fit from the first record on."""
    pool, at = console.pool, minute(0) - 60_000
    clock, metrics = FakeClock(at_ms=at), Metrics(METRICS)
    async with pool.acquire() as connection:
        await settle_in(connection, records)
    await KnownRules(CATALOGUE, pool=pool, clock=clock, metrics=metrics, log=structlog.get_logger()).write_down()
    await try_model(pool, RULE, OTHER, Author(name="an operator"), "a fit of this month", to_datetime(at))
    known = RegisteredDoctor(email="ada@example.org", name="Dr. Ada", without_people=True)
    await register(pool, Register(doctors=(known,)), to_datetime(at))
    number = await pool.fetchval("select doctor_no from doctors where email = $1", known.email)
    return Doctor(
        doctor_no=number, email=known.email, name=known.name, csrf_token="", session_hash=b"", address="127.0.0.1"
    )


async def score(console: Console, records: Sequence[JudgedUplink]) -> None:
    """Store and score take it all, with kills; then alert takes what was found."""
    await Course(console.pool, CATALOGUE, seed=3).run(marked(records, 60_000))
    await AlertDesk(console.pool, at_ms=records[-1].received_at).claim()


async def found(pool: Pool, table: str) -> list[tuple[str, int, int, int, str]]:
    rows = await pool.fetch(
        f"select rule, episode, level, round(extract(epoch from observed_at) * 1000)::bigint as at, artefact"  # noqa: S608
        f" from {table} where rule = $1 order by raised_at, episode, level desc",
        RULE,
    )
    return [(row["rule"], row["episode"], row["level"], row["at"], row["artefact"]) for row in rows]


def alone(records: Sequence[JudgedUplink], book: RuleBook, artefact: str) -> list[tuple[str, int, int, int, str]]:
    """What a fit finds where nothing runs beside it."""
    findings = [one for one in run(records, HomeState(rules=book)) if isinstance(one, Finding) and one.rule == RULE]
    return [(one.rule, one.episode, one.level, one.observed_at, artefact) for one in findings]


async def test_what_a_trial_finds_is_counted_and_alerts_nobody(console: Console) -> None:
    records = log({20: 85, 25: 85, 30: 79, 100: 85}, 115)
    await begin(console, records)
    await score(console, records)
    live, tried = await found(console.pool, "findings"), await found(console.pool, "shadow_findings")
    assert live == alone(records, BOOK, SHIPPED)
    as_live = RuleBook([FITS[OTHER] if rule.name == RULE else rule for rule in RULES])
    assert tried == alone(records, as_live, OTHER)
    assert [len([one for one in some if one[2]]) for some in (live, tried)] == [1, 2]
    alerts = await console.pool.fetch("select rule, level, condition_at from alerts where rule = $1", RULE)
    assert [(one["level"], one["condition_at"]) for one in alerts] == [(1, to_datetime(minute(30)))]


async def test_from_the_moment_of_a_promotion_or_a_rollback_on_the_other_fit_decides(console: Console) -> None:
    records = log({20: 85, PROMOTED: 85, ROLLED_BACK: 85, 140: 85, 145: 79}, 160)
    doctor = await begin(console, records)
    clock = cast("FakeClock", console.clock)
    for change, name, at in ((promote, OTHER, PROMOTED), (roll_back, OTHER, ROLLED_BACK)):
        clock.at_ms = minute(at) - round(RULES_LEAD_S * 1000)
        await change(console, doctor, RULE, name, f"from minute {at} on")
    await score(console, records)
    live = [(minutes_of(at), artefact) for _, _, level, at, artefact in await found(console.pool, "findings") if level]
    assert live == [(PROMOTED, OTHER), (145, SHIPPED)]
    shadow = await found(console.pool, "shadow_findings")
    assert {artefact for *_, artefact in shadow} == {OTHER}
    assert all(minutes_of(at) < PROMOTED for _, _, level, at, _ in shadow if level)
    (one,) = [one for one in await models_of_rules(console.pool, console.now()) if one.rule == RULE]
    assert [(row["change"], row["doctor"], row["reason"]) for row in one.trail if row["doctor"]] == [
        ("rolled_back", "Dr. Ada", f"from minute {ROLLED_BACK} on"),
        ("ended", "Dr. Ada", f"from minute {PROMOTED} on"),
        ("promoted", "Dr. Ada", f"from minute {PROMOTED} on"),
    ]
    said = await console.pool.fetch("select action from audit where action like '%_model' order by audit_no")
    assert [row["action"] for row in said] == ["promote_model", "roll_back_model"]


def minutes_of(at: int) -> float:
    return (at - minute(0)) / 60_000


def test_the_two_fits_differ() -> None:
    assert {rule.variant for rule in FITS.values()} == {Variant.LIVE}
    records = log({20: 85}, 40)
    assert alone(records, BOOK, SHIPPED) == []
