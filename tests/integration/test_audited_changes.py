"""What stands in the audit besides what doctors do, that the console seals it, and who looked at whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from schemas.registry import Doctor, Register
from services.api import audit_sealing
from services.api.__main__ import cli
from services.api.audit_anchors import AnchorFile, Why
from services.api.audit_sealing import audit_queries
from services.api.password_resets import make_link
from services.api.passwords import set_password
from services.api.registration import register
from services.prepare import prepare
from services.restore import restore
from services.runtime.settings import BusSettings, DatabaseSettings
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    NOW,
    PASSWORD,
    UNREGISTERED,
    Practice,
    browsing,
    open_practice,
    serving,
    token_in,
)


@pytest.fixture
async def practice(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Practice]:
    monkeypatch.setattr(audit_sealing, "EVERY_S", 0.05)
    async with open_practice(dsn) as opened:
        yield opened


async def changes(practice: Practice, command: str) -> list[tuple[str, str, dict[str, object]]]:
    rows = await practice.pool.fetch(
        "select changed_by, subject, details from register_changes where command = $1 order by change_no", command
    )
    return [tuple(row) for row in rows]


async def audit_command(dsn: str, *arguments: str, **environment: str) -> Result:
    wanted = {"HB_DB_DSN": dsn, **environment}
    return await asyncio.to_thread(CliRunner().invoke, cli, ["audit", *arguments], env=wanted)


async def test_failed_sign_ins_say_whose_account_was_tried_and_nothing_of_one_that_there_is_not(
    practice: Practice,
) -> None:
    newest = await practice.pool.fetchval("select coalesce(max(audit_no), 0) from audit")
    async with browsing(practice.address, None) as client:
        token = token_in((await client.get("/sign-in")).text)
        for email in (*[UNREGISTERED.upper()] * 6, "my secret pass phrase"):
            form = {"csrf": token, "email": email, "password": "wrong wrong wrong"}
            assert (await client.post("/sign-in", data=form)).status_code in {401, 429}
    rows = await practice.pool.fetch(
        "select email, allowed, action, address from audit left join doctors using (doctor_no)"
        " where audit_no > $1 order by audit_no",
        newest,
    )
    tried = (UNREGISTERED, False, "sign_in", "127.0.0.1")
    assert [tuple(row) for row in rows] == [*[tried] * 6, (None, *tried[1:])]


async def test_a_new_password_is_written_down_without_it(practice: Practice) -> None:
    await set_password(practice.pool, f" {DOCTOR.upper()}", PASSWORD, by="the administrator", now=NOW)
    assert (await changes(practice, "doctor password"))[-1] == ("the administrator", DOCTOR, {})


async def test_whose_care_began_and_ended_is_written_down_by_whichever_way(practice: Practice) -> None:
    email = f"{uuid4().hex[:8]}@example.org"
    wanted = Doctor(email=email, name="Dr. New", people=(practice.world.ruth, practice.world.karl))
    await register(practice.pool, Register(doctors=(wanted,)), NOW - timedelta(days=2))
    fewer = wanted.model_copy(update={"people": (practice.world.karl,)})
    await register(practice.pool, Register(doctors=(fewer,)), NOW - timedelta(days=1))
    began = [one[1:] for one in await changes(practice, "care began") if one[1] == email]
    ended = [one[1:] for one in await changes(practice, "care ended") if one[1] == email]
    assert began == [(email, {"people": sorted(map(str, wanted.people))})]
    assert ended == [(email, {"people": [str(practice.world.ruth)]})]


async def test_a_restore_is_written_down_and_anchors_of_before_are_not_missed(
    dsn: str, practice: Practice, tmp_path: Path
) -> None:
    settings = DatabaseSettings(dsn=SecretStr(dsn)), BusSettings(kind="postgres", partitions=1)
    await prepare(*settings)
    number = await practice.pool.fetchval("select doctor_no from doctors where email = $1", DOCTOR)
    await practice.pool.execute("insert into pending_sign_ins values ('p', $1, 1, now() + interval '1 hour')", number)
    await make_link(practice.pool, DOCTOR, by="me", now=NOW)
    done = await restore(*settings, practice.clock, by="me", anchors=tmp_path)
    assert (await changes(practice, "restore"))[-1] == ("me", "platform", {"generation": done.generation})
    assert not await practice.pool.fetchval(
        "select exists (select from pending_sign_ins) or exists (select from password_resets)"
    )
    (line,) = (tmp_path / "audit-anchors.jsonl").read_text().splitlines()
    assert '"why": "restored"' in line


async def test_who_looked_at_a_person_is_shown_newest_first_and_that_it_was_asked_for_is_kept(
    dsn: str, practice: Practice
) -> None:
    async with browsing(practice.address) as client:
        await client.get(f"/people/{practice.world.ruth}")
    async with browsing(practice.address, UNREGISTERED) as client:
        await client.get(f"/people/{practice.world.ruth}")
    shown = await audit_command(dsn, "show", str(practice.world.ruth))
    assert shown.exit_code == 0, shown.output
    lines = [line.split("\t") for line in shown.stdout.splitlines()]
    at = f"{NOW:%Y-%m-%d %H:%M:%S}"
    assert lines[:2] == [[at, UNREGISTERED, "read_person", "refused"], [at, DOCTOR, "read_person"]]
    assert lines == sorted(lines, key=lambda line: line[0], reverse=True)
    assert [line[2] for line in lines if line[2].startswith("care")] == [
        *(f"care ended {FORMER}", f"care began {FORMER}", f"care began {DOCTOR}")
    ]
    assert "127.0.0.1" not in shown.stdout
    again = await audit_command(dsn, "show", str(practice.world.ruth), "--most", "1")
    assert again.stdout.count("audit show") == 1
    nobody = await audit_command(dsn, "show", str(uuid4()))
    assert (nobody.exit_code, "no person" in nobody.stderr) == (1, True)


async def test_the_console_seals_by_itself_and_the_command_finds_nothing_wrong(dsn: str, practice: Practice) -> None:
    async with browsing(practice.address) as client:
        await client.get(f"/people/{practice.world.ruth}")
    async with asyncio.timeout(10):
        while await practice.pool.fetchval("select exists (select from audit.unsealed)"):
            await asyncio.sleep(0.02)
    ended = await audit_command(dsn, "verify")
    assert (ended.exit_code, "Nothing was changed" in ended.stdout) == (0, True), ended.output


async def test_a_console_anchors_the_audit_while_it_runs_and_when_it_stops(
    dsn: str, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HB_API_AUDIT_ANCHORS", str(tmp_path))
    file = AnchorFile(tmp_path)
    async with serving(dsn, practice.clock) as address:
        async with asyncio.timeout(10):
            while not file.read():
                await asyncio.sleep(0.02)
        async with browsing(address) as client:
            await client.get(f"/people/{practice.world.ruth}")
    assert [why for _, why in file.read()] == [Why.DAY, Why.STOP]
    assert "2 of 2 anchors agree" in (await audit_command(dsn, "verify", HB_API_AUDIT_ANCHORS=str(tmp_path))).stdout


async def test_a_request_does_not_wait_for_a_sealer_in_the_middle_of_its_batch(practice: Practice) -> None:
    async with browsing(practice.address) as client, practice.pool.acquire() as sealing:
        batch = sealing.transaction()
        await batch.start()
        await sealing.execute("select pg_advisory_xact_lock(7001073)")
        await sealing.execute("delete from audit.unsealed")
        assert not await practice.pool.fetchval(audit_queries()["try_seal_lock"])
        async with asyncio.timeout(3):
            assert (await client.get(f"/people/{practice.world.ruth}")).status_code == 200
        await batch.rollback()
