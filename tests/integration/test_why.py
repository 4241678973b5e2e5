"""`hearthbeat why` on a platform that runs: what devices send goes through broker, bus and database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from schemas.codec import encode_uplink
from schemas.registry import Doctor, Register
from services.cli.session import Session
from services.cli.why import Cause, causes_of
from services.cli.why_facts import facts_about
from services.runtime.clock import to_datetime
from tests.integration.path_world import World, bound, household, open_world, person, uplink

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(180)]

START_MS = 1_795_348_800_000
HOUR_MS = 3_600_000
DOCTOR = "why@example.org"
ALWAYS = {Cause.NOTHING_COMES_THROUGH}
"""Score does not run here, and the watermark waits for it."""


async def send(world: World, name: str, payload: bytes) -> None:
    await world.device(name).send(payload)


async def pulse(world: World, name: str, seq: int = 0, **how: Any) -> None:
    await send(world, name, encode_uplink(uplink(7, seq, at=world.clock.now_ms(), **how)))


async def wrong_unit(world: World, name: str) -> None:
    await send(
        world,
        name,
        b'{"epoch":7,"seq":0,"sent_at":%d,"clock":"synced","oldest":0,"events":[],'
        b'"readings":[{"vital":"heart_rate","value":72,"unit":"bpm","at":%d}]}' % ((world.clock.now_ms(),) * 2),
    )


async def clock_of_last_month(world: World, name: str) -> None:
    await send(world, name, encode_uplink(uplink(7, 0, at=world.clock.now_ms() - 31 * 24 * HOUR_MS)))


async def no_json(world: World, name: str) -> None:
    await send(world, name, b'{"epoch":7,"seq":0,"sent_at":')


async def earlier_than_bound(world: World, name: str) -> None:
    await send(world, name, encode_uplink(uplink(7, 0, at=world.clock.now_ms() - 2 * HOUR_MS)))


async def nothing(_world: World, _name: str) -> None:
    """It says nothing at all."""


async def suspended(world: World, name: str) -> None:
    await pulse(world, name)
    await world.pool.execute(
        "update device_credentials set suspended_at = $2 from devices"
        " where devices.device_no = device_credentials.device_no and device = $1",
        name,
        to_datetime(world.clock.now_ms()),
    )


async def flood(world: World, name: str) -> None:
    await pulse(world, name)
    await world.pool.execute(
        "insert into throttled_devices values ($1, $2, $2, 4000)", name, to_datetime(world.clock.now_ms())
    )


def with_alert(state: str, *, delivered: str) -> Callable[[World, str], Awaitable[None]]:
    async def prepare(world: World, name: str) -> None:
        await pulse(world, name)
        now, alert = to_datetime(world.clock.now_ms()), uuid4()
        await world.pool.execute(
            "insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity,"
            " active_level, state, episode, active_episodes, first_at, opened_at, condition_at, doctor_text,"
            " caregiver_text, rationale, acknowledged_at)"
            " select $2, home_no, person_no, 'sos', 'sos', 3, 1, 3, 1, $3, 1, '{1}', $4, $4, $4, '', '', '',"
            " case when $3 = 'acknowledged' then $4::timestamptz end"
            " from bindings join devices using (device_no) where device = $1",
            name,
            alert,
            state,
            now,
        )
        await world.pool.execute(
            "insert into escalation_steps (alert_id, step, due_at, state) values ($1, 1, $2, 'done')", alert, now
        )
        await world.pool.execute(
            "insert into notifications (alert_id, step, doctor_no, channel, state, created_at, retry_at, sent_at)"
            " select $1, 1, doctor_no, 'email', $2, $3, $3, case when $2 = 'sent' then $3::timestamptz end"
            " from doctors where email = $4",
            alert,
            delivered,
            now,
            DOCTOR,
        )

    return prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A person with a band of their own (and, with ``second``, another device in the home), and what happened."""

    cause: Cause
    happens: Callable[[World, str], Awaitable[None]] = pulse
    has_band: bool = True
    has_doctor: bool = True
    second: bool = False
    second_speaks: bool = False


CASES = {
    1: Prepared(cause=Cause.WITHIN_LIMITS),
    2: Prepared(cause=Cause.NO_DEVICE, has_band=False, happens=nothing),
    3: Prepared(cause=Cause.WRONG_UNIT, happens=wrong_unit),
    4: Prepared(cause=Cause.WRONG_CLOCK, happens=clock_of_last_month),
    5: Prepared(cause=Cause.WRONG_FORM, happens=no_json),
    6: Prepared(cause=Cause.NOT_OF_THIS_PERSON, happens=earlier_than_bound),
    7: Prepared(cause=Cause.NO_RECIPIENT, has_doctor=False),
    8: Prepared(cause=Cause.SILENT_HOME, happens=nothing, second=True),
    9: Prepared(cause=Cause.SILENT_DEVICE, happens=nothing, second=True, second_speaks=True),
    10: Prepared(cause=Cause.SUSPENDED, happens=suspended),
    11: Prepared(cause=Cause.THROTTLED, happens=flood),
    12: Prepared(cause=Cause.ALERT_IS_OPEN, happens=with_alert("open", delivered="sent")),
    13: Prepared(cause=Cause.ACKNOWLEDGED, happens=with_alert("acknowledged", delivered="sent")),
    14: Prepared(cause=Cause.NOT_DELIVERED, happens=with_alert("open", delivered="failed")),
}
BESIDE = {
    Cause.NOT_DELIVERED: {Cause.ALERT_IS_OPEN},
    **{
        cause: {Cause.NO_READINGS}
        for cause in (
            Cause.WRONG_UNIT,
            Cause.WRONG_CLOCK,
            Cause.WRONG_FORM,
            Cause.NOT_OF_THIS_PERSON,
            Cause.SILENT_HOME,
            Cause.SILENT_DEVICE,
        )
    },
}
"""What is true as well. That the readings are within limits is true of everybody who has some."""


def register_of_all() -> Register:
    homes = []
    for number, case in CASES.items():
        devices = [bound(f"band-{number}", "wearable_band", number)] if case.has_band else []
        devices += [bound(f"robot-{number}", "wearable_band", number)] if case.second and not case.second_speaks else []
        devices += [bound(f"second-{number}", "wearable_band", 100 + number)] if case.second_speaks else []
        people = [number, 100 + number] if case.second_speaks else [number]
        homes.append(household(number, people, devices))
    cared_for = tuple(person(number) for number, case in CASES.items() if case.has_doctor)
    return Register(homes=tuple(homes), doctors=(Doctor(email=DOCTOR, name="Dr. Why", people=cared_for),))


async def test_each_prepared_cause_is_named_and_no_other() -> None:
    async with open_world(START_MS) as world:
        names = [device.device for home in register_of_all().homes for device in home.devices]
        world.admit(*names, "probe-1")
        world.start("ingest")
        world.start("store")
        await world.register(register_of_all(), at_ms=START_MS)
        await world.pool.execute(
            "insert into device_credentials (device_no, verifier, issued_at) select device_no, '-', $1 from devices",
            to_datetime(START_MS),
        )
        probe = Register(homes=(household(99, [99], [bound("probe-1", "wearable_band", 99)]),))
        await world.register(probe, at_ms=START_MS, probe="probe-1")
        for number, case in CASES.items():
            await case.happens(world, f"band-{number}")
            if case.second_speaks:
                await pulse(world, f"second-{number}")
        await world.heard("probe-1")
        await arrived(world)

        world.clock.advance(seconds=60)
        session = Session(pool=world.pool, clock=world.clock, by="test")
        for number, case in CASES.items():
            said = {one.cause for one in causes_of(await facts_about(session, person(number)))}
            assert case.cause in said, (number, said)
            allowed = ALWAYS | {Cause.WITHIN_LIMITS, case.cause} | BESIDE.get(case.cause, set())
            assert said <= allowed, (number, said - allowed)


async def arrived(world: World) -> None:
    """Everything that was sent is stored or rejected."""
    silent = sum(case.happens is nothing for case in CASES.values())
    wanted = len(CASES) - silent + sum(case.second_speaks for case in CASES.values())

    async def there() -> bool:
        (found,) = await world.rows(
            "select (select count(*) from readings) + (select count(*) from rejected where reason <> 'unknown_device')"
        )
        return bool(found[0] >= wanted)

    for _ in range(300):
        if await there():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(await world.rows("select device, reason from rejected"))
