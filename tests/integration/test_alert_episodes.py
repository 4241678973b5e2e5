"""What people are notified of, on a real database: concerns, new episodes, repetitions, and what is over."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from schemas.alerts import EndReason, Severity
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.alert_world import AlertService, serve_alerts
from tests.integration.care_world import START_MS, find, settle_in

HIGH, MEDIUM = Severity.HIGH, Severity.MEDIUM
RECOVERED, NO_DATA = EndReason.RECOVERED, EndReason.NO_DATA


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
async def service(pool: Pool) -> AlertService:
    return await serve_alerts(pool)


async def test_two_concerns_of_one_rule_are_two_alerts_and_each_ends_by_itself(
    pool: Pool, service: AlertService
) -> None:
    world = await settle_in(pool)
    await find(pool, world, rule="missed_dose", concern="missed_dose.a")
    await find(pool, world, rule="missed_dose", concern="missed_dose.b")
    await service.claims.claim()
    await find(pool, world, rule="missed_dose", concern="missed_dose.b", level=0, end_reason=RECOVERED)
    await service.claims.claim()

    first, second = await service.alerts(world)
    assert (first["concern"], first["ended_at"]) == ("missed_dose.a", None)
    assert (second["concern"], second["ended_at"] is not None) == ("missed_dose.b", True)


async def test_an_end_that_names_no_concern_goes_to_the_alert_that_has_its_episode(
    pool: Pool, service: AlertService
) -> None:
    world = await settle_in(pool)
    await find(pool, world, rule="heart_rate", concern="heart_rate_fast", episode=4)
    await find(pool, world, rule="heart_rate", concern="heart_rate_slow", episode=5)
    await service.claims.claim()
    await find(pool, world, rule="heart_rate", episode=4, level=0, end_reason=RECOVERED)
    await service.claims.claim()

    over = {row["concern"]: row["ended_at"] is not None for row in await service.alerts(world)}
    assert over == {"heart_rate_fast": True, "heart_rate_slow": False}


@pytest.mark.parametrize(("severity", "wait"), [(HIGH, 15), (MEDIUM, 120)])
async def test_a_second_episode_that_nobody_has_answered_is_said_once_some_time_has_passed(
    pool: Pool, service: AlertService, severity: Severity, wait: int
) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=severity)
    await service.claims.claim()
    await find(pool, world, severity=severity, level=0, end_reason=RECOVERED)
    await service.claims.claim()
    await service.pass_minutes(5)
    await find(pool, world, severity=severity, episode=2)
    await service.claims.claim()
    await service.pass_minutes(wait)
    alert = await service.alert(world)

    assert await service.notified(alert) == [(0, "first"), (wait, "again")]
    assert await service.story(alert) == ["opened", "ended", "joined", "notified"]
    assert alert["episodes_since_open"] == 2


async def test_the_second_night_is_said_at_once(pool: Pool, service: AlertService) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await find(pool, world, level=0, end_reason=RECOVERED)
    await service.claims.claim()
    await service.pass_minutes(60 * 24)
    await find(pool, world, episode=2, at=START_MS + 24 * 3_600_000)
    await service.claims.claim()

    assert await service.notified(await service.alert(world)) == [(0, "first"), (24 * 60, "again")]


async def test_what_recovers_before_it_is_said_is_not_said(pool: Pool, service: AlertService) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=HIGH)
    await find(pool, world, level=0, end_reason=RECOVERED)
    await service.claims.claim()
    await find(pool, world, severity=HIGH, episode=2)
    await service.claims.claim()
    alert = await service.alert(world)
    assert await service.pending(alert) == 1
    await find(pool, world, episode=2, level=0, end_reason=RECOVERED)
    await service.claims.claim()
    await service.pass_minutes(120)

    assert await service.pending(alert) == 0
    assert await service.notified(alert) == [(0, "first")]


async def test_an_unanswered_medium_alert_is_repeated_after_two_hours_and_then_every_eight(
    pool: Pool, service: AlertService
) -> None:
    world = await settle_in(pool)
    await find(pool, world)
    await service.claims.claim()
    version = (await service.alert(world))["version"]
    for _ in range(20):
        service.clock.advance(seconds=3600)
        await service.escalation.repeat()

    alert = await service.alert(world)
    assert await service.notified(alert) == [(0, "first"), *((60 * hour, "repeat") for hour in (2, 10, 18))]
    assert await service.story(alert) == ["opened", *["repeated"] * 3]
    assert alert["version"] == version


async def test_what_recovered_is_repeated_no_more_and_what_nothing_is_known_of_is(
    pool: Pool, service: AlertService
) -> None:
    over, paused = await settle_in(pool), await settle_in(pool)
    for world, reason in ((over, RECOVERED), (paused, NO_DATA)):
        await find(pool, world, rule="sos", severity=HIGH)
        await find(pool, world, rule="sos", level=0, said=2, end_reason=reason)
    await service.claims.claim()
    await service.pass_minutes(60)

    assert await service.notified(await service.alert(over)) == [(0, "first")]
    assert [minute for minute, _ in await service.notified(await service.alert(paused))] == [0, 15, 30, 45, 60]
    assert (await service.alert(paused))["ended_at"] is None


@pytest.mark.parametrize("reason", [EndReason.TURNED, EndReason.DISPROVED])
async def test_what_turned_or_was_disproved_is_not_repeated_and_the_trail_says_so(
    pool: Pool, service: AlertService, reason: EndReason
) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=HIGH)
    await find(pool, world, level=0, end_reason=reason)
    await service.claims.claim()
    await service.pass_minutes(30)
    alert = await service.alert(world)

    assert (alert["state"], alert["ended_at"]) == ("open", None)
    assert await service.story(alert) == ["opened", reason]
    assert await service.notified(alert) == [(0, "first")]


async def test_nobody_is_notified_of_what_they_took_on_until_it_comes_back(pool: Pool, service: AlertService) -> None:
    world = await settle_in(pool)
    await find(pool, world, severity=HIGH)
    await service.claims.claim()
    alert = await service.alert(world)
    await service.acknowledge(alert, world)
    await service.pass_minutes(120)
    await find(pool, world, severity=HIGH, episode=2)
    await service.claims.claim()

    assert await service.notified(alert) == [(0, "first"), (120, "came_back")]
    again = await service.alert(world)
    assert (again["state"], again["episodes"], again["episodes_since_open"]) == ("open", 2, 1)
    assert (again["first_at"], again["opened_at"]) == (alert["first_at"], to_datetime(START_MS + 120 * 60_000))


async def test_news2_is_said_once_the_rule_that_says_as_much_is_over(pool: Pool, service: AlertService) -> None:
    world = await settle_in(pool)
    await find(pool, world, rule="spo2")
    await find(pool, world, rule="news2")
    await service.claims.claim()
    pulse, score = sorted(await service.alerts(world), key=lambda row: str(row["rule"]), reverse=True)
    assert await service.story(score) == ["opened", "suppressed"]
    await service.pass_minutes(130)
    await find(pool, world, rule="spo2", level=0, end_reason=RECOVERED)
    await service.claims.claim()
    await service.pass_minutes(120)

    assert await service.notified(score) == [(240, "first")]
    assert await service.story(score) == ["opened", "suppressed", "suppressed", "notified"]
    assert await service.notified(pulse) == [(0, "first"), (120, "repeat")]
    kept = await pool.fetch(
        "select suppressed from escalation_steps where alert_id = $1 and state = 'done' order by step",
        score["alert_id"],
    )
    assert [row["suppressed"] for row in kept] == [True, True, False]


async def test_an_alert_of_before_that_nobody_would_be_notified_of_again_gets_its_step(
    pool: Pool, service: AlertService
) -> None:
    world, taken_on = await settle_in(pool), await settle_in(pool)
    for one in (world, taken_on):
        await find(pool, one)
    await service.claims.claim()
    await service.acknowledge(await service.alert(taken_on), taken_on)
    await pool.execute("update escalation_steps set state = 'cancelled' where state = 'pending'")
    await service.pass_minutes(30)
    await service.escalation.heal()
    assert await service.escalation.heal() == 0
    await service.pass_minutes(90)

    assert await service.notified(await service.alert(world)) == [(0, "first"), (120, "repeat")]
    assert await service.pending(await service.alert(taken_on)) == 0
