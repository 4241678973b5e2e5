"""The sealed audit on a real database: who seals, in which order, what a superuser can't do unseen, and upgrades."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import structlog
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.embedded.embedded import Embedded
from schemas.metrics import METRICS
from services.api.__main__ import cli
from services.api.audit_anchors import AnchorFile, DailyAnchor
from services.api.audit_chain import Fault, Flaw
from services.api.audit_sealing import Sealer, audit_queries
from services.api.audit_verification import Verified, verify
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.migrate import load_migrations, migrate
from services.runtime.settings import DatabaseSettings
from tests.conftest import create_database, drop_database

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
APPEND = (
    "insert into audit (happened_at, recorded_at, action, allowed, people, address)"
    " select $1, $1, 'read_person', true, '{7}', '' from generate_series(1, $2) returning audit_no"
)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """All that earlier tests appended has its seal."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        await seal_all(make_sealer(opened))
        yield opened


def make_sealer(pool: Pool, anchors: Path | None = None, clock: FakeClock | None = None) -> Sealer:
    return Sealer(
        pool=pool,
        clock=clock or FakeClock(at_ms=to_ms(NOW)),
        metrics=Metrics(METRICS),
        log=structlog.get_logger(),
        anchors=DailyAnchor(AnchorFile(anchors)) if anchors else None,
    )


async def seal_all(sealer: Sealer) -> int:
    sealed = 0
    while batch := await sealer.round():
        sealed += batch
    return sealed


async def append(on: Pool | asyncpg.Connection, rows: int = 1) -> list[int]:
    return [row["audit_no"] for row in await on.fetch(APPEND, NOW, rows)]


async def look(pool: Pool, anchors: Path | None = None) -> tuple[Verified, list[Flaw]]:
    found: list[Flaw] = []
    file = AnchorFile(anchors) if anchors else None
    done = await verify(pool, file, found.append, lambda _done, _of: None)
    assert done.faults == len(found)
    return done, found


async def numbers_in_order(pool: Pool, rows: list[int]) -> list[int]:
    sealed = await pool.fetch(
        "select row_no from audit.seals where source = 'audit' and row_no = any ($1::bigint[]) order by seal_no", rows
    )
    return [row["row_no"] for row in sealed]


async def as_superuser(pool: Pool, *statements: str) -> None:
    """With triggers off, as nobody but the owner of the server can."""
    async with pool.acquire() as connection, connection.transaction():
        for table, trigger in (("audit", "audit_is_append_only"), ("audit", "awaits_seal")):
            await connection.execute(f"alter table {table} disable trigger {trigger}")
        for statement in statements:
            await connection.execute(statement)
        await connection.execute("alter table audit enable always trigger audit_is_append_only")
        await connection.execute("alter table audit enable trigger awaits_seal")


async def test_rows_are_sealed_in_batches_and_nothing_is_found_wrong(pool: Pool) -> None:
    before, _ = await look(pool)
    rows = await append(pool, 250)
    waiting, found = await look(pool)
    assert (waiting.waiting, waiting.sealed, found) == (250, before.sealed, [])
    sealer = make_sealer(pool)
    assert [await sealer.round() for _ in range(4)] == [100, 100, 50, 0]
    done, found = await look(pool)
    assert (done.waiting, done.sealed, found) == (0, before.sealed + 250, [])
    assert await numbers_in_order(pool, rows) == rows


async def shown(pool: Pool, anchors: Path) -> tuple[float | None, bool]:
    """How many faults a console's metrics show, and whether anybody has looked for them."""
    sealer = make_sealer(pool, anchors)
    await sealer.round()
    value = sealer.metrics.registry.get_sample_value
    return value("hb_api_audit_faults_rows"), value("hb_api_audit_verified_timestamp_seconds") != 0


async def test_changed_deleted_and_inserted_rows_are_each_named(dsn: str, pool: Pool, tmp_path: Path) -> None:
    first, second, third = await append(pool, 3)
    await seal_all(make_sealer(pool))
    await as_superuser(
        pool,
        "create table kept as select * from audit",
        f"update audit set action = 'sign_in', people = '{{}}' where audit_no = {first}",  # noqa: S608 - a number
        f"delete from audit where audit_no = {third}",  # noqa: S608
        "insert into audit (audit_no, happened_at, recorded_at, action, allowed, people, address)"
        " overriding system value values (9999, now(), now(), 'read_person', true, '{}', '')",
    )
    _, found = await look(pool)
    assert [(one.fault, one.row and one.row.row_no, one.columns) for one in found] == [
        (Fault.CHANGED, first, ("action", "people")),
        (Fault.MISSING, third, ()),
        (Fault.ADDED, 9999, ()),
    ]
    environment = {"HB_DB_DSN": dsn, "HB_API_AUDIT_ANCHORS": str(tmp_path)}
    assert await shown(pool, tmp_path) == (0, False)
    ended = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", "verify"], env=environment)
    assert ended.exit_code == 1
    assert await shown(pool, tmp_path) == (3, True)
    assert [line for line in ended.stdout.splitlines() if line.startswith(("changed", "missing", "added"))] == [
        str(one) for one in found
    ]
    await as_superuser(
        pool,
        "delete from audit where audit_no = 9999",
        f"update audit set action = 'read_person', people = '{{7}}' where audit_no = {first}",  # noqa: S608
        f"insert into audit overriding system value select * from kept where audit_no = {third}",  # noqa: S608
        "drop table kept",
    )
    assert second not in [one.row.row_no for one in found if one.row]
    assert (await look(pool))[1] == []
    ended = await asyncio.to_thread(CliRunner().invoke, cli, ["audit", "verify"], env=environment)
    assert (ended.exit_code, await shown(pool, tmp_path)) == (0, (0, True))


async def test_a_row_that_was_deleted_before_its_seal_is_named(pool: Pool) -> None:
    (row,) = await append(pool)
    await as_superuser(pool, f"delete from audit where audit_no = {row}")  # noqa: S608
    _, found = await look(pool)
    assert [(one.fault, one.row and one.row.row_no) for one in found] == [(Fault.MISSING, row)]
    await seal_all(make_sealer(pool))
    done, again = await look(pool)
    assert (done.waiting, [(one.fault, one.row) for one in again]) == (0, [(Fault.MISSING, found[0].row)])
    await as_superuser(pool, *undo_seal(row))


def undo_seal(row: int) -> tuple[str, ...]:
    """So that other tests begin with a whole chain: the newest seal was that row's."""
    return (
        "alter table audit.seals disable trigger seals_are_append_only",
        f"delete from audit.seals where source = 'audit' and row_no = {row}",  # noqa: S608
        "alter table audit.seals enable always trigger seals_are_append_only",
    )


async def test_a_chain_written_anew_by_a_superuser_is_seen_by_its_anchor(pool: Pool, tmp_path: Path) -> None:
    clock = FakeClock(at_ms=to_ms(NOW))
    (row, *_) = await append(pool, 3)
    sealer = make_sealer(pool, tmp_path, clock)
    await seal_all(sealer)
    clock.advance(seconds=timedelta(days=1).total_seconds())
    await append(pool)
    await seal_all(sealer)
    done, found = await look(pool, tmp_path)
    assert (done.anchors, done.agreeing, found) == (2, 2, [])

    await as_superuser(
        pool,
        f"update audit set people = '{{}}' where audit_no = {row}",  # noqa: S608
        "alter table audit.seals disable trigger seals_are_append_only",
        "insert into audit.unsealed select source, row_no, sealed_at from audit.seals",
        "delete from audit.seals",
        "alter table audit.seals enable always trigger seals_are_append_only",
    )
    await seal_all(make_sealer(pool))
    assert (await look(pool))[1] == []
    done, found = await look(pool, tmp_path)
    assert done.agreeing == 0
    assert [one.fault for one in found] == [Fault.REWRITTEN, Fault.REWRITTEN]


async def test_two_sealers_at_once_seal_every_row_once(pool: Pool) -> None:
    rows = await append(pool, 900)

    async def work(sealer: Sealer) -> int:
        sealed = 0
        while await pool.fetchval("select exists (select from audit.unsealed)"):
            sealed += await sealer.round()
        return sealed

    done = await asyncio.gather(*(work(make_sealer(pool)) for _ in range(3)))
    assert sum(done) == 900
    assert sorted(await numbers_in_order(pool, rows)) == rows
    assert (await look(pool))[1] == []


async def test_a_row_that_is_committed_after_a_later_one_was_sealed_gets_the_next_seal(pool: Pool) -> None:
    sealer = make_sealer(pool)
    async with pool.acquire() as slow:
        begun = slow.transaction()
        await begun.start()
        (early,) = await append(slow)
        (late,) = await append(pool)
        assert await seal_all(sealer) == 1
        assert (await look(pool))[1] == []
        await begun.commit()
    (newest,) = await append(pool)
    await seal_all(sealer)
    assert early < late < newest
    assert await numbers_in_order(pool, [early, late, newest]) == [late, early, newest]
    assert (await look(pool))[1] == []


async def test_a_row_that_was_rolled_back_is_nobodys_loss(pool: Pool) -> None:
    async with pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        await append(connection)
        await begun.rollback()
    await append(pool)
    assert await seal_all(make_sealer(pool)) == 1
    assert (await look(pool))[1] == []


async def test_who_appends_does_not_wait_for_a_sealer_in_the_middle_of_its_batch(pool: Pool) -> None:
    await append(pool, 3)
    sql = audit_queries()
    async with pool.acquire() as sealing:
        batch = sealing.transaction()
        await batch.start()
        assert await sealing.fetchval(sql["try_seal_lock"])
        await sealing.execute("delete from audit.unsealed")
        async with asyncio.timeout(2):
            await append(pool)
            assert await make_sealer(pool).round() == 0
        await batch.rollback()
    assert await seal_all(make_sealer(pool)) == 4


@pytest.mark.parametrize("table", ["audit", "audit.seals", "register_changes", "assignments"])
@pytest.mark.parametrize("how", ["update {} set recorded_at = now()", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_nothing_is_rewritten_whoever_asks(pool: Pool, table: str, how: str, role: str) -> None:
    statement = how.format(table).replace("recorded_at", "sealed_at" if table == "audit.seals" else "recorded_at")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"set local session_replication_role = {role}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            async with connection.transaction():
                await connection.execute(statement)


async def test_a_service_that_may_only_insert_appends_and_its_row_waits(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("create role audit_appender nologin")
        await connection.execute("grant usage on schema public to audit_appender")
        await connection.execute("grant insert, select on audit to audit_appender")
        await connection.execute("set local role audit_appender")
        (row,) = await append(connection)
        for forbidden in ("insert into audit.seals select", "delete from audit.unsealed", "delete from audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(forbidden)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute("alter table audit disable trigger awaits_seal")
        await connection.execute("reset role")
        assert await connection.fetchval("select exists (select from audit.unsealed where row_no = $1)", row)
        await connection.execute("drop owned by audit_appender")
        await connection.execute("drop role audit_appender")


async def test_what_must_not_be_rewritten_belongs_to_a_role_that_nobody_is(pool: Pool) -> None:
    owners = await pool.fetch(
        "select relowner::regrole::text as owner, rolcanlogin, rolsuper, exists (select from pg_auth_members"
        " where roleid = pg_roles.oid) as has_members from pg_class join pg_roles on pg_roles.oid = relowner where"
        " pg_class.oid = any ('{audit, register_changes, assignments, audit.seals, audit.unsealed}'::regclass[])"
    )
    assert [tuple(row) for row in owners] == [("hearthbeat_audit", False, False, False)] * 5


async def test_at_stop_what_is_left_is_sealed_and_anchored(pool: Pool, tmp_path: Path) -> None:
    sealer = make_sealer(pool, tmp_path)
    await append(pool)
    await sealer.leave()
    done, found = await look(pool, tmp_path)
    assert (done.waiting, done.anchors, done.agreeing, found) == (0, 1, 1, [])


@pytest.fixture
async def before(embedded: Embedded) -> AsyncIterator[str]:
    """A database of the version before, with rows of every table."""
    address = await create_database(embedded.dsn)
    await migrate(address, [one for one in load_migrations("schemas.sql.migrations") if one.name < "0064"])
    yield address
    await drop_database(embedded.dsn, address)


async def test_an_upgrade_keeps_every_row_and_seals_it(before: str) -> None:
    connection = await asyncpg.connect(before)
    try:
        rows = await append(connection, 5)
        await connection.execute(
            "insert into register_changes (changed_at, recorded_at, changed_by, command, subject, details)"
            """ values (now(), now(), 'me', 'home add', 'x', '{"overlap_h": 24.0, "a": null}')"""
        )
        kept = await connection.fetch("select * from audit order by audit_no")
        await migrate(before, load_migrations("schemas.sql.migrations"))
        assert await connection.fetch("select * from audit order by audit_no") == kept
    finally:
        await connection.close()
    async with open_pool(DatabaseSettings(dsn=SecretStr(before)), application="test") as pool:
        assert await seal_all(make_sealer(pool)) == 6
        assert await numbers_in_order(pool, rows) == rows
        done, found = await look(pool)
        assert (done.sealed, done.waiting, found) == (6, 0, [])
