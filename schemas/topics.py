"""Every MQTT and Kafka name: key, payload, producer, consumers, partitions, retention. One row each."""

import re
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from schemas.messages import Ack, Command, DeviceStatus, Uplink
from schemas.records import DeviceWord, JudgedUplink, SettledRecord, WatermarkMarker

SHARDS: Final = 64
DEVICE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")
MARKER_DEVICE: Final = "watermark"
RESERVED_DEVICE: Final = re.compile(rf"{MARKER_DEVICE}|(?:ingest|commands|watch|trace|sessions)-[0-9]+(?:-acks)?")
"""What the platform calls itself at the broker; a device of that name would share its account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTopic:
    """An MQTT topic ``hb/v1/<shard>/<device>/<leaf>``."""

    leaf: str
    payload: type
    producer: str
    consumers: tuple[str, ...]
    qos: int
    retained: bool

    def of(self, shard: int, device: str) -> str:
        """The topic of one device."""
        return f"hb/v1/{shard}/{device}/{self.leaf}"

    def of_shard(self, shard: int) -> str:
        """The filter for all devices of a shard."""
        return f"hb/v1/{shard}/+/{self.leaf}"


UP: Final = DeviceTopic(leaf="up", payload=Uplink, producer="device", consumers=("ingest",), qos=1, retained=False)
STATUS: Final = DeviceTopic(
    leaf="status", payload=DeviceStatus, producer="device", consumers=("ingest",), qos=1, retained=True
)
ACK: Final = DeviceTopic(leaf="ack", payload=Ack, producer="ingest", consumers=("device",), qos=0, retained=True)
COMMANDS: Final = DeviceTopic(
    leaf="commands",
    payload=Command,
    producer="medication, score",
    consumers=("device",),
    qos=1,
    retained=False,
)
DEVICE_TOPICS: Final[tuple[DeviceTopic, ...]] = (UP, STATUS, ACK, COMMANDS)


def device_of(topic: str) -> tuple[int, str]:
    """The shard and the device named by a topic; shard -1 where it is not one of ours."""
    parts = topic.split("/")
    if len(parts) != 5:  # noqa: PLR2004
        return -1, ""
    # ``isdigit`` also accepts digits of other scripts, hence ``isascii``.
    shard = int(parts[2]) if parts[2].isascii() and parts[2].isdigit() and len(parts[2]) <= 2 else -1  # noqa: PLR2004
    return (shard if shard < SHARDS else -1), parts[3]


def shard_of(device: str) -> int:
    """The shard a device is registered under."""
    return crc32(device.encode()) % SHARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class BusTopic:
    """A topic of the bus. ``key`` says in words what the key is; ``groups`` are those of its consumers; hours."""

    name: str
    key: str
    payload: tuple[type, ...]
    producer: str
    consumers: tuple[str, ...]
    groups: tuple[str, ...]
    retention_h: int


UPLINKS_JUDGED: Final = BusTopic(
    name="uplinks.judged.v1",
    key="number of the device's home at reception",
    payload=(JudgedUplink, WatermarkMarker, DeviceWord),
    producer="ingest",
    consumers=("store", "score"),
    groups=("store", "score"),
    retention_h=72,
)
UPLINKS_SETTLED: Final = BusTopic(
    name="uplinks.settled.v1",
    key="device",
    payload=(SettledRecord,),
    producer="store",
    consumers=("ingest",),
    groups=("ingest-acks",),
    retention_h=24,
)
BUS_TOPICS: Final[tuple[BusTopic, ...]] = (UPLINKS_JUDGED, UPLINKS_SETTLED)


def home_key(home_no: int) -> bytes:
    """The bus key of a home."""
    return b"%d" % home_no


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: the same on every bus."""
    return crc32(key) % partitions
