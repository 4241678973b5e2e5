"""What a device says of itself, on the full stack: broker, ingest, bus, store, and the row that it becomes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas.codec import encode_status
from schemas.messages import DeviceStatus
from schemas.registry import Register
from schemas.topics import STATUS, shard_of
from services.runtime.clock import to_datetime
from tests.golden import RECEIVED_AT
from tests.integration.path_world import World, bound, household, open_world, until, uplink

pytestmark = [
    pytest.mark.full_stack,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

MINUTE = 60_000
ANN = 1
BANDS = ("band-cut", "band-leaving", "band-again")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with open_world(RECEIVED_AT) as opened:
        opened.admit(*BANDS, "band-plain")
        devices = [bound(name, "wearable_band", ANN) for name in (*BANDS, "band-plain")]
        await opened.register(Register(homes=(household(1, (ANN,), devices),)), at_ms=RECEIVED_AT - 24 * 60 * MINUTE)
        opened.start("store")
        opened.start("ingest")
        await opened.heard("band-plain")
        yield opened


class Connection:
    """A device's connection with a last will."""

    def __init__(self, world: World, name: str) -> None:
        self.topic = STATUS.of(shard_of(name), name)
        self.client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.username_pw_set(name, world.password_of(name))
        self.client.will_set(self.topic, encode_status(DeviceStatus(state="offline")), qos=1, retain=True)
        self.client.connect_async(world.stack.mqtt_host, world.stack.mqtt_port)
        self.client.loop_start()

    async def say(self, status: DeviceStatus) -> None:
        await until(self.client.is_connected, "the device is connected")
        sent = self.client.publish(self.topic, encode_status(status), qos=1, retain=True)
        await until(sent.is_published, "the broker takes the status")

    def cut(self) -> None:
        """As a power cut does it."""
        self.client.loop_stop()
        sock: Any = self.client.socket()
        sock.close()


async def status_of(world: World, name: str) -> dict[str, Any]:
    rows = await world.pool.fetch(
        "select s.* from device_status s join devices d using (device_no) where d.device = $1", name
    )
    return dict(rows[0]) if rows else {}


async def noted(world: World, name: str, **expected: object) -> dict[str, Any]:
    for _ in range(1000):
        row = await status_of(world, name)
        if row and expected.items() <= row.items():
            return row
        await asyncio.sleep(0.02)
    raise AssertionError(f"{name}: {expected}, not {row}")


async def test_a_device_that_loses_its_connection_is_offline_by_its_last_will(world: World) -> None:
    device = Connection(world, "band-cut")
    await device.say(DeviceStatus(state="online", battery_percent=80, firmware="2.1"))
    said = await noted(world, "band-cut", state="online", battery_percent=80, firmware="2.1")
    world.clock.at_ms += MINUTE
    device.cut()
    gone = await noted(world, "band-cut", state="offline", leaving=False)
    assert (said["since"], gone["since"]) == (to_datetime(RECEIVED_AT), to_datetime(RECEIVED_AT + MINUTE))
    assert (gone["battery_percent"], gone["firmware"]) == (80, "2.1"), "a last will does not know them"


async def test_one_that_says_good_bye_has_left(world: World) -> None:
    device = Connection(world, "band-leaving")
    await device.say(DeviceStatus(state="online"))
    await device.say(DeviceStatus(state="offline", leaving=True))
    await noted(world, "band-leaving", state="offline", leaving=True)
    device.client.disconnect()
    device.client.loop_stop()


async def test_a_state_that_is_said_again_keeps_its_beginning_and_ingest_that_starts_anew_hears_no_old_news(
    world: World,
) -> None:
    device = Connection(world, "band-again")
    begun = world.clock.at_ms
    await device.say(DeviceStatus(state="online", battery_percent=50))
    await noted(world, "band-again", battery_percent=50)
    world.clock.at_ms += MINUTE
    await device.say(DeviceStatus(state="online", battery_percent=49))
    row = await noted(world, "band-again", battery_percent=49)
    assert (row["since"], row["said_at"]) == (to_datetime(begun), to_datetime(begun + MINUTE))

    await world.stop("ingest")
    world.clock.at_ms += MINUTE
    world.start("ingest")
    await world.publish("band-plain", [uplink(1, 1, at=world.clock.at_ms)])
    await world.device("band-plain").settled(1, 1)

    assert await status_of(world, "band-again") == row, "what the broker has kept is no news"
    device.client.disconnect()
    device.client.loop_stop()
