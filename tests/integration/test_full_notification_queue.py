"""A viewer who listens and sleeps while the server's queue of notifications is full stops nobody's alert."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from grafana.caregivers import Sight, add_caregivers, remove_reader
from schemas.alerts import Finding, Severity
from schemas.metrics import METRICS
from schemas.topics import UPLINKS_JUDGED
from services.alert import app as alert
from services.alert.settings import AlertSettings
from services.prepare import prepare
from services.runtime.bus.port import Record
from services.runtime.bus.postgres import open_postgres_bus
from services.runtime.clock import WallClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, DatabaseSettings
from services.score.effects import EffectWriter
from services.watch import app as watch
from services.watch.settings import WatchSettings
from tests.conftest import create_database, drop_database
from tests.integration.care_world import World, settle_in
from tests.integration.console_world import PASSWORD, browsing, password_hash, serving
from tests.integration.grafana_world import login_for
from tests.integration.receivers import WebhookReceiver, webhook_receiver, webhooks_on_loopback

PAGES = 64
SECRET = "a secret of at least sixteen characters"
P99_S = 2.0
ENDED_WITHIN_S = 60.0


@pytest.fixture(scope="module", params=["postgresql", pytest.param("timescaledb", marks=pytest.mark.full_stack)])
def server_dsn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, whose queue of notifications has 64 pages."""
    if request.param == "postgresql":
        with Embedded(tmp_path_factory.mktemp("queue")) as embedded:
            asyncio.run(_set_queue(embedded.dsn))
            database = embedded.process("postgresql")
            database.stop()
            database.start()
            database.wait_ready()
            yield embedded.dsn
        return
    stack = Stack(
        StackSettings(
            name=f"test-queue-{os.getpid()}",
            servers=("postgresql",),
            postgres_options={"max_notify_queue_pages": str(PAGES)},
        )
    )
    try:
        stack.start()
        yield stack.dsn
    finally:
        stack.stop()
        stack.erase()


async def _set_queue(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"alter system set max_notify_queue_pages = {PAGES}")
    await connection.close()


@asynccontextmanager
async def a_platform(server_dsn: str, doctors: WebhookReceiver, operators: WebhookReceiver) -> AsyncIterator[Pool]:
    """Alert and watch, and a database for them."""
    dsn = await create_database(server_dsn)
    database, bus = DatabaseSettings(dsn=SecretStr(dsn)), BusSettings(kind="postgres", partitions=1)
    await prepare(database, bus)
    alerting = AlertSettings(database=database, channels=(webhooks_on_loopback(),))
    watching = WatchSettings(
        database=database,
        bus=bus,
        every_s=1.0,
        broker_counter="",
        webhook_url=operators.address,
        webhook_secret=SecretStr(SECRET),
    )
    assert doctors.port
    stop = asyncio.Event()
    running = [
        asyncio.create_task(service.run(settings, clock=WallClock(), stop=stop, metrics=Metrics(METRICS)))
        for service, settings in ((alert, alerting), (watch, watching))
    ]
    try:
        async with open_pool(database, application="test") as pool:
            yield pool
    finally:
        stop.set()
        await asyncio.gather(*running)
        await drop_database(server_dsn, dsn)


def a_finding(world: World, number: int) -> Finding:
    return Finding(
        person_no=world.person_no,
        home_no=world.home_no,
        rule=f"spo2_{number}",
        rule_version=1,
        episode=1,
        level=2,
        severity=Severity.HIGH,
        observed_at=WallClock().now_ms(),
        evidence=(),
        doctor_text="What the doctor reads.",
        caregiver_text="What the caregiver reads.",
        rationale="Because of a guideline.",
    )


async def fill(viewer: asyncpg.Connection) -> None:
    """Notifies until the server has no room."""
    for number in range(10_000):
        try:
            await viewer.execute("select pg_notify('x', $1)", f"{number}".ljust(7_000, "."))
        except asyncpg.ProgramLimitExceededError:
            return
    pytest.fail("the queue was never full")


def subjects(operators: WebhookReceiver) -> str:
    return " ".join(json.loads(call.body)["body"] for call in operators.calls)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


@pytest.mark.slow
async def test_alerts_come_in_time_the_viewer_is_ended_and_operators_are_notified(
    server_dsn: str, say: Callable[[str], None]
) -> None:
    async with AsyncExitStack() as stack:
        doctors = await stack.enter_async_context(webhook_receiver(200))
        operators = await stack.enter_async_context(webhook_receiver(200))
        pool = await stack.enter_async_context(a_platform(server_dsn, doctors, operators))
        dsn = f"{server_dsn.rpartition('/')[0]}/{await pool.fetchval('select current_database()')}"
        world = await settle_in(pool, webhook=doctors.address, emails=False)
        await pool.execute(
            "insert into watermarks values ('store', '0', 0, $1), ('score', '0', 0, $1)",
            to_datetime(WallClock().now_ms()),
        )
        await pool.execute("update doctors set password_hash = $1", password_hash())
        person = await pool.fetchval("select person_id from people where person_no = $1", world.person_no)
        login = login_for(dsn, "family")
        async with pool.acquire() as owner:
            await add_caregivers(owner, login.role, [person], Sight(), PASSWORD)

        viewer, another = await asyncpg.connect(login.dsn), await asyncpg.connect(login.dsn)
        for connection in (viewer, another):
            await connection.execute("set default_transaction_read_only = off")
            await connection.execute("set statement_timeout = 0")
            await connection.execute("set idle_in_transaction_session_timeout = 0")
        await viewer.execute("listen x")
        sleeping = asyncio.create_task(viewer.execute("begin; listen x; select pg_sleep(300)"))
        slept_at = time.monotonic()
        await asyncio.sleep(0.5)
        await fill(another)

        delays = await alerts_while_full(pool, dsn, doctors, world, sleeping.done)
        ended_after_s = time.monotonic() - slept_at
        with pytest.raises((asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError)):
            await sleeping
        assert len(delays) >= 50
        p99 = sorted(delays)[round(0.99 * (len(delays) - 1))]
        figures = f"alerts' p99 {p99:.2f} s of {len(delays)}, viewer ended after {ended_after_s:.0f} s"
        say(f"a full queue of notifications: {figures}")
        assert p99 <= P99_S
        assert ended_after_s <= ENDED_WITHIN_S

        async def room() -> bool:
            return float(await pool.fetchval("select pg_notification_queue_usage()")) < 0.25

        async def notified() -> bool:
            return "wake_ups_pile_up" in subjects(operators) and f"viewer_ended ({login.role})" in subjects(operators)

        await until(notified, 15, "operators hear of both")
        await until(room, 15, "the queue empties")
        await another.execute("select pg_notify('x', '')")
        await another.close()
        async with pool.acquire() as owner:
            await remove_reader(owner, login.role)


async def alerts_while_full(
    pool: Pool, dsn: str, doctors: WebhookReceiver, world: World, over: Callable[[], bool]
) -> list[float]:
    """Every path that used to notify in its own commit, until the viewer is ended: seconds from finding to doctor."""
    metrics, log = Metrics(METRICS), logger("test")
    writer = EffectWriter(pool=pool, sql=load_queries("services.score"), clock=WallClock(), metrics=metrics, log=log)
    delays: list[float] = []
    async with (
        open_postgres_bus(pool) as bus,
        serving(dsn, WallClock()) as address,
        browsing(address, world.email) as doctor,
    ):
        token = (await doctor.get("/api/v1/session")).json()["csrf_token"]
        number = 0
        while not over():
            number += 1
            before, began = len(doctors.calls), time.monotonic()
            await writer.write([a_finding(world, number)])
            while len(doctors.calls) == before and time.monotonic() - began < 10:
                await asyncio.sleep(0.01)
            delays.append(time.monotonic() - began)
            await bus.append(UPLINKS_JUDGED.name, [Record(b"1", b"a record")])
            if number % 10 == 0:
                alert_id = UUID(json.loads(doctors.calls[-1].body)["alert_id"])
                version = (await doctor.get(f"/api/v1/alerts/{alert_id}")).json()["version"]
                answer = await doctor.post(
                    f"/api/v1/alerts/{alert_id}/acknowledge",
                    json={"version": version},
                    headers={"X-CSRF-Token": token},
                )
                assert answer.status_code == 200, answer.text
    assert metrics.registry.get_sample_value("hb_process_wakeups_failed_total", {"news": "findings"})
    return delays


@pytest.mark.usefixtures("server_dsn")
async def test_a_viewer_connects_to_this_database_only(server_dsn: str) -> None:
    dsn = await create_database(server_dsn)
    await prepare(DatabaseSettings(dsn=SecretStr(dsn)), BusSettings(kind="postgres", partitions=1))
    login = login_for(dsn, "family")
    owner = await asyncpg.connect(dsn)
    await owner.execute("insert into watermarks values ('store', '0', 0, '2026-11-22')")
    await add_caregivers(owner, login.role, [], Sight(), PASSWORD)
    try:
        await (await asyncpg.connect(login.dsn)).close()
        for other in ("postgres", "template1"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(login.dsn.rpartition("/")[0] + f"/{other}")
    finally:
        await remove_reader(owner, login.role)
        await owner.close()
        await drop_database(server_dsn, dsn)
