"""Lines 16, 17, 27, 30 and 37: the database loses a backend, falls, is slow, is cut off, changes under load."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Final

import asyncpg

from deploy.local import proc
from tests.proving.faults.broker import resident_mb
from tests.proving.faults.kills import answers_again, console_answers
from tests.proving.faults.line import Figures
from tests.proving.faults.proxy import Mode
from tests.proving.faults.stream import streaming
from tests.proving.faults.testbed import Testbed, expect

_MEMORY_MB: Final = 300
_READINGS: Final = "select count(*) from readings"
_BACKENDS: Final = """
select pid, client_port from pg_stat_activity
where application_name = 'hb-store' and state <> 'idle' and datname = current_database()
"""
_TERMINATE: Final = "select pg_terminate_backend($1)"
_UNSETTLED_ROWS: Final = """
select count(*) from readings r join device_settled c using (device_no, epoch) where not c.settled @> r.seq
"""
_STEP_S: Final = 0.05
_HANGS_S: Final = 30.0


@contextmanager
def store_held_after_its_copy(testbed: Testbed) -> Iterator[None]:
    """Store's transaction can't come to its end: its last table is locked, after readings and cursors are written."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(testbed.dsn))
    transaction = connection.transaction()
    loop.run_until_complete(transaction.start())
    loop.run_until_complete(connection.execute("lock table watermarks in exclusive mode"))
    try:
        yield
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # it may have died with the others
            loop.run_until_complete(transaction.rollback())
            loop.run_until_complete(connection.close())
        loop.close()


def backend_killed(testbed: Testbed) -> Figures:
    """Line 16."""
    partial = terminated = 0
    with streaming(testbed) as stream:
        for way in ("terminate", "kill") if testbed.quick else ("terminate", "kill", "terminate", "terminate"):
            with store_held_after_its_copy(testbed):
                testbed.until(lambda: testbed.rows(_BACKENDS), "store is in the middle of a batch")
                time.sleep(0.5)
                backend = testbed.rows(_BACKENDS)[0]
                if way == "terminate":
                    testbed.value(_TERMINATE, backend["pid"])
                else:
                    os.kill(_pid_here(testbed, backend["client_port"]), signal.SIGKILL)
            testbed.stack.process("postgresql").wait_ready()
            _heals(testbed, "store-db")
            terminated += 1
            partial += testbed.value(_UNSETTLED_ROWS)
            time.sleep(1)
    expect(not partial, f"{partial} rows of batches that were never committed")
    return {"backends_ended": terminated, "partial_rows": partial, **stream.figures}


def _pid_here(testbed: Testbed, client_port: int) -> int:
    """The backend of a connection, by the number that it has outside of the database's own numbering."""
    postmaster = testbed.stack.process("postgresql").pid or 0
    return next(
        process.pid
        for process in proc.descendants(postmaster)
        if b"(%d)" % client_port in (proc.PROC / str(process.pid) / "cmdline").read_bytes()
    )


def database_restarted(testbed: Testbed) -> Figures:
    """Line 17."""
    slowest = 0.0
    with streaming(testbed) as stream:
        for _ in range(1 if testbed.quick else 3):
            time.sleep(2)
            server = testbed.stack.process("postgresql")
            os.kill(server.pid or 0, signal.SIGQUIT)
            testbed.until(lambda server=server: not server.alive, "the database is down")  # type: ignore[misc]
            server.start()
            server.wait_ready()
            slowest = max(slowest, answers_again(testbed))
    expect(slowest < 5, f"the console was away for {slowest:.1f} s after the database was up")
    return {"restarts": 1 if testbed.quick else 3, "console_back_after_s": round(slowest, 2), **stream.figures}


_SLOW: Final = """
create function slow_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
create trigger slow_commit after insert or update on device_cursor for each statement execute function slow_commit();
"""
_FAST: Final = "drop trigger slow_commit on device_cursor"
_FORGET: Final = "drop function slow_commit"


def database_slow(testbed: Testbed) -> Figures:
    """Line 27."""
    for statement in _SLOW.strip().split("\n"):
        testbed.rows(statement)
    peak = 0.0
    with streaming(testbed, uplinks_per_s=300) as stream:
        ends = time.monotonic() + (8 if testbed.quick else 20)
        while time.monotonic() < ends:
            peak = max(peak, *(resident_mb(testbed, name) for name in ("ingest", "store")))
            time.sleep(0.5)
        for statement in (_FAST, _FORGET):
            testbed.rows(statement)
    expect(peak < _MEMORY_MB, f"a service grew to {peak:.0f} MB")
    return {"a_commit_took_s": 0.5, "most_mb": round(peak), **stream.figures}


def partitions(testbed: Testbed) -> Figures:
    """Line 30: one after the other, bytes first held back and then swallowed."""
    outage_s = 6 if testbed.quick else 12
    figures: dict[str, object] = {"outage_s": outage_s}
    with streaming(testbed) as stream:
        for name in ("kafka", "store-db", "api-db"):
            for mode in (Mode.HOLD, Mode.SWALLOW):
                testbed.proxies[name].switch(mode)
                if name == "api-db":
                    hung_s = _request_takes(testbed, mode, outage_s)
                    expect(hung_s <= _HANGS_S, f"{name}, {mode}: a request hung for {hung_s:.0f} s")
                else:
                    time.sleep(outage_s)
                testbed.proxies[name].switch(Mode.THROUGH)
                testbed.platform.check_alive()
                healed_s = _heals(testbed, name)
                figures[f"{name}, {mode}"] = f"healed after {healed_s:.1f} s"
                expect(healed_s <= 15, f"{name}, {mode}: healed only after {healed_s:.1f} s")
    testbed.platform.check_alive()
    return {**figures, **stream.figures}


def _request_takes(testbed: Testbed, mode: Mode, outage_s: float) -> float:
    """How long one request takes whose database can't be heard; the outage ends meanwhile where bytes are held."""
    end = Timer(outage_s, testbed.proxies["api-db"].switch, [Mode.THROUGH])
    if mode is Mode.HOLD:
        end.start()
    began = time.monotonic()
    console_answers(testbed, within_s=60)
    return time.monotonic() - began


def _heals(testbed: Testbed, name: str) -> float:
    if name == "api-db":
        return answers_again(testbed, within_s=60)
    stored = testbed.value(_READINGS)
    time.sleep(_STEP_S)
    return testbed.until(lambda: testbed.value(_READINGS) > stored, f"{name}: readings are stored", within_s=60)


_OLDER: Final = "alter table readings add column checked_by_migration integer not null default 0"
_BACK: Final = "alter table readings drop column checked_by_migration"


def schema_changes_under_load(testbed: Testbed) -> Figures:
    """Line 37, small: a column comes and goes while store writes by COPY."""
    with streaming(testbed, uplinks_per_s=200) as stream:
        for _ in range(1 if testbed.quick else 3):
            time.sleep(1.5)
            testbed.rows(_OLDER)
            time.sleep(1.5)
            testbed.rows(_BACK)
    return {"changes": 2 if testbed.quick else 6, **stream.figures}
