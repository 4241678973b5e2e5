"""The doctors of a chaos run at a real console: what they see is in the database, and what is there is listed."""

import asyncio
from collections.abc import AsyncIterator
from threading import Event
from uuid import UUID

import pytest

from deploy.reconcile.answers import load, wrong_answers, wrongly_listed
from tests.integration.console_world import DOCTOR, NOW, PASSWORD, UNREGISTERED, Practice, open_practice, raise_alert
from tests.proving.chaos.doctors import Practice as Doctors

RULES = ("glucose_low", "spo2", "heart_rate", "fall")
WAIT_S = 30.0


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


def doctors(practice: Practice, *emails: str, password: str = PASSWORD) -> Doctors:
    return Doctors(practice.address, 1, dict.fromkeys(emails, password))


async def raise_alerts(practice: Practice) -> set[UUID]:
    everybody = (practice.world.ruth, practice.world.karl, practice.world.hostile)
    return {await raise_alert(practice.pool, person, rule=rule) for person in everybody for rule in RULES}


async def test_doctors_take_on_some_of_what_is_open_and_all_of_it_is_kept(practice: Practice, dsn: str) -> None:
    alerts = {str(alert) for alert in await raise_alerts(practice)}
    made, stop = doctors(practice, DOCTOR, UNREGISTERED), Event()
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(made.work(stop))
        while not any(one.said_yes for one in made.sent.values()):
            await asyncio.sleep(0.1)
        stop.set()

    sent = list(made.sent.values())
    found = await load(dsn, NOW)
    assert {one.alert_id for one in sent} <= alerts
    assert wrong_answers(sent, found.recorded) == []
    assert len(found.recorded) == sum(one.said_yes for one in sent)
    assert await practice.pool.fetchval("select count(*) from alerts where state = 'open'") == len(alerts) - len(sent)
    listed = await made.listed()
    assert set(listed[DOCTOR]) == alerts
    assert listed[UNREGISTERED] == []
    assert wrongly_listed(found.waiting, listed) == []


async def test_an_answer_that_was_lost_with_the_trail_is_missed(practice: Practice, dsn: str) -> None:
    await raise_alerts(practice)
    made, stop = doctors(practice, DOCTOR), Event()
    async with asyncio.timeout(WAIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(made.work(stop))
        while not any(one.said_yes for one in made.sent.values()):
            await asyncio.sleep(0.1)
        stop.set()
    recorded = (await load(dsn, NOW)).recorded
    without = [one for one in recorded if one.note not in made.sent]
    assert "saw that it is acknowledged" in wrong_answers(list(made.sent.values()), without)[0]
