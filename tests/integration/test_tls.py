"""An encrypted platform: readings get through, plaintext does not, impostors hear nothing, renewal loses nothing."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError
from cryptography import x509
from pydantic import SecretStr
from structlog.testing import capture_logs

from deploy.certificates.authority import Authority
from deploy.certificates.issue import Kind
from deploy.local.probes import PLEASE_TLS, mqtt_answers, postgres_answers
from deploy.local.stack import Stack
from device_sim.publish import Broker, Network
from schemas.broker_access import new_secret
from schemas.metrics import METRICS
from schemas.registry import Register
from services.alert.channels.email import EmailChannel, EmailSettings
from services.alert.channels.port import AttemptOutcome, MessageKind, Notification
from services.api import app as api
from services.api.settings import ApiSettings
from services.runtime.bus.kafka import open_kafka_bus
from services.runtime.database import open_pool
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics, serve_metrics
from services.runtime.mqtt import open_link
from services.runtime.mqtt_client import BurstClient
from services.runtime.settings import BusSettings, DatabaseSettings, LogSettings, MqttSettings
from services.runtime.tls import ServerCertificate, TlsSettings
from services.watch.certificates import CertificatesLook, listeners_of
from services.watch.operator_channels import open_client
from services.watch.settings import WatchSettings
from tests.integration.console_world import free_port
from tests.integration.impostor import GREETINGS, impostor
from tests.integration.path_world import World, bound, household, open_world, tls_settings, until, uplink
from tests.unit.transport.handshake import served_by
from transport.tls import client_context

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECEIVED_AT = 1_800_000_000_000
NOW = datetime.now(UTC)
SECRET = new_secret()
CERTIFICATE_ENDS = "hb_watch_certificate_ends_timestamp_seconds"
MAIL = Notification(
    key="1", kind=MessageKind.ALERT, subject="s", text="t", link="l", address="d@example.org", facts={},
    possible_duplicate=False,
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    home = Register(homes=(household(1, (1,), [bound("band-1", "wearable_band", 1)]),))
    async with open_world(RECEIVED_AT, tls=True) as opened:
        opened.admit("band-1")
        await opened.register(home, at_ms=RECEIVED_AT - 3_600_000)
        opened.start("store")
        opened.start("ingest")
        await opened.heard("band-1")
        yield opened


def shown_by(stack: Stack) -> dict[str, bytes]:
    """The certificate of each server, as a new connection sees it."""
    database = int(stack.dsn.partition("@")[2].partition(":")[2].partition("/")[0])
    ports = {"broker": stack.mqtt_port, "kafka": int(stack.kafka_bootstrap.partition(":")[2]), "database": database}
    found = {}
    for name, port in ports.items():
        with socket.create_connection((stack.mqtt_host, port), 5) as plain:
            if name == "database":
                plain.sendall(PLEASE_TLS)
                assert plain.recv(1) == b"S"
            with client_context(stack.ca_file).wrap_socket(plain, server_hostname=stack.mqtt_host) as encrypted:
                found[name] = encrypted.getpeercert(binary_form=True) or b""
    return found


@pytest.mark.full_stack
async def test_a_reading_gets_from_the_device_into_the_database_by_tls_alone(world: World) -> None:
    await world.publish("band-1", [uplink(2, seq, at=RECEIVED_AT, values=(70 + seq,)) for seq in range(40)])

    await world.device("band-1").settled(2, 39)
    assert [row[3] for row in await world.readings_of("band-1", 2)] == [70 + seq for seq in range(40)]
    encrypted = "select bool_and(ssl), count(*) from pg_stat_ssl s join pg_stat_activity a using (pid)"
    ((all_encrypted, connections),) = await world.rows(f"{encrypted} where a.client_port > 0")
    assert all_encrypted
    assert connections >= 3


@pytest.mark.full_stack
async def test_no_listener_takes_plaintext(world: World) -> None:
    stack = world.stack
    record = stack._record  # noqa: SLF001 - every port that is listened on

    for port in (stack.mqtt_port, stack.mqtt_platform_port):
        assert not mqtt_answers(stack.mqtt_host, port)
        assert mqtt_answers(stack.mqtt_host, port, client_context(stack.ca_file))
    assert not postgres_answers(stack.mqtt_host, record.postgres_port, "postgres")
    assert postgres_answers(stack.mqtt_host, record.postgres_port, "postgres", client_context(stack.ca_file))
    versions = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # ApiVersions: whoever serves plaintext answers it
    for port in (record.kafka_port, record.kafka_controller_port):
        with socket.create_connection((stack.mqtt_host, port), 5) as plain:
            plain.sendall(versions)
            answer = b""
            with suppress(ConnectionError):
                answer = plain.recv(100)
        assert b"\x00\x00\x00\x01" not in answer  # our number, with which an answer would begin


@pytest.mark.full_stack
async def test_kafka_lets_in_only_whom_it_knows(world: World) -> None:
    stack, tls = world.stack, tls_settings(world.stack)
    wrong = BusSettings(kafka=stack.kafka_bootstrap, user="store", password=SecretStr(SECRET), tls=tls)
    nobody = BusSettings(kafka=stack.kafka_bootstrap, tls=tls)

    for settings in (wrong, nobody):
        with pytest.raises((KafkaError, RetryLaterError, TimeoutError)):
            async with asyncio.timeout(8), open_kafka_bus(settings) as bus:
                await bus.held("uplinks")
    # The controller knows nodes by their certificates, and nobody else.
    port = stack._record.kafka_controller_port  # noqa: SLF001 - only this test asks for it
    plain = socket.create_connection((stack.mqtt_host, port), 5)
    encrypted = client_context(stack.ca_file).wrap_socket(plain, server_hostname=stack.mqtt_host)
    with encrypted, pytest.raises(ssl.SSLError, match=r"(?i)certificate"):
        encrypted.recv(1)


@pytest.mark.full_stack
async def test_renewal_loses_nothing_and_leaves_devices_connected(world: World) -> None:
    before, device = shown_by(world.stack), world.device("band-1")
    renewing = asyncio.create_task(asyncio.to_thread(world.stack.renew_certificates))
    sent = 0
    while not renewing.done():
        await world.publish("band-1", [uplink(3, sent, at=RECEIVED_AT, values=(80,))])
        sent += 1
        await asyncio.sleep(0.05)
    await renewing

    await device.settled(3, sent - 1)
    assert len(await world.readings_of("band-1", 3)) == sent
    after = shown_by(world.stack)
    assert all(after[name] != before[name] for name in before)
    again = world.reconnect("band-1")
    await world.publish("band-1", [uplink(4, 0, at=RECEIVED_AT, values=(81,))])
    await again.settled(4, 0)


@pytest.mark.full_stack
async def test_watch_shows_until_when_each_server_s_certificate_holds(world: World) -> None:
    tls, metrics = tls_settings(world.stack), Metrics(METRICS)
    settings = WatchSettings(
        database=DatabaseSettings(dsn=SecretStr(world.dsn), tls=tls),
        bus=BusSettings(kafka=world.stack.kafka_bootstrap, tls=tls),
        mqtt=MqttSettings(host=world.stack.mqtt_host, port=world.stack.mqtt_port, tls=tls),
        log=LogSettings(tls=tls),
        health={"api": f"https://127.0.0.1:{free_port()}/healthz"},
    )
    await CertificatesLook(listeners=listeners_of(settings), metrics=metrics).look()

    shown = {name: x509.load_der_x509_certificate(one) for name, one in shown_by(world.stack).items()}
    ends = {name: one.not_valid_after_utc.timestamp() for name, one in shown.items()}
    found = {"broker": "broker", "kafka": "kafka-0", "database": "database-0"}
    for name, server in found.items():
        assert metrics.registry.get_sample_value(CERTIFICATE_ENDS, {"server": server}) == ends[name]
    # Of a console that nobody reaches nothing is said.
    assert metrics.registry.get_sample_value(CERTIFICATE_ENDS, {"server": "console api"}) is None


@pytest.mark.full_stack
async def test_the_console_speaks_https_alone(world: World) -> None:
    database = DatabaseSettings(dsn=SecretStr(world.dsn), tls=tls_settings(world.stack))
    settings = ApiSettings(port=free_port(), certificate_file=world.stack.services_file, database=database)
    stop, at = asyncio.Event(), f"127.0.0.1:{settings.port}"
    console = asyncio.create_task(api.run(settings, clock=world.clock, stop=stop, metrics=Metrics(METRICS)))
    try:
        async with asyncio.timeout(10), httpx.AsyncClient(verify=client_context(world.stack.ca_file)) as client:
            answer = None
            while answer is None:
                with suppress(httpx.ConnectError):
                    answer = await client.get(f"https://{at}/sign-in")
            assert answer.status_code == 200
            assert "max-age" in answer.headers["strict-transport-security"]
            with pytest.raises(httpx.HTTPError):
                await client.get(f"http://{at}/sign-in")
    finally:
        stop.set()
        await console


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca") / "ca", "right", NOW)


def certificate(authority: Authority, fault: str, elsewhere: Path) -> ssl.SSLContext:
    """One with the fault, or the right one."""
    signer = Authority.create(elsewhere / "ca", "wrong", NOW) if fault == "wrong CA" else authority
    hosts = ["elsewhere.example", "10.0.0.1"] if fault == "wrong name" else ["127.0.0.1", "localhost"]
    when = NOW - timedelta(days=500) if fault == "expired" else NOW
    return served_by(signer.sign(Kind.SERVER, "impostor", hosts, when))


async def ask_broker(port: int, tls: TlsSettings) -> None:
    client, context = BurstClient("ingest-0", lambda _burst: None), tls.context()
    assert context is not None
    client.use_tls(context)
    await asyncio.to_thread(client.connect, "127.0.0.1", port)
    try:
        await asyncio.Event().wait()
    finally:
        client.disconnect()


async def ask_broker_as_a_device(port: int, tls: TlsSettings) -> None:
    network = Network(Broker(host="127.0.0.1", port=port, passwords={}, ca_file=tls.ca_file), Random(1))
    network.add("band-1", 0, Nobody())
    try:
        while True:
            await asyncio.to_thread(network.poll, 0.1)
    finally:
        network.links[0].cut()


class Nobody:
    """The device behind a connection that never comes about."""

    def on_connected(self, *, session_present: bool, undelivered: Iterable[int]) -> None:
        """Never called."""

    def on_ack(self, payload: bytes) -> None:
        """Never called."""

    def on_command(self, payload: bytes) -> None:
        """Never called."""


async def ask_kafka(port: int, tls: TlsSettings) -> None:
    settings = BusSettings(kafka=f"127.0.0.1:{port}", user="store", password=SecretStr(SECRET), tls=tls)
    async with open_kafka_bus(settings) as bus:
        await bus.held("uplinks")


async def ask_database(port: int, tls: TlsSettings) -> None:
    settings = DatabaseSettings(dsn=SecretStr(f"postgresql://u:{SECRET}@127.0.0.1:{port}/hb"), tls=tls)
    async with open_pool(settings, application="test") as pool:
        await pool.fetch("select 1")


async def ask_database_as_its_dsn_says(port: int, tls: TlsSettings) -> None:
    verified = f"sslmode=verify-full&sslrootcert={tls.ca_file}"
    settings = DatabaseSettings(dsn=SecretStr(f"postgresql://u:{SECRET}@127.0.0.1:{port}/hb?{verified}"))
    async with open_pool(settings, application="test") as pool:
        await pool.fetch("select 1")


async def ask_page(port: int, tls: TlsSettings) -> None:
    async with open_client(tls) as client:
        await client.get(f"https://127.0.0.1:{port}/metrics")


async def ask_mail(port: int, tls: TlsSettings) -> None:
    settings = EmailSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_ca_file=tls.ca_file)
    result = await EmailChannel(settings, unix_time=lambda: 0.0).send(MAIL)
    assert result.outcome is AttemptOutcome.RETRY


CLIENTS: dict[str, Callable[[int, TlsSettings], Awaitable[None]]] = {
    "broker": ask_broker,
    "broker, as a simulated device": ask_broker_as_a_device,
    "kafka": ask_kafka,
    "database": ask_database,
    "database, as its DSN says": ask_database_as_its_dsn_says,
    "page": ask_page,
    "mail": ask_mail,
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["wrong CA", "wrong name", "expired", "none"])
async def test_an_impostor_hears_nothing(client: str, fault: str, authority: Authority, tmp_path: Path) -> None:
    kind, tls = client.partition(",")[0], TlsSettings(ca_file=authority.ca_file)
    assert kind in GREETINGS
    async with impostor(kind, certificate(authority, fault, tmp_path)) as server:
        asking = asyncio.ensure_future(CLIENTS[client](server.port, tls))
        try:
            await until(lambda: bool(server.heard or (server.parted and fault != "none")), "they have talked")
        finally:
            asking.cancel()
            # Each client says it in its own way; what it has given away is the point.
            await asyncio.gather(asking, return_exceptions=True)

    assert bool(server.heard) is (fault == "none")


async def test_a_link_says_why_it_trusts_a_broker_not(authority: Authority, tmp_path: Path) -> None:
    settings = MqttSettings(tls=TlsSettings(ca_file=authority.ca_file))
    with capture_logs() as logs:
        async with impostor("broker", certificate(authority, "wrong CA", tmp_path)) as server:
            there = settings.model_copy(update={"port": server.port})
            async with open_link(there, client_id="ingest-0") as link:
                await until(lambda: bool(logs), "the link says that it was refused")
                assert not link.online

    assert "certificate verify failed" in logs[0]["reason"]


async def test_a_page_of_metrics_is_shown_by_tls(authority: Authority) -> None:
    shown = authority.sign(Kind.SERVER, "services", ["127.0.0.1"], NOW)
    port = free_port()
    with serve_metrics(Metrics(METRICS), port, "127.0.0.1", ServerCertificate(shown)):
        async with open_client(TlsSettings(ca_file=authority.ca_file)) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/readyz")).text == "ready\n"
            with pytest.raises(httpx.HTTPError):
                await client.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
            # Whoever connects and is silent holds up nobody.
            with socket.create_connection(("127.0.0.1", port), 5):
                assert (await client.get(f"https://127.0.0.1:{port}/metrics")).is_success
