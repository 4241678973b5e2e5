"""Findings of a database computed again from its rows: after kills and late arrivals, and after a change of one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from services.cli.command import make_app
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.settings import DatabaseSettings
from services.score.compared_findings import Verdict
from services.score.explain import Explainer, UnknownFindingError
from services.score.learned import catalogue_of
from services.score.settings import SHIPPED
from tests.proving.explain.__main__ import prove


@pytest.fixture
async def pool(embedded_dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(embedded_dsn)), application="test") as opened:
        yield opened


def explainer(pool: Pool) -> Explainer:
    return Explainer(pool, load_queries("services.score"), catalogue_of(SHIPPED))


async def test_every_finding_of_a_run_with_kills_is_byte_identical(embedded_dsn: str, tmp_path: Path) -> None:
    figures = await prove(embedded_dsn, tmp_path, homes=2, hours=5, seed=5, outages=0.4)
    assert figures["other"] == []
    assert figures["kills"] > 0
    assert figures["findings"] == figures["same"] > 5


async def test_a_field_that_was_changed_is_named_and_nothing_else(pool: Pool) -> None:
    finding_id: UUID = await pool.fetchval(
        "update findings set doctor_text = 'otherwise' where finding_id ="
        " (select finding_id from findings where rule = 'glucose_low' order by finding_id limit 1) returning finding_id"
    )
    done = await explainer(pool).explain(finding_id)
    assert [(one.field, one.stored) for one in done.differences] == [("doctor_text", '"otherwise"')]
    assert done.verdict is Verdict.DIFFERS


async def test_without_what_it_rests_on_a_finding_is_not_found_again(pool: Pool) -> None:
    row = await pool.fetchrow("select * from findings where rule = 'sos' and level = 1 limit 1")
    assert row is not None
    await pool.execute("delete from device_events where device_no = $1", row["evidence"][0]["device_no"])
    done = await explainer(pool).explain(row["finding_id"])
    assert done.verdict is Verdict.NOT_FOUND


async def test_a_model_that_is_not_here_any_more_is_said(pool: Pool) -> None:
    finding_id: UUID = await pool.fetchval(
        "update findings set artefact = 'glucose_forecast 1 gone' where finding_id ="
        " (select finding_id from findings where rule = 'glucose_forecast' limit 1) returning finding_id"
    )
    done = await explainer(pool).explain(finding_id)
    assert (done.verdict, "glucose_forecast 1 gone" in done.why) == (Verdict.CANNOT, True)


async def test_of_no_finding_nothing_is_said(pool: Pool) -> None:
    with pytest.raises(UnknownFindingError):
        await explainer(pool).explain(uuid4())


async def test_the_command_says_it_and_its_exit_code_is_the_answer(pool: Pool, embedded_dsn: str) -> None:
    rows = await pool.fetch(
        "select finding_id, doctor_text from findings where rule = 'glucose_low' order by finding_id limit 2"
    )
    for row in rows:
        words = ["explain", str(row["finding_id"])]
        result = await asyncio.to_thread(CliRunner().invoke, make_app(), words, env={"HB_DB_DSN": embedded_dsn})
        is_same = row["doctor_text"] != "otherwise"
        assert (result.exit_code, "Byte-identical" in result.output) == (0 if is_same else 1, is_same)
        assert "Person" not in result.output
