"""The undisturbed replay of the log, and the checkpoint as it stands: two texts that must be the same."""

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.codec import decode_uplink_record, parse_json, write_json
from schemas.records import Canary, UplinkRecord
from schemas.topics import UPLINKS_JUDGED
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus
from services.runtime.clock import pause
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.errors import HearthBeatError
from services.score.checkpoint import Checkpoints
from services.score.core import HomeState, Tally, step
from services.score.settings import ScoreSettings

_GROUP: Final = "score-replay"
_SAVED_WITHIN_S: Final = 30.0
_READ_WITHIN_S: Final = 60.0


class UnsavedError(HearthBeatError):
    """Score has not written its checkpoint; it may not be running."""


class ShortLogError(HearthBeatError):
    """The log ends before the checkpoint."""


def replay(records: Iterable[UplinkRecord], before: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The states of all homes after ``records``, each home's in their order, from nothing or from states ``before``."""
    homes = {int(home_no): HomeState.from_plain(plain) for home_no, plain in before.items()}
    tally = Tally()
    for record in records:
        if not isinstance(record, Canary) and record.device_no:
            step(homes.setdefault(record.home_no, HomeState()), record, tally)
    return {str(home_no): state.to_plain() for home_no, state in homes.items()}


def canonical(states: dict[str, Any]) -> str:
    """One text for one value: names sorted, a home a line."""
    return "\n".join(f"{home} {write_json(_ordered(states[home])).decode()}" for home in sorted(states, key=int))


def parsed(text: str) -> dict[str, Any]:
    """The states of which ``canonical`` made a text."""
    return {home: parse_json(plain.encode()) for home, _, plain in (line.partition(" ") for line in text.splitlines())}


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return value


async def export_state(settings: ScoreSettings, *, as_it_stands: bool = False) -> str:
    """The checkpoint, once it has come as far as score had when asked, or ``as_it_stands``. Raises UnsavedError."""
    sql = load_queries("services.score")
    async with open_pool(settings.database, application="hb-score-export") as pool:
        passed = await pool.fetch(sql["score_watermarks"])
        marks = [row["partition_no"] for row in passed], [row["received_at"] for row in passed]
        try:
            async with asyncio.timeout(_SAVED_WITHIN_S):
                while not as_it_stands and await pool.fetchval(sql["unsaved_partitions"], *marks):
                    await pause(asyncio.Event(), 0.2)
        except TimeoutError as error:
            raise UnsavedError from error
        return canonical(await Checkpoints(pool=pool, sql=sql, partitions=settings.bus.partitions).export())


async def replay_state(settings: ScoreSettings, before: str = "") -> str:
    """An undisturbed replay of the log up to where the checkpoint stands.

    ``before``: what was exported where the log begins, if that is not the beginning of everything.
    """
    async with (
        open_pool(settings.database, application="hb-score-replay") as pool,
        open_bus(settings.bus, pool) as bus,
    ):
        return canonical(replay(await _read_log(pool, bus), parsed(before)))


async def _read_log(pool: Pool, bus: Bus) -> list[UplinkRecord]:
    sql = load_queries("services.score")
    ends = {row["partition_no"]: row["position"] for row in await pool.fetch(sql["all_positions"])}
    await bus.prepare({}, {UPLINKS_JUDGED.name: [_GROUP]})

    firsts = {partition_no: first for partition_no, (first, _) in (await bus.held(UPLINKS_JUDGED.name)).items()}

    async def from_the_start(_partitions: frozenset[int]) -> dict[int, int]:
        return firsts

    subscription = await bus.subscribe(UPLINKS_JUDGED.name, _GROUP, on_assigned=from_the_start)
    records: list[UplinkRecord] = []
    left = {partition_no: position for partition_no, position in ends.items() if position > firsts[partition_no]}
    try:
        async with asyncio.timeout(_READ_WITHIN_S):
            while left:
                for message in await subscription.fetch(most=5000, wait_s=0.5):
                    if message.offset < ends.get(message.partition, 0):
                        records.append(decode_uplink_record(message.value))
                    if message.offset + 1 >= ends.get(message.partition, 0):
                        left.pop(message.partition, None)
    except TimeoutError as error:
        raise ShortLogError from error
    return records
