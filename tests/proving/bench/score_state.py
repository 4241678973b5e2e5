"""The phase that weighs score's state: bytes a person, bytes of WAL a reading, and how much log a restart reads."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from deploy.local.limits import open_files
from tests.proving.bench.bench import Bench
from tests.proving.bench.phases import OTHER_FILES

_FILL_PER_S: Final = 4_000
_FILL_S: Final = 165
"""By then everybody's windows are as full as they ever are: 64 samples of a vital."""
_WEIGH_PER_S: Final = 1_000
"""A person measures every ten seconds: seldomer than the checkpoint is written, so each writing serves one uplink."""
_WEIGH_S: Final = 40
_TABLES: Final = (
    "score_state", "score_days", "score_positions", "findings", "shadow_findings", "fall_checks", "sos_calls",
    "silences", "silence_watch", "watermarks", "news2_evaluations",
    "look_backs", "seen_episodes", "asks", "coverage", "held_readings",
)  # fmt: skip
"""Store writes its own rows of ``watermarks``: they count with score's."""
_STATE: Final = """
select coalesce(sum(octet_length(state::text)), 0)::bigint as bytes,
       coalesce(sum((select count(*) from json_object_keys(state -> 'subjects') as who where who <> '0')), 0)::bigint
           as people
from score_state
"""
_WAL: Final = """
with parts as (
    select unnest(array[c.oid, c.reltoastrelid]) as oid from pg_class c
    where c.relname = any ($1::text[]) and c.relnamespace = 'public'::regnamespace
), relations as (
    select oid from parts union select indexrelid from pg_index where indrelid in (select oid from parts)
), records as (
    select distinct on (start_lsn) relfilenode, record_length
    from pg_get_wal_block_info($2::text::pg_lsn, $3::text::pg_lsn)
)
select coalesce(sum(record_length), 0)::bigint from records
where relfilenode in (select pg_relation_filenode(oid) from relations where oid <> 0)
"""
_READINGS: Final = "select count(*) from readings where received_at >= $1 and received_at < $2"
_UNREAD_S: Final = """
select coalesce(max(extract(epoch from w.received_at - p.passed_at)), 0)::float8
from score_positions p
join (
    select partition_no, max(received_at) as received_at from watermarks where consumer = 'score' group by partition_no
) as w using (partition_no)
"""


def state(bench: Bench) -> dict[str, Any]:
    """Ten thousand people whose windows are full; then each of them measures every ten seconds."""
    bench.register(min(bench.options.state_people, open_files() - OTHER_FILES))
    bench.load(_FILL_PER_S, _FILL_S, what="state: filling everybody's windows")
    dsn, seen = bench.platform.stack.dsn, dict[str, Any]()

    def weigh() -> None:
        seen.update(asyncio.run(_weigh(dsn, _WEIGH_S)))

    done = bench.load(_WEIGH_PER_S, _WEIGH_S, what="state: weighing", during=weigh)
    return done.described() | seen


async def _weigh(dsn: str, seconds: float) -> dict[str, Any]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("create extension if not exists pg_walinspect")
        first, began_at = await _where(connection), datetime.now(UTC)
        unread, ends_at = 0.0, time.monotonic() + seconds
        while time.monotonic() < ends_at:
            unread = max(unread, await connection.fetchval(_UNREAD_S))
            await asyncio.sleep(0.5)
        last, ended_at = await _where(connection), datetime.now(UTC)
        wal = await connection.fetchval(_WAL, list(_TABLES), first, last)
        readings = max(1, await connection.fetchval(_READINGS, began_at, ended_at))
        (row,) = await connection.fetch(_STATE)
    finally:
        await connection.close()
    return {
        "people": row["people"],
        "fast_state_bytes_a_person": row["bytes"] / max(1, row["people"]),
        "readings": readings,
        "wal_bytes_a_reading": wal / readings,
        "restart_reads_s": unread,
    }


async def _where(connection: "asyncpg.Connection[asyncpg.Record]") -> str:
    return str(await connection.fetchval("select pg_current_wal_insert_lsn()::text"))
