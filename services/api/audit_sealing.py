"""Seals the rows of the audit, in small batches, behind those who append them; nobody waits for it."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from services.api.audit_anchors import AnchorFileError, DailyAnchor, Why
from services.api.audit_chain import ORIGIN, SOURCE_BY_NAME, Anchor, RowKey, Seal, extend
from services.api.audit_result import read_result
from services.runtime.clock import Clock, WallClock, to_datetime
from services.runtime.database import LOST_CONNECTION, Connection, Pool, Queries, load_queries, transaction
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds

AT_ONCE: Final = 100
"""Rows a batch: their hashes hold the event loop up for about three milliseconds."""
EVERY_S: Final = 2.0
"""Real seconds between looks when nothing waits."""
_LOOKS_AT_QUEUE_S: Final = 5.0
_ANCHORS_AGAIN_S: Final = 60.0

Values = Sequence[Any]
_ROWS: Final = {
    "audit": "rows_of_audit",
    "register_changes": "rows_of_register_changes",
    "assignments": "rows_of_assignments",
}
"""The query that reads rows of a table by their numbers."""


def audit_queries() -> Queries:
    """The named queries of the sealer."""
    return load_queries("services.api", "audit.sql")


async def read_rows(on: Pool | Connection, sql: Queries, keys: Sequence[RowKey]) -> dict[RowKey, Values]:
    """What the rows say that are there, in the order of their columns."""
    found: dict[RowKey, Values] = {}
    for source in SOURCE_BY_NAME.values():
        numbers = [key.row_no for key in keys if key.source == source.name]
        if not numbers:
            continue
        for row in await on.fetch(sql[_ROWS[source.name]], numbers):
            key = RowKey(source=source.name, row_no=row["row_no"])
            found[key] = [row[column] for column in source.columns]
    return found


async def newest_anchor(on: Pool | Connection, sql: Queries, now: datetime) -> Anchor:
    """The end of the chain, as an anchor of platform time ``now``; of an empty one seal 0."""
    row = await on.fetchrow(sql["newest_seal"])
    return Anchor(seal_no=row["seal_no"] if row else 0, seal=row["seal"] if row else ORIGIN, written_at=now)


async def keep_sealing(sealer: "Sealer", stop: asyncio.Event) -> None:
    """Until ``stop``; then what is left, and the last anchor."""
    # Real time: what is appended has to be sealed soon, however fast platform time runs.
    await do_rounds(sealer.round, stop, every_s=EVERY_S, clock=WallClock(), log=sealer.log, metrics=sealer.metrics)
    await sealer.leave()


@dataclass(slots=True, kw_only=True)
class Sealer:
    """Of several, one seals at a time: it holds a lock until its batch is committed, and the others find nothing to do.

    ``pool`` is its own, so that no request waits for a connection of its. Without ``anchors`` none are written.
    """

    pool: Pool
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    anchors: DailyAnchor | None = None
    sql: Queries = field(default_factory=audit_queries)
    _anchors_again_s: float = 0.0
    _looked_at_queue_s: float = 0.0

    async def round(self) -> int:
        """Seals a batch; gives how many rows it had. Raises what LOST_CONNECTION lists."""
        sealed = await self._seal()
        await self._anchor(Why.DAY)
        if time.monotonic() - self._looked_at_queue_s >= _LOOKS_AT_QUEUE_S:
            self._looked_at_queue_s = time.monotonic()
            await self._show_queue()
        return sealed

    async def leave(self) -> None:
        """At stop: seals what it can, and writes an anchor if the chain has grown since the last one."""
        with suppress(*LOST_CONNECTION):
            await self._seal()
            await self._anchor(Why.STOP)

    async def _seal(self) -> int:
        # Mostly there is nothing: one question then, and no transaction.
        if not await self.pool.fetchval(self.sql["somebody_waits"]):
            return 0
        async with transaction(self.pool) as connection:
            if not await connection.fetchval(self.sql["try_seal_lock"]):
                return 0
            rows = await connection.fetch(self.sql["unsealed"], AT_ONCE)
            if not rows:
                return 0
            keys = [RowKey(source=row["source"], row_no=row["row_no"]) for row in rows]
            said = await read_rows(connection, self.sql, keys)
            end = await newest_anchor(connection, self.sql, self._now())
            sealed_at = datetime.now(UTC)
            seals = extend(end.seal_no, end.seal, [(key, said.get(key)) for key in keys], sealed_at)
            await self._append(connection, seals, sealed_at)
        self.metrics.count("hb_api_audit_sealed_total", len(seals))
        if gone := [str(key) for key in keys if key not in said]:
            self.log.error("audit rows gone before they were sealed", rows=gone)
        return len(seals)

    async def _append(self, connection: Connection, seals: Sequence[Seal], sealed_at: datetime) -> None:
        sources, numbers = [one.row.source for one in seals], [one.row.row_no for one in seals]
        await connection.execute(
            self.sql["append_seals"],
            [one.seal_no for one in seals],
            sources,
            numbers,
            sealed_at,
            [one.marks for one in seals],
            [one.seal for one in seals],
        )
        await connection.execute(self.sql["drop_unsealed"], sources, numbers)

    async def _anchor(self, why: Why) -> None:
        if self.anchors is None or time.monotonic() < self._anchors_again_s:
            return
        if why is Why.DAY and not self.anchors.is_due(self._now().date()):
            return
        anchor = await newest_anchor(self.pool, self.sql, self._now())
        try:
            written = await asyncio.to_thread(self.anchors.keep, anchor, why)
        except (OSError, AnchorFileError) as error:
            # Sealing goes on, and the chain is anchored later.
            self._anchors_again_s = time.monotonic() + _ANCHORS_AGAIN_S
            self.metrics.count("hb_api_audit_anchors_total", outcome="failed")
            self.log.warning("no audit anchor", error=type(error).__name__)
            return
        if written:
            self.metrics.count("hb_api_audit_anchors_total", outcome="written")

    async def _show_queue(self) -> None:
        row = await self.pool.fetchrow(self.sql["waiting"])
        assert row is not None  # noqa: S101 - an aggregate has a row
        waits_s = (datetime.now(UTC) - row["oldest_at"]).total_seconds() if row["oldest_at"] else 0.0
        self.metrics.set("hb_api_audit_unsealed_rows", row["rows"])
        self.metrics.set("hb_api_audit_unsealed_seconds", max(0.0, waits_s))
        if self.anchors is None:
            return
        result = await asyncio.to_thread(read_result, self.anchors.file.directory)
        self.metrics.set("hb_api_audit_verified_timestamp_seconds", result.verified_at.timestamp() if result else 0)
        self.metrics.set("hb_api_audit_faults_rows", result.faults if result else 0)

    def _now(self) -> datetime:
        return to_datetime(self.clock.now_ms())
