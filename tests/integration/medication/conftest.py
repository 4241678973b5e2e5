"""A database without doses, a clock that stands at six in the morning in Berlin, planner and ledger on both."""

from collections.abc import AsyncIterator

import pytest

from services.medication.ledger import DoseLedger
from services.medication.planner import Planner
from services.runtime.clock import FakeClock, to_ms
from services.runtime.database import Pool
from tests.integration.dose_world import berlin, ledger_of, no_doses, planner_of


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with no_doses(dsn) as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at_ms=to_ms(berlin(1, 6)))


@pytest.fixture
def planner(pool: Pool, clock: FakeClock) -> Planner:
    return planner_of(pool, clock)


@pytest.fixture
def ledger(pool: Pool, clock: FakeClock) -> DoseLedger:
    return ledger_of(pool, clock)
