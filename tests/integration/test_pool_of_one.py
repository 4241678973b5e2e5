"""Every service with one connection to the database: nobody holds one while waiting for another."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from schemas.codec import encode_uplink
from schemas.messages import DeviceEvent
from schemas.metrics import METRICS
from schemas.registry import Binding, ContactAddress, Device, Doctor, Home, Person, Register
from schemas.topics import UP, shard_of
from services.alert import app as alert
from services.alert.settings import AlertSettings
from services.api import app as api
from services.api.registration import register
from services.api.settings import ApiSettings
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.medication import app as medication
from services.medication.settings import MedicationSettings
from services.prepare import prepare
from services.runtime.clock import WallClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, DatabaseSettings, MqttSettings
from services.score import app as score
from services.score.settings import ScoreSettings
from services.store import app as store
from services.store.settings import StoreSettings
from services.watch import app as watch
from services.watch.settings import WatchSettings
from tests.conftest import create_database, drop_database
from tests.integration.console_world import browsing, free_port, password_hash
from tests.integration.path_world import uplink
from tests.integration.receivers import WebhookReceiver, webhook_receiver, webhooks_on_loopback

SECRET = "a secret of at least sixteen characters"
EMAIL = "doctor@example.org"
BAND = "band-of-one"
WITHIN_S = 30.0


@pytest.fixture
async def database(embedded: Embedded) -> AsyncIterator[DatabaseSettings]:
    """One connection, and not long to wait for it."""
    dsn = await create_database(embedded.dsn)
    settings = DatabaseSettings(dsn=SecretStr(dsn), pool_size=1, acquire_timeout_s=5)
    await prepare(settings, BusSettings(kind="postgres", partitions=1))
    yield settings
    await drop_database(embedded.dsn, dsn)


@asynccontextmanager
async def all_services(
    database: DatabaseSettings, embedded: Embedded, operators: WebhookReceiver, port: int
) -> AsyncIterator[Metrics]:
    """The six of the one-process platform, and watch."""
    bus = BusSettings(kind="postgres", partitions=1)
    mqtt = MqttSettings(host=embedded.mqtt_host, port=embedded.mqtt_port, replays_retained=True)
    both: dict[str, Any] = {"database": database, "bus": bus}
    watching = WatchSettings(
        **both,
        every_s=0.5,
        broker_counter="",
        health={"api": f"http://127.0.0.1:{port}/healthz"},
        webhook_url=operators.address,
        webhook_secret=SecretStr(SECRET),
    )
    alerting = AlertSettings(database=database, channels=(webhooks_on_loopback(),))
    stop, metrics, clock = asyncio.Event(), Metrics(METRICS), WallClock()
    around: dict[str, Any] = {"clock": clock, "stop": stop, "metrics": metrics}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest.run(IngestSettings(**both, mqtt=mqtt), **around))
        tasks.create_task(store.run(StoreSettings(**both, chores_every_s=0.5), **around))
        tasks.create_task(score.run(ScoreSettings(**both, checkpoint_every_s=1), **around))
        tasks.create_task(alert.run(alerting, **around))
        tasks.create_task(medication.run(MedicationSettings(database=database, mqtt=mqtt), **around))
        tasks.create_task(api.run(ApiSettings(port=port, plain_http=True, database=database), **around))
        tasks.create_task(watch.run(watching, **around))
        yield metrics
        stop.set()


def home_of(person_id: UUID, webhook: str) -> Register:
    person = Person(person_id=person_id, name="Ruth Sommer", born_on=date(1941, 3, 2))
    band = Device(device=BAND, type="wearable_band", bindings=(Binding(person_id=person.person_id),))
    home = Home(home_id=uuid4(), label="Lindenstr. 12", time_zone="Europe/Berlin", people=(person,), devices=(band,))
    addresses = (ContactAddress(channel="webhook", address=webhook),)
    doctor = Doctor(email=EMAIL, name="Dr. Haddad", people=(person.person_id,), addresses=addresses)
    return Register(homes=(home,), doctors=(doctor,))


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def test_from_device_to_doctor_and_back_each_service_needs_one_connection_and_no_more(
    database: DatabaseSettings, embedded: Embedded
) -> None:
    port, now = free_port(), WallClock().now_ms()
    async with (
        webhook_receiver(200) as doctors,
        webhook_receiver(200) as operators,
        open_pool(database, application="test") as pool,
    ):
        await register(pool, home_of(uuid4(), doctors.address), to_datetime(now - 3_600_000))
        await pool.execute("update doctors set password_hash = $1", password_hash())
        async with all_services(database, embedded, operators, port) as metrics:
            await ring(embedded, pool)

            async def notified() -> bool:
                return bool(doctors.calls)

            await until(notified, "the doctor is notified")
            alert_id = await pool.fetchval("select alert_id from alerts where rule = 'sos'")
            async with browsing(f"http://127.0.0.1:{port}", EMAIL) as doctor:
                page = await doctor.get(f"/alerts/{alert_id}")
                token = (await doctor.get("/api/v1/session")).json()["csrf_token"]
                answer = await doctor.post(
                    f"/api/v1/alerts/{alert_id}/acknowledge",
                    json={"version": (await doctor.get(f"/api/v1/alerts/{alert_id}")).json()["version"]},
                    headers={"X-CSRF-Token": token},
                )
            assert (page.status_code, answer.status_code) == (200, 200)

            async def looked_at() -> bool:
                return (metrics.registry.get_sample_value("hb_watch_audits_total") or 0) > 5

            await until(looked_at, "watch looks again and again")
        incidents = await pool.fetch("select kind from platform_incidents")
        assert [row["kind"] for row in incidents if row["kind"] in {"database_away", "service_down"}] == []
    retries = {f"hb_{service}_retries_total" for service in ("ingest", "store", "score")}
    waited = [
        (sample.name, sample.labels)
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.value and (sample.name in retries or sample.name == "hb_process_waiting_state")
    ]
    assert waited == []


async def ring(embedded: Embedded, pool: Pool) -> None:
    """The band sends a minute and a call for help, again and again until they are settled."""
    client = Client(CallbackAPIVersion.VERSION2, BAND, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect(embedded.mqtt_host, embedded.mqtt_port)
    client.loop_start()
    now = WallClock().now_ms()
    payload = encode_uplink(uplink(1, 0, at=now, events=(DeviceEvent(event="sos_pressed", at=now),)))

    async def settled() -> bool:
        client.publish(UP.of(shard_of(BAND), BAND), payload, qos=1)
        return bool(await pool.fetchval("select count(*) from device_cursor"))

    try:
        await until(settled, "the uplink is settled")
    finally:
        client.disconnect()
        client.loop_stop()
