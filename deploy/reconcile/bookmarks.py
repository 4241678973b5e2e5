"""What the platform notes about itself must be true: checkpoints, acks, sent notifications, times of reception."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

_CURSORS: Final = """
select distinct on (c.device_no) d.device, c.epoch, c.floor, c.settled
from device_settled c join devices d using (device_no)
order by c.device_no, c.last_received_at desc
"""
_CHECKPOINT: Final = "select min(coalesce(passed_at, to_timestamp(0))) from score_positions"
_SENT: Final = """
select alert_id || '.' || step || '.' || doctor_no || '.' || channel as key
from notifications where state = 'sent' and channel = 'email'
"""
_OUTSIDE: Final = """
select count(*) from (
    select received_at from readings union all
    select received_at from device_events union all
    select received_at from rejected
) as row where not received_at between $1 and $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What may be acknowledged of a device: the epoch heard last, and the last number of the run from 0."""

    epoch: int
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmarks:
    """As the database has them. ``checkpoint_at`` is the oldest partition's, platform time."""

    settled: Mapping[str, Settled]
    checkpoint_at: datetime
    sent: frozenset[str]
    received_outside: int


async def load(dsn: str, *, start: datetime, end: datetime) -> Bookmarks:
    """Reads them; ``start`` and ``end`` are the platform times between which everything was received."""
    connection = await asyncpg.connect(dsn)
    try:
        return Bookmarks(
            settled={
                row["device"]: Settled(epoch=row["epoch"], upto=upto_of(row["settled"], row["floor"]))
                for row in await connection.fetch(_CURSORS)
            },
            checkpoint_at=await connection.fetchval(_CHECKPOINT),
            sent=frozenset(row["key"] for row in await connection.fetch(_SENT)),
            received_outside=await connection.fetchval(_OUTSIDE, start, end),
        )
    finally:
        await connection.close()


def upto_of(settled: Collection[Any], floor: int) -> int:
    """The last number of the run from 0 of what is settled or given up; -1 where there is none."""
    end = floor
    for part in sorted(settled, key=lambda one: one.lower):
        if part.lower > end:
            break
        end = max(end, part.upper)
    return end - 1


def wrongly_acknowledged(settled: Mapping[str, Settled], acks: Mapping[str, Settled], *, all_kept: bool) -> list[str]:
    """I4: no ack is ahead of the database. ``all_kept``: the broker lost none, so each must be level with it."""
    wrong = []
    for device, here in settled.items():
        ack = acks.get(device)
        if ack is None:
            if all_kept:
                wrong.append(f"{device}: no ack is retained")
        # An ack that lags is no fault where the broker may have lost the newest one.
        elif ack.epoch == here.epoch and (ack.upto > here.upto or (all_kept and ack.upto < here.upto)):
            wrong.append(f"{device}: acknowledged up to {ack.upto}, settled up to {here.upto}")
        elif all_kept and ack.epoch != here.epoch:
            wrong.append(f"{device}: the ack is of another epoch")
    return wrong
