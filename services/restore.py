"""After a database was restored or failed over: `python -m services.restore`, with the services stopped."""

import asyncio
import getpass
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.bus_access import RESTORE_GROUP
from schemas.codec import decode_settled, encode_settled
from schemas.messages import Ack
from schemas.records import SettledRecord
from schemas.topics import UPLINKS_JUDGED, UPLINKS_SETTLED
from services.api.audit_anchors import AnchorFile, AuditSettings, Why
from services.api.audit_sealing import audit_queries, newest_anchor
from services.api.register_changes import write_change
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus, Record
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, load_queries, open_pool, transaction
from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, database_for_tools
from services.runtime.starting import begin
from services.score.checkpoint import Checkpoints
from services.score.consumer import GROUP as SCORE
from services.store.core import Cursor
from services.store.path import GROUP as STORE

_NUMBERS_SKIPPED: Final = 100_000
_AT_ONCE: Final = 2_000
_READ_WITHIN_S: Final = 600.0
Positions = dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done. ``beyond_log``: records that neither the database nor the log has; devices send them again."""

    generation: int
    read_again: int
    beyond_log: int
    asked_again: int


async def restore(
    database: DatabaseSettings, bus_settings: BusSettings, clock: Clock, *, by: str = "", anchors: Path | None = None
) -> Restored:
    """Makes a restored database the platform's. Twice is as good as once.

    That it was restored stands in ``register_changes``, with ``by`` as who did that, and where the chain of audit seals
    now ends in the file of ``anchors``: what it had beyond is gone, and that is known.

    The groups move back before the generation rises. In between, store still refuses to write, so a
    crash there does no harm. Score begins at its checkpoint, but its group is moved as well: Kafka
    looks at the group's offset first, and one that the log no longer holds would end score.
    Raises RetryLaterError: run it again.
    """
    sql = load_queries("services", "restore.sql")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(database, application="hb-restore"))
        bus = await stack.enter_async_context(open_bus(bus_settings, pool))
        held = await bus.held(UPLINKS_JUDGED.name)
        rows = {row["partition_no"]: row for row in await pool.fetch(sql["positions"])}
        known = {number: (rows[number]["store"] or 0) if number in rows else 0 for number in held}
        store = starts(known, held)
        scored = {number: row["score"] for number, row in rows.items() if row["score"] is not None}
        jumps = {number: start for number, start in starts(scored, held).items() if start != scored[number]}
        await bus.move(UPLINKS_JUDGED.name, STORE, store)
        await bus.move(UPLINKS_JUDGED.name, SCORE, starts(dict.fromkeys(held, 0) | scored, held))
        checkpoints = Checkpoints(pool=pool, sql=load_queries("services.score"), partitions=bus.partitions)
        async with transaction(pool) as connection:
            generation = await _take_over(connection, sql, clock, store)
            now = to_datetime(clock.now_ms())
            await write_change(connection, now, by, "restore", "platform", {"generation": generation})
            if anchors is not None:
                end = await newest_anchor(connection, audit_queries(), now)
                await asyncio.to_thread(AnchorFile(anchors).append, end, Why.RESTORED)
            for number, start in sorted(jumps.items()):
                await checkpoints.jump(connection, number, start)
        asked_again = await _publish_acks(pool, sql, bus, generation) + await _publish_for_unknown_epochs(
            pool, sql, bus, generation
        )
    return Restored(
        generation=generation,
        read_again=sum(held[number][1] - start for number, start in store.items()),
        beyond_log=sum(max(0, store[number] - known[number]) for number in held),
        asked_again=asked_again,
    )


def starts(known: Mapping[int, int], held: Mapping[int, tuple[int, int]]) -> Positions:
    """Where to go on in each partition: at the position that the database knows, if the log has it; else at its start.

    A position beyond the end belongs to a log that is gone.
    """
    return {
        number: position if held[number][0] <= position <= held[number][1] else held[number][0]
        for number, position in known.items()
        if number in held
    }


async def _take_over(connection: Connection, sql: Queries, clock: Clock, store: Positions) -> int:
    now_s, platform_now = int(time.time()), to_datetime(clock.now_ms())
    generation: int = await connection.fetchval(sql["raise_generation"], now_s, platform_now)
    await connection.executemany(sql["set_store_position"], sorted(store.items()))
    await connection.execute(sql["end_sessions"])
    await connection.execute(sql["doubt_notifications"])
    await connection.execute(sql["doubt_lists"])
    await connection.fetch(sql["skip_numbers"], _NUMBERS_SKIPPED)
    return generation


async def _publish_acks(pool: Pool, sql: Queries, bus: Bus, generation: int) -> int:
    """A settled record for every cursor, so that every device hears at once what it has to send again."""
    rows = await pool.fetch(sql["cursors"])
    for first in range(0, len(rows), _AT_ONCE):
        cursors = [
            Cursor(
                device_no=row["device_no"],
                epoch=row["epoch"],
                settled=[(part.lower, part.upper) for part in row["settled"]],
                floor=row["floor"],
                rejected=[(seq, item, reason) for seq, item, reason in row["rejected"]],
                device=row["device"],
                shard=row["shard"],
            )
            for row in rows[first : first + _AT_ONCE]
        ]
        records = [Record(one.device.encode(), encode_settled(one.settled_record(generation))) for one in cursors]
        await bus.append(UPLINKS_SETTLED.name, records)
    return len(rows)


async def _publish_for_unknown_epochs(pool: Pool, sql: Queries, bus: Bus, generation: int) -> int:
    """Outboxes that were first heard after the backup: the restored rows know nothing of them, but the acks do.

    Without that a device that seldom measures would hear of the restore only with its next uplink.
    """
    known = {(row["device"], row["epoch"]) for row in await pool.fetch(sql["cursors"])}
    shards = {row["device"]: row["shard"] for row in await pool.fetch(sql["devices"])}
    unknown = [one for one in await _acknowledged(bus) if one not in known and one[0] in shards]
    records = []
    for device, epoch in unknown:
        ack = Ack(generation=generation, epoch=epoch, upto=-1, gaps=(), rejected=())
        settled = SettledRecord(device=device, shard=shards[device], ack=ack)
        records.append(Record(device.encode(), encode_settled(settled)))
    for first in range(0, len(records), _AT_ONCE):
        await bus.append(UPLINKS_SETTLED.name, records[first : first + _AT_ONCE])
    return len(records)


async def _acknowledged(bus: Bus) -> dict[tuple[str, int], None]:
    """Device and epoch of every ack that the log still has, in order."""
    topic = UPLINKS_SETTLED.name
    held = await bus.held(topic)
    # Makes the group's first offsets; moving them back lets a second run read everything again.
    await bus.prepare({}, {topic: (RESTORE_GROUP,)})
    await bus.move(topic, RESTORE_GROUP, {number: first for number, (first, _) in held.items()})
    subscription = await bus.subscribe(topic, RESTORE_GROUP)
    left = {number: end for number, (first, end) in held.items() if end > first}
    found: dict[tuple[str, int], None] = {}
    async with asyncio.timeout(_READ_WITHIN_S):
        while left:
            for message in await subscription.fetch(most=5_000, wait_s=0.5):
                one = decode_settled(message.value)
                # To the end: of two epochs of a device, the newer one has to be acknowledged last.
                found.pop((one.device, one.ack.epoch), None)
                found[one.device, one.ack.epoch] = None
                if message.offset + 1 >= left.get(message.partition, 0):
                    left.pop(message.partition, None)
    return found


def main() -> None:
    """Says what it did."""
    try:
        by = getpass.getuser()
    except (OSError, KeyError):
        by = ""
    settings = database_for_tools(), BusSettings(), ClockSettings().clock()
    done = asyncio.run(restore(*settings, by=by, anchors=AuditSettings().anchors))
    sys.stdout.write(
        f"generation {done.generation}; {done.asked_again} outboxes asked to send again; "
        f"{done.read_again} records of the log to read again; "
        f"{done.beyond_log} are in no log any more, devices send what they held\n"
    )


if __name__ == "__main__":
    begin(main)
