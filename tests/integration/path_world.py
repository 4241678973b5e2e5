"""Ingest and store on a full stack of their own, a clock that the tests move, and devices that speak MQTT by hand."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import SecretStr

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.reconcile.accounts import Published
from schemas.bus_access import ADMIN, PREPARE, TOOLS
from schemas.codec import decode_ack, encode_uplink
from schemas.messages import Ack, DeviceClock, DeviceEvent, Reading, Uplink
from schemas.metrics import METRICS
from schemas.registry import Binding, Device, Home, Person, Register
from schemas.topics import ACK, UP, shard_of
from services.api.registration import register
from services.bus_access import grant_bus
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.prepare import prepare
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, DatabaseSettings, MqttSettings
from services.runtime.tls import TlsSettings
from services.store import app as store
from services.store.settings import StoreSettings
from transport.tls import client_context

ANSWER_S = 30.0


def broker_passwords(stack: Stack) -> dict[str, SecretStr]:
    """The secret of each of the platform's connections."""
    return {name: SecretStr(secret) for name, secret in stack.platform_secrets.items()}


Service = Callable[[asyncio.Event], Awaitable[None]]


async def until(condition: Callable[[], bool], what: str) -> None:
    """Polls; fails by name."""
    for _ in range(round(ANSWER_S / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {ANSWER_S:.0f} s: {what}")


class RawDevice:
    """A device without an outbox: it sends what it is asked to, and remembers every ack."""

    def __init__(self, stack: Stack, name: str, password: str) -> None:
        self.name = name
        self.acks: list[Ack] = []
        self._shard = shard_of(name)
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(name, password)
        if stack.settings.tls:
            self._client.tls_set_context(client_context(stack.ca_file))
        self._client.max_inflight_messages_set(1000)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.connect_async(stack.mqtt_host, stack.mqtt_port)
        self._client.loop_start()

    async def send(self, *payloads: bytes, retain: bool = False) -> None:
        """Publishes with QoS 1 and returns when the broker has taken each."""
        await until(self._client.is_connected, f"{self.name} is connected")
        topic = UP.of(self._shard, self.name)
        sent = [self._client.publish(topic, payload, qos=1, retain=retain) for payload in payloads]
        await until(lambda: all(one.is_published() for one in sent), "the broker takes what is sent")

    async def acked(self, condition: Callable[[Ack], bool]) -> Ack:
        """The first ack that says so."""
        await until(
            lambda: any(condition(ack) for ack in self.acks), f"the ack for {self.name}; heard {self.acks[-2:]}"
        )
        return next(ack for ack in self.acks if condition(ack))

    async def settled(self, epoch: int, upto: int) -> Ack:
        """The ack that everything up to ``upto`` is settled."""
        return await self.acked(lambda ack: ack.epoch == epoch and ack.upto >= upto)

    async def has_settled(self, epoch: int, upto: int, *, within_s: float) -> bool:
        """Whether that ack comes in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.settled(epoch, upto)
                return True
        return False

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: object, _flags: object, _reason: ReasonCode, _: object) -> None:
        client.subscribe(ACK.of(self._shard, self.name), qos=0)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.acks.append(decode_ack(bytes(message.payload)))


@dataclass(slots=True, kw_only=True)
class World:
    """One platform: its servers, its two services, its devices, and what they published in good order."""

    stack: Stack
    dsn: str
    pool: Pool
    clock: FakeClock
    metrics: Metrics = field(default_factory=lambda: Metrics(METRICS))
    oracle: dict[tuple[str, int, int], Published] = field(default_factory=dict)
    _passwords: dict[str, str] = field(default_factory=dict)
    _devices: dict[str, RawDevice] = field(default_factory=dict)
    _running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = field(default_factory=dict)

    def _service(self, name: str) -> Service:
        tls = tls_settings(self.stack)
        database = DatabaseSettings(dsn=SecretStr(self.dsn), tls=tls)
        bus = bus_settings(self.stack, name)
        if name == "store":
            # one device stands for many here: each payload of the corpus is an epoch of its own
            settings = StoreSettings(database=database, bus=bus, publish_every_s=0.2, live_epochs=10_000)
            return lambda stop: store.run(settings, clock=self.clock, stop=stop, metrics=self.metrics)
        mqtt = MqttSettings(
            host=self.stack.mqtt_host, port=self.stack.mqtt_port, passwords=broker_passwords(self.stack), tls=tls
        )
        into = IngestSettings(database=database, bus=bus, mqtt=mqtt, ack_every_s=0.05)
        return lambda stop: ingest.run(into, clock=self.clock, stop=stop, metrics=self.metrics)

    def start(self, name: str) -> None:
        """Starts ``ingest`` or ``store``."""
        stop = asyncio.Event()
        self._running[name] = asyncio.ensure_future(self._service(name)(stop)), stop

    async def stop(self, name: str) -> None:
        """As a signal does it."""
        task, stop = self._running.pop(name)
        stop.set()
        await task

    async def crash(self, name: str) -> None:
        """In the middle of whatever it does."""
        task, _ = self._running.pop(name)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def is_running(self, name: str) -> bool:
        """Whether a service was started and has not ended."""
        return name in self._running and not self._running[name][0].done()

    async def ended(self, name: str) -> BaseException | None:
        """Waits for a service that ends by itself; why it did."""
        task, _ = self._running.pop(name)
        await asyncio.wait({task}, timeout=ANSWER_S)
        error = task.exception()
        return error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error

    def admit(self, *names: str) -> None:
        """Makes devices known to the broker, in addition to those it knows."""
        self._passwords |= {name: secrets.token_urlsafe(16) for name in names if name not in self._passwords}
        self.stack.register_devices(self._passwords)

    def device(self, name: str) -> RawDevice:
        """The connection of a device that was admitted."""
        if name not in self._devices:
            self._devices[name] = RawDevice(self.stack, name, self._passwords[name])
        return self._devices[name]

    def password_of(self, name: str) -> str:
        """For whoever speaks for an admitted device by other means."""
        return self._passwords[name]

    def reconnect(self, name: str) -> RawDevice:
        """The device on a new connection, knowing nothing."""
        self._devices.pop(name).close()
        return self.device(name)

    async def register(self, wanted: Register, *, at_ms: int, probe: str | None = None) -> None:
        """Writes a register file at ``at_ms``. With ``probe``, its new device, returns when ingest knows of it.

        No doctor is needed here: what becomes of an uplink is asked, not who is notified.
        """
        people = {one.person_id for home in wanted.homes for one in home.people}
        meant = wanted.model_copy(update={"no_recipient": tuple(sorted(people))})
        await register(self.pool, meant, to_datetime(at_ms))
        if probe is not None:
            await self.heard(probe)

    async def heard(self, name: str) -> None:
        """Returns when the whole path works for a device: it sends the same uplink until it is acknowledged."""
        device, payload = self.device(name), encode_uplink(uplink(1, 0, at=self.clock.now_ms(), values=()))
        self.oracle[name, 1, 0] = Published(readings=0, events=0)
        async with asyncio.timeout(ANSWER_S):
            while not device.acks:
                await device.send(payload)
                await asyncio.sleep(0.1)

    async def publish(self, name: str, uplinks: Iterable[Uplink]) -> None:
        """Sends uplinks that the oracle is to know."""
        wanted = list(uplinks)
        for one in wanted:
            published = Published(readings=len(one.readings), events=len(one.events))
            self.oracle[name, one.epoch, one.seq] = published
        await self.device(name).send(*map(encode_uplink, wanted))

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in await self.pool.fetch(sql, *arguments)]

    async def readings_of(self, device: str, epoch: int) -> list[tuple[Any, ...]]:
        """``(seq, person, ms, value)`` of every stored reading of an epoch, in order."""
        return await self.rows(
            "select r.seq, p.person_id, (extract(epoch from r.observed_at) * 1000)::bigint, r.value"
            " from readings r join devices d using (device_no) join people p using (person_no)"
            " where d.device = $1 and r.epoch = $2 order by r.seq, r.item",
            device,
            epoch,
        )

    def counted(self, name: str) -> float:
        """The present value of a counter without labels."""
        return self.metrics.registry.get_sample_value(name) or 0.0

    async def close(self) -> None:
        for device in self._devices.values():
            device.close()
        for name in list(self._running):
            await self.stop(name)


def uplink(
    epoch: int,
    seq: int,
    *,
    at: int,
    values: Sequence[float] = (70,),
    slots: Sequence[int | None] = (None,),
    vital: str = "heart_rate",
    events: Sequence[DeviceEvent] = (),
    oldest: int = 0,
    clock: DeviceClock = "synced",
) -> Uplink:
    """An uplink of one reading for each of ``values``, observed and sent at ``at``."""
    readings = tuple(
        Reading(vital=vital, value=value, at=at, slot=slots[place % len(slots)]) for place, value in enumerate(values)
    )
    return Uplink(epoch=epoch, seq=seq, sent_at=at, clock=clock, oldest=oldest, readings=readings, events=tuple(events))


def tls_settings(stack: Stack) -> TlsSettings:
    return TlsSettings(ca_file=stack.ca_file if stack.settings.tls else None)


def bus_settings(stack: Stack, user: str = TOOLS) -> BusSettings:
    """As ``user``, where Kafka knows its users."""
    secret = stack.kafka_secrets.get(user)
    return BusSettings(
        kind="kafka",
        kafka=stack.kafka_bootstrap,
        partitions=3,
        user=user if secret else None,
        password=SecretStr(secret) if secret else None,
        tls=tls_settings(stack),
    )


def person(number: int) -> UUID:
    """Person ``number`` of the register."""
    return UUID(int=number)


@asynccontextmanager
async def open_world(now_ms: int, *, tls: bool = False) -> AsyncIterator[World]:
    """A prepared platform with both services running; with ``tls`` every hop of it is encrypted."""
    stack = Stack(StackSettings(name=f"test-{'tls' if tls else 'path'}-{os.getpid()}", tls=tls))
    try:
        await asyncio.to_thread(stack.start)
        database = DatabaseSettings(dsn=SecretStr(stack.dsn), tls=tls_settings(stack))
        if tls:
            await grant_bus(bus_settings(stack, ADMIN))
        await prepare(database, bus_settings(stack, PREPARE))
        async with open_pool(database, application="test") as pool:
            world = World(stack=stack, dsn=stack.dsn, pool=pool, clock=FakeClock(now_ms))
            try:
                yield world
            finally:
                await world.close()
    finally:
        await asyncio.to_thread(stack.stop)
        stack.erase()


async def kill_and_start(stack: Stack, server: str) -> None:
    """SIGKILL, and back again."""
    process = stack.process(server)
    await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.wait_ready)


def household(number: int, people: Iterable[int], devices: Iterable[Device]) -> Home:
    """A home of the register."""
    return Home(
        home_id=person(1000 + number),
        label=f"home {number}",
        time_zone="Europe/Berlin",
        people=tuple(Person(person_id=person(one), name=f"Person {one}", born_on=date(1940, 1, 1)) for one in people),
        devices=tuple(devices),
    )


def bound(name: str, kind: str, *people: int) -> Device:
    """A device of the register whose slots belong to ``people``, in order."""
    slots = tuple(Binding(slot=slot, person_id=person(one)) for slot, one in enumerate(people, start=1))
    return Device(device=name, type=kind, bindings=slots)
