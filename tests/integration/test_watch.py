"""The auditor on a real database and the bus in it: operators hear of what is stuck once, and of its end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.metrics import METRICS
from schemas.topics import UPLINKS_JUDGED
from services.prepare import prepare
from services.runtime.bus.port import Record
from services.runtime.bus.postgres import open_postgres_bus
from services.runtime.clock import FakeClock, WallClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics, Server, serve_metrics
from services.runtime.settings import BusSettings, DatabaseSettings
from services.watch import app
from services.watch.core import Kind
from services.watch.settings import WatchSettings
from tests.integration.care_world import START_MS, find, settle_in
from tests.integration.receivers import WebhookReceiver, webhook_receiver

SECRET = "a secret of at least sixteen characters"
PATIENCE_S = 20.0


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await opened.execute(
            "truncate platform_incidents, watch_counters, throttled_devices, watermarks, findings cascade"
        )
        yield opened


@asynccontextmanager
async def watching(dsn: str, receiver: WebhookReceiver, clock: FakeClock, **wanted: object) -> AsyncIterator[Metrics]:
    """Watch, in this process, looking ten times a second."""
    database, bus = DatabaseSettings(dsn=SecretStr(dsn)), BusSettings(kind="postgres", partitions=1)
    await prepare(database, bus)
    settings = WatchSettings(
        **{
            "every_s": 0.1,
            "broker_counter": "",
            "database": database,
            "bus": bus,
            "webhook_url": receiver.address,
            "webhook_secret": SECRET,
            **wanted,
        }  # type: ignore[arg-type]
    )
    stop, metrics = asyncio.Event(), Metrics(METRICS)
    running = asyncio.create_task(app.run(settings, clock=clock, stop=stop, metrics=metrics))
    try:
        yield metrics
    finally:
        stop.set()
        await running


def notified(receiver: WebhookReceiver) -> list[str]:
    """Subjects, in order."""
    return [json.loads(call.body)["subject"].removeprefix("HearthBeat platform: ") for call in receiver.calls]


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


async def pass_marker(pool: Pool, at_ms: int) -> None:
    """Store and score have seen everything up to then."""
    await pool.execute(
        "insert into watermarks values ('store', '0', 0, $1), ('score', '0', 0, $1)"
        " on conflict (consumer, instance, partition_no) do update set received_at = excluded.received_at",
        to_datetime(at_ms),
    )


async def test_a_finding_that_becomes_no_alert_is_notified_once_and_that_it_is_over(dsn: str, pool: Pool) -> None:
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    await find(pool, await settle_in(pool))
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        await asyncio.sleep(0.5)
        assert notified(receiver) == []
        clock.advance(seconds=47)
        await until(lambda: notified(receiver) == ["finding unclaimed"], "not notified")
        assert receiver.calls[0].is_signed_with(SECRET)
        await pool.execute("update findings set claimed_at = raised_at")
        await until(
            lambda: notified(receiver) == ["finding unclaimed", "finding unclaimed is over"], "end not notified"
        )
        await asyncio.sleep(0.5)
        assert len(receiver.calls) == 2


async def test_a_watch_that_starts_again_goes_on_with_its_incidents(dsn: str, pool: Pool) -> None:
    clock = FakeClock(START_MS + 100_000)
    await pass_marker(pool, START_MS + 100_000)
    await find(pool, await settle_in(pool))
    async with webhook_receiver(200) as receiver:
        async with watching(dsn, receiver, clock):
            await until(lambda: notified(receiver) == ["finding unclaimed"], "not notified")
        async with watching(dsn, receiver, clock):
            await asyncio.sleep(0.5)
            assert notified(receiver) == ["finding unclaimed"]
            await pool.execute("update findings set claimed_at = raised_at")
            await until(lambda: len(receiver.calls) == 2, "end not notified")


async def test_operators_who_could_not_be_reached_are_notified_at_a_later_look_and_no_heartbeat_lies(
    dsn: str, pool: Pool
) -> None:
    clock = FakeClock(START_MS + 100_000)
    await pass_marker(pool, START_MS + 100_000)
    await find(pool, await settle_in(pool))
    async with webhook_receiver(503, 503, 200) as receiver, heartbeat_receiver() as beats:
        tries: list[int] = []
        receiver.on_call = lambda: tries.append(len(beats.at))
        async with watching(dsn, receiver, clock, heartbeat_url=beats.address, heartbeat_every_s=0.1):
            await until(lambda: len(beats.at) > 1, "no heartbeat once operators know")
        assert tries == [0, 0, 0]


async def test_a_platform_that_stands_still_is_one_notification_whatever_waits_behind_it(
    dsn: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.watch.core.HOLDS_MS", {Kind.PLATFORM_OUTAGE: 1_500})
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    world = await settle_in(pool)
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        clock.advance(seconds=61)
        for episode in range(1, 40):
            await find(pool, world, episode=episode, at=clock.at_ms)
        clock.advance(seconds=60)
        await until(lambda: notified(receiver) == ["platform outage"], "not notified")
        await asyncio.sleep(0.5)
    assert notified(receiver) == ["platform outage"]
    assert "finding_unclaimed: A finding has become no alert. 39" in json.loads(receiver.calls[0].body)["body"]


async def test_a_group_with_work_before_it_that_does_none_is_seen(
    dsn: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.watch.bus.STUCK_MS", 500)
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        async with open_postgres_bus(pool) as bus:
            await bus.append(UPLINKS_JUDGED.name, [Record(b"1", b"a"), Record(b"1", b"b")])
        await until(lambda: len(receiver.calls) >= 1, "not notified")
    assert notified(receiver)[0] == "no progress and 1 more"
    assert "no_progress (store)" in json.loads(receiver.calls[0].body)["body"]


async def test_a_service_that_waits_and_one_that_does_not_answer_are_notified_after_a_while(
    dsn: str, pool: Pool, monkeypatch: pytest.MonkeyPatch, unused_tcp_port_factory: Callable[[], int]
) -> None:
    monkeypatch.setattr("services.watch.core.HOLDS_MS", {})
    clock, store = FakeClock(START_MS), Metrics(METRICS)
    await pass_marker(pool, START_MS)
    store_port, nobody_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    services = {
        "store": f"http://127.0.0.1:{store_port}/metrics",
        "score": f"http://127.0.0.1:{nobody_port}/metrics",
    }
    store.waits(Server.DATABASE, now=True)
    with serve_metrics(store, store_port):
        async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock, services=services):
            await until(lambda: len(receiver.calls) >= 1, "not notified")
            body = json.loads(receiver.calls[0].body)["body"]
            assert "service_down (score)" in body
            assert "service_waits (store)" in body
            store.waits(Server.DATABASE, now=False)
            await until(lambda: "service waits is over" in notified(receiver), "end not notified")


async def test_a_flooding_device_is_notified_while_it_floods(dsn: str, pool: Pool) -> None:
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    now = to_datetime(WallClock().now_ms())
    await pool.execute("insert into throttled_devices values ('band-7', $1, $1, 12)", now)
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        await until(lambda: notified(receiver) == ["device throttled"], "not notified")
        await pool.execute("update throttled_devices set last_at = last_at - $1::interval", timedelta(seconds=61))
        await until(lambda: notified(receiver) == ["device throttled", "device throttled is over"], "end not notified")


async def test_people_about_whom_nobody_would_be_notified_are_counted_for_operators_before_any_alert(
    dsn: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.watch.core.HOLDS_MS", {})
    monkeypatch.setattr("services.watch.database._WITHOUT_RECIPIENT_EVERY_MS", 0)
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    world = await settle_in(pool, emails=False)
    await pool.execute(
        "insert into bindings (device_no, person_no, valid) values ($1, $2, '[2020-01-01,)')",
        world.device_no,
        world.person_no,
    )
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        await until(lambda: notified(receiver) == ["no recipient"], "not notified")
        body = json.loads(receiver.calls[0].body)["body"]
        assert body.startswith("no_recipient: People are monitored without a recipient")
        assert body.endswith(" 1 now.\n")
        async with asyncio.timeout(PATIENCE_S):  # it is notified first, then written down
            while await pool.fetchval("select detail from platform_incidents") != "1 now.":
                await asyncio.sleep(0.05)
        await pool.execute(
            "insert into contact_addresses values ($1, 'webhook', 'https://hook.example/x')", world.doctor_no
        )
        await until(lambda: notified(receiver) == ["no recipient", "no recipient is over"], "end not notified")


class Beats:
    """When heartbeats came, monotonic seconds."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.address = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.at.append(time.monotonic())
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def heartbeat_receiver() -> AsyncIterator[Beats]:
    beats = Beats()
    server = await asyncio.start_server(beats.take, "127.0.0.1", 0)
    beats.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alive"
    try:
        yield beats
    finally:
        server.close()


async def test_operators_hear_that_the_audit_is_sealed_no_more_and_that_it_is_again(dsn: str, pool: Pool) -> None:
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    await pool.execute("delete from audit.unsealed")
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        await pool.execute("insert into audit.unsealed values ('audit', 1, now() - interval '3 minutes')")
        await until(lambda: notified(receiver) == ["audit unsealed"], "not notified")
        await pool.execute("delete from audit.unsealed")
        await until(lambda: notified(receiver) == ["audit unsealed", "audit unsealed is over"], "end not notified")


async def test_its_metrics_show_what_it_sees_as_long_as_it_is_so(dsn: str, pool: Pool, tmp_path: Path) -> None:
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    async with (
        webhook_receiver(200) as receiver,
        watching(dsn, receiver, clock, disks={"here": tmp_path}, backups={"here": tmp_path}) as metrics,
        open_postgres_bus(pool) as bus,
    ):

        def value(name: str, **labels: str) -> float:
            found = metrics.registry.get_sample_value(f"hb_watch_{name}", labels)
            return -1.0 if found is None else found

        place = {"topic": UPLINKS_JUDGED.name, "group": "store", "partition": "0"}
        before = value("group_lag_records", **place)
        await until(lambda: value("leading_state") == 1 and value("audits_total") > 0, "not at work")
        assert value("incident_state", kind=Kind.PLATFORM_OUTAGE) == 0
        assert abs(value("clock_skew_seconds")) < 1
        await until(lambda: value("newest_backup_timestamp_seconds", place="here") == 0, "no look at the folder")
        assert 0 < value("disk_free_ratio", disk="here") <= 1
        await bus.append(UPLINKS_JUDGED.name, [Record(b"1", b"a"), Record(b"1", b"b")])
        clock.advance(seconds=90)
        await until(lambda: value("watermark_age_seconds") == 90, "the age of the newest that has come through")
        await until(lambda: value("group_lag_records", **place) >= max(before, 0) + 2, "records before store")
        await until(lambda: value("group_stands_seconds", **place) > 0, "store stands")
        await pool.execute(
            "insert into throttled_devices values ('band-9', $1, $1, 3)", to_datetime(WallClock().now_ms())
        )
        await until(lambda: value("incident_state", kind=Kind.DEVICE_THROTTLED) == 1, "an incident is open")
        await pool.execute("truncate throttled_devices")
        await until(lambda: value("incident_state", kind=Kind.DEVICE_THROTTLED) == 0, "an incident is over")


async def test_operators_hear_of_a_code_that_was_used_twice_until_its_device_has_another_secret(
    dsn: str, pool: Pool
) -> None:
    clock = FakeClock(START_MS)
    await pass_marker(pool, START_MS)
    world = await settle_in(pool)
    now = to_datetime(START_MS)
    await pool.execute("insert into device_credentials values ($1, 'kept', $2, null)", world.device_no, now)
    async with webhook_receiver(200) as receiver, watching(dsn, receiver, clock):
        await pool.execute(
            "insert into device_claims (device_no, code_hash, made_at, ends_at, used_at, used_again_at)"
            " values ($1, 'hash', $2, $3, $2, $2)",
            world.device_no,
            now,
            now + timedelta(hours=1),
        )
        await until(lambda: notified(receiver) == ["claim used again"], "not notified")
        assert world.device not in json.loads(receiver.calls[0].body)["body"]
        await pool.execute("update device_credentials set issued_at = $2 where device_no = $1",
                           world.device_no, now + timedelta(seconds=1))  # fmt: skip
        await until(lambda: notified(receiver) == ["claim used again", "claim used again is over"], "end not notified")
