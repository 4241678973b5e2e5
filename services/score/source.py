"""Stored rows as records again, in one canonical order: the same step runs on them, and finds the same.

For looks back at what came late, for back-tests, for explanations. A record of stored rows has what rules see: items,
flags, both times, the type of the device. It does not have what was rejected, nor what the device said of its outbox.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from services.runtime.database import Connection, Pool, Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A reading or an event with the uplink that it came in. Times in ms."""

    received_at: int
    device_no: int
    epoch: int
    seq: int
    device: str
    device_type: str
    home_no: int
    shard: int
    item: JudgedReading | JudgedEvent


_UPLINK = attrgetter("received_at", "device_no", "epoch", "seq")


def records_of(items: Iterable[StoredItem]) -> list[JudgedUplink]:
    """Uplinks in the order of reception; of those of one millisecond, by device, epoch and number."""
    records = []
    for _, together in groupby(sorted(items, key=_UPLINK), key=_UPLINK):
        found = sorted(together, key=lambda one: one.item.item)
        first, kind = found[0], DEVICE_TYPE_BY_CODE.get(found[0].device_type)
        records.append(
            JudgedUplink(
                device_no=first.device_no,
                device=first.device,
                home_no=first.home_no,
                shard=first.shard,
                epoch=first.epoch,
                seq=first.seq,
                oldest=0,
                sent_at=first.received_at,
                received_at=first.received_at,
                readings=tuple(one.item for one in found if isinstance(one.item, JudgedReading)),
                events=tuple(one.item for one in found if isinstance(one.item, JudgedEvent)),
                device_type=kind.number if kind else 0,
            )
        )
    return records


async def read_records(
    pool: Pool | Connection,
    sql: Queries,
    people: Sequence[int],
    since: datetime,
    until: datetime,
    received_by: datetime,
) -> list[JudgedUplink]:
    """What is stored of ``people``, observed from ``since`` up to before ``until`` and received by ``received_by``."""
    asked = (people, since, until, received_by)
    readings = [stored_reading(row) for row in await pool.fetch(sql["stored_readings"], *asked)]
    events = [stored_event(row) for row in await pool.fetch(sql["stored_events"], *asked)]
    return records_of([*readings, *events])


async def read_events(
    pool: Pool | Connection,
    sql: Queries,
    people: Sequence[int],
    since: datetime,
    until: datetime,
    received_by: datetime,
) -> list[JudgedUplink]:
    """The same of events alone."""
    rows = await pool.fetch(sql["stored_events"], people, since, until, received_by)
    return records_of(map(stored_event, rows))


def _stored(row: Any, item: JudgedReading | JudgedEvent) -> StoredItem:
    return StoredItem(
        received_at=row["received_ms"],
        device_no=row["device_no"],
        epoch=row["epoch"],
        seq=row["seq"],
        device=row["device"],
        device_type=row["device_type"],
        home_no=row["home_no"],
        shard=row["shard"],
        item=item,
    )


def stored_reading(row: Any) -> StoredItem:
    """A row of ``stored_readings``."""
    return _stored(
        row,
        JudgedReading(row["item"], row["person_no"], row["vital"], row["value"], row["observed_ms"], row["flags"]),
    )


def stored_event(row: Any) -> StoredItem:
    """A row of ``stored_events``."""
    return _stored(
        row,
        JudgedEvent(row["item"], row["person_no"], row["kind"], row["observed_ms"], row["flags"], row["details"]),
    )
