"""The fate of one device's uplinks, live from the broker: published, acknowledged, rejected with its reason."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from device_sim.publish import Broker
from schemas.codec import CodecError, decode_ack, identity_of, parse_json
from schemas.messages import Ack
from schemas.topics import ACK, COMMANDS, STATUS, UP, shard_of


class Tracer:
    """Turns a device's messages into lines for a person to read."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._sent_at: dict[tuple[int, int], float] = {}
        self._shown: set[tuple[int, int, int]] = set()

    def message(self, topic: str, payload: bytes) -> None:
        """Something was published on one of the device's topics."""
        leaf = topic.rpartition("/")[2]
        if leaf == UP.leaf:
            self._uplink(payload)
        elif leaf == ACK.leaf:
            self._ack(payload)
        else:
            self._line(f"{leaf}: {payload.decode(errors='replace')}")

    def _line(self, text: str) -> None:
        self._say(f"{datetime.now(UTC):%H:%M:%S.%f} {text}")

    def _uplink(self, payload: bytes) -> None:
        identity = identity_of(payload)
        if identity is None:
            self._line(f"published {len(payload)} bytes without a readable identity")
            return
        again = identity in self._sent_at
        self._sent_at.setdefault(identity, time.monotonic())
        epoch, seq = identity
        self._line(f"{'sent again' if again else 'published'} epoch {epoch} seq {seq}: {_items(payload)}")

    def _ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except CodecError as error:
            self._line(f"an acknowledgement that can't be read: {error}")
            return
        gaps = ", ".join(f"{first}-{last}" for first, last in ack.gaps) or "none"
        self._line(f"acknowledged epoch {ack.epoch} up to {ack.upto}, gaps {gaps}{self._waited(ack)}")
        for one in ack.rejected:
            if (ack.epoch, one.seq, one.item) not in self._shown:
                self._shown.add((ack.epoch, one.seq, one.item))
                self._line(f"rejected seq {one.seq} item {one.item}: {one.reason}")

    def _waited(self, ack: Ack) -> str:
        done = [key for key in self._sent_at if key[0] == ack.epoch and key[1] <= ack.upto]
        waits = [time.monotonic() - self._sent_at.pop(key) for key in done]
        return f" ({len(done)} uplinks, slowest {1000 * max(waits):.0f} ms)" if waits else ""


def _items(payload: bytes) -> str:
    try:
        body = parse_json(payload)
        readings = [f"{row['vital']} {row['value']}" for row in body["readings"]]
        return ", ".join([*readings, *(row["event"] for row in body["events"])]) or "heartbeat"
    except (CodecError, KeyError, TypeError):
        return f"{len(payload)} bytes that can't be read"


def trace(broker: Broker, device: str, *, user: str | None, password: str | None, say: Callable[[str], None]) -> None:
    """Listens until interrupted. ``user`` needs the right to read the device's topics."""
    tracer, shard = Tracer(say), shard_of(device)
    version = paho.MQTTv5 if broker.mqtt == 5 else paho.MQTTv311  # noqa: PLR2004 - MQTT 5
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user or "", protocol=version)
    client.username_pw_set(user, password)
    if (context := broker.context()) is not None:
        client.tls_set_context(context)

    def on_connect(connected: paho.Client, *_rest: Any) -> None:
        connected.subscribe([(row.of(shard, device), 0) for row in (UP, ACK, STATUS, COMMANDS)])

    client.on_connect = on_connect
    client.on_message = lambda _client, _data, message: tracer.message(message.topic, bytes(message.payload))
    client.connect(broker.host, broker.port)
    client.loop_forever()
