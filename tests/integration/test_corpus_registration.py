"""Every register file of the bad-input corpus is written whole or refused whole."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError

from schemas.registry import Register
from services.api.registration import RegisterError, register
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings
from tests.integration.console_world import NOW
from tests.proving.fuzz.corpus import Case, played_by

pytestmark = pytest.mark.asyncio(loop_scope="module")
TABLES = (
    "contact_addresses",
    "care_relations",
    "plan_stock",
    "dose_plan_versions",
    "dose_plans",
    "bindings",
    "devices",
    "people",
    "homes",
    "doctors",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(embedded_dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(embedded_dsn)), application="test") as opened:
        yield opened


async def rows_of(pool: Pool) -> int:
    counts = [await pool.fetchval(f"select count(*) from {table}") for table in TABLES]  # noqa: S608 - our own names
    return sum(counts)


@pytest.mark.parametrize("case", played_by("register"), ids=lambda case: case.id)
async def test_a_register_file_is_written_or_refused(pool: Pool, case: Case) -> None:
    for table in TABLES:
        await pool.execute(f"delete from {table}")  # noqa: S608 - our own names
    try:
        written = await register(pool, Register.model_validate_json(case.bytes), NOW)
    except (ValidationError, RegisterError):
        assert case.fate == "refused"
        assert await rows_of(pool) == 0
    else:
        assert case.fate == "written"
        assert await rows_of(pool) >= written.homes + written.people + written.devices + written.doctors
