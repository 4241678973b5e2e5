"""Goes through the whole audit and says what was changed, taken away or added since it was written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.api.audit_anchors import AnchorFile, in_force
from services.api.audit_chain import SOURCES, Anchor, ChainCheck, Fault, Flaw, RowKey, Seal
from services.api.audit_sealing import audit_queries, read_rows
from services.runtime.database import Pool, Queries, load_queries

AT_ONCE: Final = 1_000
"""Rows in memory at a time."""

_ADDED: Final = {
    "audit": "added_to_audit",
    "register_changes": "added_to_register_changes",
    "assignments": "added_to_assignments",
}
"""The query that says of which rows of a table nobody knew."""

Report = Callable[[Flaw], None]
Progress = Callable[[int, int], None]
"""How many seals were looked at, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at. ``oldest_waiting_at``: of the ``waiting`` rows, real time; ``agreeing``: of the ``anchors``.

    ``lost_anchors`` are of what was lost by restoring a backup. ``newest`` is the last one in force.
    """

    sealed: int
    waiting: int
    oldest_waiting_at: datetime | None
    faults: int
    anchors: int
    agreeing: int
    lost_anchors: int
    newest: Anchor | None


def command_queries() -> Queries:
    """The named queries of verifying and showing, and the sealer's."""
    return {**audit_queries(), **load_queries("services.api", "audit_commands.sql")}


async def verify(pool: Pool, anchors: AnchorFile | None, report: Report, progress: Progress) -> Verified:
    """``report`` hears each fault as it is found. Reads in batches, beside services that go on, and writes nothing.

    Raises AnchorFileError, and what LOST_CONNECTION lists.
    """
    sql = command_queries()
    kept, lost = in_force(anchors.read() if anchors else [])
    faults = 0

    def found(one: Flaw) -> None:
        nonlocal faults
        faults += 1
        report(one)

    chain = await _check_chain(pool, sql, kept, found, progress)
    await _find_added(pool, sql, found)
    for row in await pool.fetch(sql["gone_before_sealed"]):
        key = RowKey(source=row["source"], row_no=row["row_no"])
        found(Flaw(fault=Fault.MISSING, row=key, detail="not sealed yet"))
    waiting = await pool.fetchrow(sql["waiting"])
    assert waiting is not None  # noqa: S101 - an aggregate has a row
    return Verified(
        sealed=chain.sealed,
        waiting=waiting["rows"],
        oldest_waiting_at=waiting["oldest_at"],
        faults=faults,
        anchors=len(kept),
        agreeing=chain.agreeing,
        lost_anchors=len(lost),
        newest=max(kept, key=lambda one: one.written_at, default=None),
    )


async def _check_chain(
    pool: Pool, sql: Queries, anchors: list[Anchor], found: Report, progress: Progress
) -> ChainCheck:
    """Up to where the chain ends now; what is sealed meanwhile is looked at the next time."""
    check = ChainCheck(anchors)
    newest = await pool.fetchrow(sql["newest_seal"])
    last = newest["seal_no"] if newest else 0
    after = 0
    while rows := await pool.fetch(sql["seals_after"], after, last, AT_ONCE):
        seals = [
            Seal(
                seal_no=row["seal_no"],
                row=RowKey(source=row["source"], row_no=row["row_no"]),
                sealed_at=row["sealed_at"],
                marks=row["marks"],
                seal=row["seal"],
            )
            for row in rows
        ]
        said = await read_rows(pool, sql, [one.row for one in seals])
        for seal in seals:
            for one in check.take(seal, said.get(seal.row)):
                found(one)
        after = seals[-1].seal_no
        progress(check.sealed, last)
    for one in check.end():
        found(one)
    return check


async def _find_added(pool: Pool, sql: Queries, found: Report) -> None:
    """Each batch is one statement: it sees a row either wait or have its seal, also while it is just being sealed."""
    for source in SOURCES:
        after = 0
        while rows := await pool.fetch(sql[_ADDED[source.name]], after, AT_ONCE):
            for row in rows:
                if row["added"]:
                    found(Flaw(fault=Fault.ADDED, row=RowKey(source=source.name, row_no=row["row_no"])))
            after = rows[-1]["row_no"]
