"""Follows a device live: what becomes of each uplink, from the broker to the findings that rest on it."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from schemas.codec import CodecError, decode_ack, identity_of
from schemas.topics import ACK, UP
from services.cli.credentials import known_device
from services.cli.fates import Fates, Key
from services.cli.session import Session, settings_of
from services.runtime.database import load_queries
from services.runtime.errors import RetryLaterError
from services.runtime.mqtt import MqttMessage, open_link
from services.runtime.settings import MqttSettings

USER: Final = "trace-0"
"""A connection of its own: under another's name it would end that one."""
_LOOK_EVERY_S: Final = 0.5
_ANSWER_S: Final = 10.0

Heard = Callable[[Key, str], None]


async def trace(session: Session, device: str, heard: Heard, *, for_s: float | None = None) -> None:
    """Calls ``heard`` with an uplink and its fate in words, whenever that has changed; for ever, or ``for_s`` real s.

    Raises RefusedError, NoSecretError, RetryLaterError where the broker does not answer.
    """
    sql = load_queries("services.cli", "trace.sql")
    async with session.pool.acquire() as connection:
        row = await known_device(connection, device)
    since = await session.pool.fetchval(sql["newest"]) or session.now
    fates, said = Fates(), dict[Key, str]()
    topics = [UP.of(row["shard"], device), ACK.of(row["shard"], device)]
    ends_at = None if for_s is None else time.monotonic() + for_s
    async with open_link(settings_of(MqttSettings), client_id=USER, filters=topics) as link:
        try:
            async with asyncio.timeout(_ANSWER_S):
                await link.connected()
        except TimeoutError as error:
            raise RetryLaterError(
                "The broker does not answer; HB_MQTT_HOST and HB_MQTT_PORT say where it is."
            ) from error
        while ends_at is None or time.monotonic() < ends_at:
            messages = await link.take(wait_s=_LOOK_EVERY_S)
            for message in messages:
                _note(fates, message, is_uplink=message.topic == topics[0])
            link.acknowledge(messages)
            await _look(session, fates, row["device_no"], since)
            for key, fate in fates.by_key.items():
                if said.get(key) != (words := fate.words()):
                    said[key] = words
                    heard(key, words)


async def _look(session: Session, fates: Fates, device_no: int, since: datetime) -> None:
    sql = load_queries("services.cli", "trace.sql")
    fates.saw_rows(map(dict, await session.pool.fetch(sql["stored"], device_no, since)))
    fates.saw_rejections(map(dict, await session.pool.fetch(sql["rejected"], device_no, since)))
    evidence = map(dict, await session.pool.fetch(sql["findings"], device_no, since))
    fates.saw_findings(one for one in evidence if (one["epoch"], one["seq"]) in fates.by_key)


def _note(fates: Fates, message: MqttMessage, *, is_uplink: bool) -> None:
    if is_uplink:
        if identity := identity_of(message.payload):
            fates.saw_uplink(identity)
        return
    try:
        ack = decode_ack(message.payload)
    except CodecError:
        return
    fates.saw_ack(ack.epoch, ack.upto, [(one.seq, one.item, one.reason) for one in ack.rejected])
