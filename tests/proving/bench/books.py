"""The books of a load too large for a list of its uplinks: per device and epoch, the database counts distinct items."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import asyncpg

Epoch = tuple[str, int]
"""A device and its epoch."""
ITEMS: Final = 4
"""Readings an uplink of the load."""

_STORED: Final = """
select d.device, r.epoch, count(*) as rows, count(distinct r.seq * 64 + r.item) as items,
       min(r.seq) as first, max(r.seq) as last, min(r.item) as least, max(r.item) as most
from readings r join devices d using (device_no) where r.received_at >= $1 group by 1, 2
"""
_EVENTS: Final = """
select d.device, e.epoch, count(*) as events
from device_events e join devices d using (device_no) where e.received_at >= $1 group by 1, 2
"""
_REJECTED: Final = "select count(*) from rejected where received_at >= $1"
_SETTLED: Final = "select d.device, c.epoch, c.settled from device_settled c join devices d using (device_no)"


class Stored(NamedTuple):
    """What the database holds of an epoch: rows, distinct (seq, item), and the lowest and highest of each."""

    rows: int
    items: int
    first: int
    last: int
    least: int
    most: int


@dataclass(slots=True, kw_only=True)
class Books:
    """Readings, but for ``unsettled``, which is uplinks, and ``lost_events``."""

    published: int = 0
    stored: int = 0
    lost: int = 0
    lost_events: int = 0
    duplicated: int = 0
    unsettled: int = 0
    foreign: int = 0
    rejected: int = 0

    @property
    def balanced(self) -> bool:
        """Nothing lost, nothing twice, nothing that was never published, everything settled, nothing refused."""
        wrong = (self.lost, self.lost_events, self.duplicated, self.unsettled, self.foreign, self.rejected)
        return not any(wrong)


def balance(
    published: Mapping[Epoch, int],
    *,
    stored: Mapping[Epoch, Stored],
    settled: Mapping[Epoch, Iterable[tuple[int, int]]],
    events: Mapping[Epoch, int],
    pressed: Mapping[Epoch, int],
    rejected: int,
) -> Books:
    """Holds the numbers of uplinks ``published`` against what is there.

    An epoch's distinct (seq, item), all within what was published and as many as that, are the published set.
    """
    books = Books(published=ITEMS * sum(published.values()), rejected=rejected)
    for epoch, uplinks in published.items():
        found = stored.get(epoch, Stored(0, 0, 0, -1, 0, ITEMS - 1))
        within = found.first >= 0 and found.last < uplinks and found.least >= 0 and found.most < ITEMS
        books.stored += found.rows
        books.foreign += 0 if within else 1
        books.lost += max(0, ITEMS * uplinks - found.items)
        books.duplicated += found.rows - found.items
        books.lost_events += max(0, pressed.get(epoch, 0) - events.get(epoch, 0))
        books.duplicated += max(0, events.get(epoch, 0) - pressed.get(epoch, 0))
        books.unsettled += uplinks - sum(min(end, uplinks) - first for first, end in settled.get(epoch, ()))
    books.foreign += sum(1 for epoch in stored if epoch not in published)
    return books


async def read_books(dsn: str, summary: Mapping[str, Any], since: Any) -> Books:
    """Holds the generator's ``summary`` against what the database has received ``since`` the load began."""
    published = {(device, epoch): uplinks for device, epoch, uplinks in summary["books"]}
    epochs = {device: epoch for device, epoch, _ in summary["books"]}
    pressed = {(press["device"], epochs[press["device"]]): 1 for press in summary["presses"]}
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_STORED, since)
        events = await connection.fetch(_EVENTS, since)
        rejected = await connection.fetchval(_REJECTED, since)
        cursors = await connection.fetch(_SETTLED)
    finally:
        await connection.close()
    return balance(
        published,
        stored={(row[0], row[1]): Stored(*row[2:]) for row in map(tuple, rows)},
        settled={
            (row["device"], row["epoch"]): [(part.lower, part.upper) for part in row["settled"]] for row in cursors
        },
        events={(row["device"], row["epoch"]): row["events"] for row in events},
        pressed=pressed,
        rejected=rejected,
    )
