"""Per item: published = stored + rejected, nothing twice, every uplink settled."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

Uplink = tuple[str, int, int]
"""Device, epoch, seq."""

WHOLE: Final = -1
_MOST_EXAMPLES: Final = 20

_STORED: Final = """
select d.device, r.epoch, r.seq, array_agg(r.item::int) as items
from {table} r join devices d using (device_no) where r.epoch is distinct from $1::bigint group by 1, 2, 3
"""
_REJECTED: Final = """
select device, epoch, seq, array_agg(item::int) as items, array_agg(reason) as reasons
from rejected where device_no <> 0 group by 1, 2, 3
"""
_DEVICES: Final = "select device from devices join homes using (home_no) where home_id = any ($1::uuid[])"
_SETTLED: Final = "select d.device, c.epoch, c.settled from device_settled c join devices d using (device_no)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the oracle says of one uplink: items are numbered readings first, then events."""

    readings: int
    events: int


@dataclass(slots=True, kw_only=True)
class Tally:
    """Items of one kind."""

    published: int = 0
    stored: int = 0
    rejected: int = 0

    @property
    def balanced(self) -> bool:
        """Whether each was stored or rejected."""
        return self.published == self.stored + self.rejected


@dataclass(slots=True, kw_only=True)
class Accounts:
    """The comparison. The lists hold a few examples; the counters hold all."""

    uplinks: int = 0
    readings: Tally = field(default_factory=Tally)
    events: Tally = field(default_factory=Tally)
    rejected_by_reason: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    unsettled: int = 0
    foreign: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Nothing lost, nothing twice, nothing that was never published, everything settled."""
        sums = self.readings.balanced and self.events.balanced
        return sums and not (self.lost or self.twice or self.unsettled or self.foreign)

    def note(self, what: str, uplink: Uplink) -> None:
        """Keeps an example."""
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"{what}: device {uplink[0]} epoch {uplink[1]} seq {uplink[2]}")


def read_oracle(path: Path) -> dict[Uplink, Published]:
    """What was published, from the simulator's own file."""
    published = {}
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            key = (row["device"], row["epoch"], row["seq"])
            published[key] = Published(readings=row["readings"], events=row["events"])
    return published


async def compare(
    dsn: str, oracle: Mapping[Uplink, Published], homes: Collection[str] | None = None, besides: int | None = None
) -> Accounts:
    """Reads the database and holds it against the oracle; of these homes alone, where somebody added others by hand.

    ``besides``: an epoch that was not published.
    """
    connection = await asyncpg.connect(dsn)
    try:
        readings = await connection.fetch(_STORED.format(table="readings"), besides)
        events = await connection.fetch(_STORED.format(table="device_events"), besides)
        rejected = await connection.fetch(_REJECTED)
        settled = {(row["device"], row["epoch"]): row["settled"] for row in await connection.fetch(_SETTLED)}
        ours = None if homes is None else {row["device"] for row in await connection.fetch(_DEVICES, list(homes))}
    finally:
        await connection.close()
    stored = _items(readings)
    for key, items in _items(events).items():
        stored.setdefault(key, []).extend(items)
    refused = {(row["device"], row["epoch"], row["seq"]): (row["items"], row["reasons"]) for row in rejected}
    if ours is not None:
        stored = {key: items for key, items in stored.items() if key[0] in ours}
        refused = {key: what for key, what in refused.items() if key[0] in ours}
    return balance(oracle, stored=stored, refused=refused, settled=settled)


def balance(
    oracle: Mapping[Uplink, Published],
    *,
    stored: Mapping[Uplink, list[int]],
    refused: Mapping[Uplink, tuple[list[int], list[str]]],
    settled: Mapping[tuple[str, int], Iterable[Any]],
) -> Accounts:
    """Holds items stored, items refused with their reasons, and settled ranges by epoch against the oracle."""
    accounts = Accounts(uplinks=len(oracle))
    for uplink, published in oracle.items():
        _compare_one(accounts, uplink, published, stored.get(uplink, []), *refused.get(uplink, ([], [])))
        if not _holds(settled.get(uplink[:2], ()), uplink[2]):
            accounts.unsettled += 1
            accounts.note("not settled", uplink)
    for uplink in (*stored, *refused):
        if uplink not in oracle:
            accounts.foreign += 1
            accounts.note("never published", uplink)
    return accounts


def _items(rows: Iterable[asyncpg.Record]) -> dict[Uplink, list[int]]:
    return {(row["device"], row["epoch"], row["seq"]): list(row["items"]) for row in rows}


def _compare_one(
    accounts: Accounts, uplink: Uplink, published: Published, stored: list[int], refused: list[int], reasons: list[str]
) -> None:
    total = published.readings + published.events
    accounts.readings.published += published.readings
    accounts.events.published += published.events
    accounts.rejected_by_reason.update(reasons)
    seen = Counter(stored) + Counter(item for item in refused if item != WHOLE)
    # An item beyond those published counts as twice: somebody made it up.
    twice = sum(number - 1 for number in seen.values()) + sum(1 for item in seen if not 0 <= item < total)
    if twice:
        accounts.twice += twice
        accounts.note("twice", uplink)
    held = set(stored)
    # Rejected as a whole means every item that is not stored: its emergencies may be.
    rejected = set(range(total)) - held if WHOLE in refused else set(refused)
    lost = set(range(total)) - held - rejected
    if lost:
        accounts.lost += len(lost)
        accounts.note("lost", uplink)
    for tally, items in (
        (accounts.readings, range(published.readings)),
        (accounts.events, range(published.readings, total)),
    ):
        tally.stored += sum(item in held for item in items)
        tally.rejected += sum(item in rejected and item not in held for item in items)


def _holds(ranges: Iterable[Any], number: int) -> bool:
    return any(part.lower <= number < part.upper for part in ranges)
