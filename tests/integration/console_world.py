"""A small practice for tests of the console: doctors, a household, a day of readings, alerts; and a running console."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
from argon2 import PasswordHasher
from pydantic import SecretStr

from schemas.alerts import Severity
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.metrics import METRICS
from schemas.registry import Binding, Device, Doctor, DosePlan, Home, Person, Register
from schemas.vitals import DIASTOLIC, GLUCOSE, HEART_RATE, SKIN_TEMPERATURE, SPO2, STEPS, SYSTOLIC
from services.api import app
from services.api.registration import register
from services.api.settings import ApiSettings
from services.runtime.clock import Clock, FakeClock, to_ms
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"
DOCTOR, UNREGISTERED, FORMER = "doctor@example.org", "unregistered@example.org", "former@example.org"
HOSTILE = "Robert'); <script>alert(1)</script> \"&amp; <img src=x onerror=alert(2)>"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Ids of what was made."""

    ruth: UUID
    karl: UUID
    hostile: UUID


_END_ALL_PLANS = """
update dose_plan_versions set valid = tstzrange(at, at + interval '1 minute')
from (select version_no as no, timestamptz '2020-01-01Z' + version_no * interval '1 hour' as at from dose_plan_versions)
     as past where no = version_no
"""
"""Long ago, and each of a plan at a time of its own."""


async def build_world(pool: Pool, *, now: datetime = NOW) -> World:
    """Ruth and Karl share a home, the hostile name lives alone; DOCTOR has all, FORMER had them until yesterday.

    The doctors have no longer who was theirs in an earlier world of the same database, so nobody there is monitored.
    """
    await pool.execute("delete from bindings")
    await pool.execute(_END_ALL_PLANS)
    world = World(ruth=uuid4(), karl=uuid4(), hostile=uuid4())
    everybody = (world.ruth, world.karl, world.hostile)
    tag = world.ruth.hex[:6]
    plans = tuple(
        DosePlan(
            plan_id=uuid4(),
            device=f"pills-{tag}",
            compartment=n,
            drug=drug,
            at=(time(8), time(20)),
            time_critical=not n,
        )
        for n, drug in enumerate(("Levodopa 100 mg", "Metformin 500 mg"))
    )
    homes = (
        Home(
            home_id=uuid4(),
            label="Lindenstraße 12",
            time_zone="Europe/Berlin",
            people=(
                Person(person_id=world.ruth, name="Ruth Sommer", born_on=date(1941, 3, 2), plans=plans),
                Person(person_id=world.karl, name="Karl Sommer", born_on=date(1938, 7, 19)),
            ),
            devices=(
                Device(device=f"band-{tag}", type="wearable_band", bindings=(Binding(person_id=world.ruth),)),
                Device(device=f"pills-{tag}", type="pill_dispenser", bindings=(Binding(person_id=world.ruth),)),
            ),
        ),
        Home(
            home_id=uuid4(),
            label="Am Markt 1",
            time_zone="Europe/Berlin",
            people=(Person(person_id=world.hostile, name=HOSTILE, born_on=date(1950, 1, 1)),),
        ),
    )
    doctors = tuple(
        Doctor(email=email, name=name, people=people, without_people=not people)
        for email, name, people in (
            (DOCTOR, "Dr. Amira Haddad", everybody),
            (UNREGISTERED, "Dr. Sven Olsen", ()),
            (FORMER, "Dr. Eva Blum", everybody),
        )
    )
    await register(pool, Register(homes=homes, doctors=doctors), now - timedelta(days=30))
    gone = Register(doctors=(Doctor(email=FORMER, name="Dr. Eva Blum", without_people=True),))
    await register(pool, gone, now - timedelta(days=1))
    await pool.execute("update doctors set password_hash = $1", password_hash())
    await write_day(pool, world.ruth, f"band-{tag}", now)
    await write_doses(pool, world.ruth, now)
    return world


@cache
def password_hash() -> str:
    """PASSWORD hashed once, with little work: a hash says itself how much work verifying it is.

    Of what the product hashes, tests sign in with that set the password by its command.
    """
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


async def write_day(pool: Pool, person_id: UUID, device: str, now: datetime) -> None:
    """A day of readings: pulse each minute with a gap of two hours, glucose that falls low, a few cuff values."""
    person_no = await pool.fetchval("select person_no from people where person_id = $1", person_id)
    device_no = await pool.fetchval("select device_no from devices where device = $1", device)
    random = Random(7)
    rows: list[tuple[Any, ...]] = []

    def add(vital: int, minutes_ago: float, value: float) -> None:
        at = now - timedelta(minutes=minutes_ago)
        rows.append((person_no, vital, at, device_no, 1, len(rows), 0, round(value, 1), 0, at))

    def low_at(minute: int) -> float:
        return 47 + 3.4 * max(0, minute - 24) + random.gauss(0, 1) if minute < 45 else 0.0

    for minute in range(1440, 0, -1):
        if not 600 < minute < 720:
            day = 9 * math.sin(minute / 229)
            add(HEART_RATE.number, minute, 72 + day + random.gauss(0, 2.5) + (28 if 300 < minute < 330 else 0))
    for minute in range(1440, 0, -5):
        add(
            GLUCOSE.number,
            minute,
            low_at(minute) or 128 + 34 * math.sin(minute / 110) + random.gauss(0, 3),
        )
        add(SPO2.number, minute, min(100, 96.4 + random.gauss(0, 0.6)))
    for minute in (1300, 620, 45):
        add(SYSTOLIC.number, minute, 138 + random.gauss(0, 6))
        add(DIASTOLIC.number, minute, 82 + random.gauss(0, 4))
    add(SKIN_TEMPERATURE.number, 1100, 33.4)
    for minute in range(1440, 0, -30):
        add(STEPS.number, minute, random.randrange(0, 160))
    await pool.copy_records_to_table("readings", records=rows)


async def write_doses(pool: Pool, person_id: UUID, now: datetime) -> None:
    """Today's slots of every plan: the morning's taken and missed, the evening's to come."""
    for plan in await pool.fetch(
        "select * from dose_plans join people using (person_no) join dose_plan_versions using (plan_id)"
        " where person_id = $1",
        person_id,
    ):
        for hours, state in ((-7.5, "missed" if plan["time_critical"] else "taken"), (4.5, "pending")):
            await write_dose(pool, plan["plan_id"], now + timedelta(hours=hours), state)


async def write_dose(pool: Pool, plan_id: UUID, due: datetime, state: str, **more: Any) -> UUID:
    """A dose of the newest version of a plan, half an hour wide, as medication writes it; ``more``: other columns."""
    plan = await pool.fetchrow(
        "select * from dose_plans join people using (person_no) join dose_plan_versions using (plan_id)"
        " where plan_id = $1 order by version_no desc limit 1",
        plan_id,
    )
    assert plan is not None
    dose_id, step = uuid4(), timedelta(minutes=30)
    kept = ("plan_id", "person_no", "home_no", "device_no", "compartment", "version_no", "drug", "strength", "count")
    columns: dict[str, Any] = {name: plan[name] for name in (*kept, "zone", "time_critical", "listed")}
    columns |= {"dose_id": dose_id, "local_date": due.date(), "early_after": due - 2 * step, "opens_at": due - step}
    columns |= {"due_at": due, "closes_at": due + step, "missed_at": due + 2 * step, "state": state}
    columns |= {"settled_at": None if state in {"pending", "reminded", "unknown"} else due + step} | more
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await pool.execute(
        f"insert into doses ({', '.join(columns)}) values ({places})",  # noqa: S608 - our own names
        *columns.values(),
    )
    return dose_id


async def write_evidence(
    pool: Pool, dose_id: UUID, role: str, at: datetime, *, received_at: datetime | None = None, seq: int = 1
) -> None:
    """A cup was lifted at ``at``, which is this to a dose."""
    await pool.execute(
        "insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive,"
        " role) select device_no, 1, $4, 0, dose_id, compartment, $5, $3, $2 = 'decided', $2 from doses"
        " where dose_id = $1",
        dose_id, role, at, seq, EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number,
    )  # fmt: skip
    await pool.execute(
        "insert into device_events (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at,"
        " flags, details) select device_no, 1, $3, 0, home_no, person_no, $4, $2, $5, 0, '{}' from doses"
        " where dose_id = $1 on conflict do nothing",
        dose_id, at, seq, EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number, received_at or at,
    )  # fmt: skip


async def raise_alert(
    pool: Pool,
    person_id: UUID,
    *,
    rule: str = "glucose_low",
    severity: Severity = Severity.HIGH,
    level: int = 2,
    text: str = "Glucose has been below 54 mg/dL for 15 minutes: 48 mg/dL.",
    at: datetime = NOW - timedelta(minutes=6),
    evidence: tuple[dict[str, Any], ...] = (),
    closed_at: datetime | None = None,
) -> UUID:
    """A finding, its alert and the notification, as the alert service writes them; ``closed_at``: it is over."""
    person = await pool.fetchrow("select person_no, home_no from people where person_id = $1", person_id)
    assert person is not None
    alert_id, finding_id = uuid4(), uuid4()
    rationale = "Level 2 hypoglycaemia: below 54 mg/dL for at least 15 minutes. See docs/clinical.md#low-glucose."
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into findings values ($1, $2, $3, $4, 1, 1, $5, $6, $7, $7, $8, $9, 'caregiver', $10, false, $7)",
            finding_id, person["person_no"], person["home_no"], rule, level, severity, at, list(evidence), text,
            rationale,
        )  # fmt: skip
        await connection.execute(
            "insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity,"
            " active_level, state, episode, active_episodes, first_at, opened_at, condition_at, doctor_text,"
            " caregiver_text, rationale, version)"
            " values ($1, $2, $3, $4, $4, $5, $6, $5, $6, 'open', 1, '{1}', $7, $7, $7, $8, 'caregiver', $9, 0)",
            alert_id, person["home_no"], person["person_no"], rule, severity, level, at, text, rationale,
        )  # fmt: skip
        if closed_at is not None:
            await connection.execute(
                "update alerts set state = 'closed', closed_at = $2, acknowledged_at = $2, ended_at = $2,"
                " active_episodes = '{}' where alert_id = $1",
                alert_id,
                closed_at,
            )
        await connection.execute("insert into alert_findings values ($1, $2)", finding_id, alert_id)
        await connection.execute(
            "insert into alert_audit (alert_id, at, what, to_state, level) values ($1, $2, 'opened', 'open', $3)",
            alert_id, at, level,
        )  # fmt: skip
        await connection.execute("select pg_notify('alerts', $1)", str(alert_id))
    return alert_id


async def write_delivery(pool: Pool, alert_id: UUID, *, at: datetime) -> None:
    """One e-mail that was handed over, and a reminder that will come."""
    doctor_no = await pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    await pool.execute("insert into escalation_steps values ($1, 0, 0, $2, 'done')", alert_id, at)
    later = at + timedelta(minutes=15)
    await pool.execute("insert into escalation_steps values ($1, 1, 0, $2, 'pending')", alert_id, later)
    await pool.execute(
        "insert into notifications (alert_id, step, doctor_no, channel, state, attempts, created_at, retry_at, sent_at)"
        " values ($1, 0, $2, 'email', 'sent', 1, $3, $3, $3)",
        alert_id,
        doctor_no,
        at,
    )


def low_glucose(now: datetime = NOW) -> tuple[dict[str, Any], ...]:
    """Three readings as a finding keeps them."""
    values = ((16, 53.0), (11, 50.0), (6, 48.0))
    return tuple(
        {
            "what": "glucose", "value": value, "observed_at": to_ms(now - timedelta(minutes=minutes)), "device_no": 1,
            "epoch": 1, "seq": 900 + n, "item": 0,
        }
        for n, (minutes, value) in enumerate(values)
    )  # fmt: skip


@asynccontextmanager
async def open_world(dsn: str) -> AsyncIterator[Pool]:
    """A pool on the test's database."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        yield pool


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def serving(
    dsn: str, clock: Clock | None = None, *, plain_http: bool = True, pool_size: int = 1
) -> AsyncIterator[str]:
    """The real console on a loopback port, its clock at NOW; gives its address.

    It has one connection: whoever holds that and waits for a second waits in vain, and a test sees it.
    """
    database = DatabaseSettings(dsn=SecretStr(dsn), pool_size=pool_size)
    settings = ApiSettings(port=free_port(), plain_http=plain_http, database=database)
    stop, address = asyncio.Event(), f"http://127.0.0.1:{settings.port}"
    clock = clock or FakeClock(at_ms=to_ms(NOW))
    task = asyncio.create_task(app.run(settings, clock=clock, stop=stop, metrics=Metrics(METRICS)))
    try:
        async with asyncio.timeout(10), httpx.AsyncClient() as client:
            while not await _answers(client, address):
                assert not task.done(), task
                await asyncio.sleep(0.02)
        yield address
    finally:
        stop.set()
        await task


async def _answers(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


def token_in(html: str) -> str:
    """The CSRF token of the first form."""
    return html.split('name="csrf" value="', 1)[1].split('"', 1)[0]


@asynccontextmanager
async def browsing(address: str, email: str | None = DOCTOR) -> AsyncIterator[httpx.AsyncClient]:
    """A client with cookies, signed in as ``email``."""
    async with httpx.AsyncClient(base_url=address) as client:
        if email:
            page = await client.get("/sign-in")
            form = {"csrf": token_in(page.text), "email": email, "password": PASSWORD, "next": "/"}
            answer = await client.post("/sign-in", data=form)
            assert answer.status_code == 303, answer.text
        yield client


class Practice(NamedTuple):
    """A world, the console that serves it, and the clock that both go by."""

    pool: Pool
    address: str
    world: World
    clock: FakeClock


@asynccontextmanager
async def open_practice(dsn: str) -> AsyncIterator[Practice]:
    """A fresh world and a console for it. People of an earlier world are in nobody's care any more."""
    async with open_world(dsn) as pool:
        await pool.execute("delete from sign_in_attempts")
        await pool.execute("delete from sessions")
        world = await build_world(pool)
        clock = FakeClock(at_ms=to_ms(NOW))
        async with serving(dsn, clock) as address:
            yield Practice(pool, address, world, clock)
