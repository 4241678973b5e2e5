"""A channel that alert has never heard of is its own file, address rows, and nothing else: it is delivered to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.metrics import METRICS
from schemas.registry import ContactAddress, Doctor, Register
from services.alert import app, channels
from services.alert.channels.port import AttemptOutcome, AttemptReason, AttemptResult, ChannelType, Notification
from services.alert.settings import AlertSettings
from services.api.registration import RegisterError, register
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from tests.integration.care_world import START_MS, find, settle_address, settle_doctor, settle_in

WITHIN_S = 10


class BeeperSettings(BaseSettings):
    """Off without ``line``."""

    model_config = SettingsConfigDict(env_prefix="HB_ALERT_BEEPER_")

    line: str = ""


class BeeperChannel:
    """Keeps what it was given."""

    sent: list[Notification]

    def __init__(self) -> None:
        self.sent = []

    async def send(self, notification: Notification) -> AttemptResult:
        self.sent.append(notification)
        return AttemptResult(outcome=AttemptOutcome.SENT, reason=AttemptReason.ACCEPTED)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


@pytest.fixture
def beeper(monkeypatch: pytest.MonkeyPatch) -> BeeperChannel:
    """What its file and its line in ``CHANNELS`` would be, and its setting in the environment."""
    beeper = BeeperChannel()

    @asynccontextmanager
    async def open_beeper(settings: BeeperSettings) -> AsyncIterator[BeeperChannel]:
        assert settings.line == "1"
        yield beeper

    kind = ChannelType(
        name="beeper",
        settings=BeeperSettings,
        is_on=lambda settings: bool(settings.line),
        accepts=str.isdigit,
        open=open_beeper,
    )
    monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, kind))
    monkeypatch.setenv("HB_ALERT_BEEPER_LINE", "1")
    return beeper


@asynccontextmanager
async def alert_at_work(dsn: str) -> AsyncIterator[None]:
    """The whole service, as its environment sets it up."""
    stop, settings = asyncio.Event(), AlertSettings(database=DatabaseSettings(dsn=SecretStr(dsn)))
    clock, metrics = FakeClock(at_ms=START_MS), Metrics(METRICS)
    running = asyncio.create_task(app.run(settings, clock=clock, stop=stop, metrics=metrics))
    try:
        yield
    finally:
        stop.set()
        await running


async def until_nothing_waits(pool: Pool, doctors: list[int], notifications: int) -> list[tuple[int, str, str]]:
    """The notifications of these doctors, once there are so many and each came to its end."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            rows = await pool.fetch(
                "select doctor_no, channel, state from notifications where doctor_no = any ($1) order by 1, 2", doctors
            )
            if len(rows) == notifications and all(row["state"] in {"sent", "failed"} for row in rows):
                return [tuple(row) for row in rows]
            await asyncio.sleep(0.05)


async def test_a_channel_of_its_own_file_is_delivered_to_by_address_rows_alone(
    dsn: str, pool: Pool, beeper: BeeperChannel
) -> None:
    await pool.execute("update notifications set state = 'failed' where state in ('pending', 'sending')")
    world = await settle_in(pool, emails=False)
    second_no = await settle_doctor(pool, world, email=f"second-{world.email}")
    await settle_address(pool, world.doctor_no, "beeper", "4711")
    await settle_address(pool, second_no, "beeper", "no number")
    await find(pool, world)
    async with alert_at_work(dsn):
        notifications = await until_nothing_waits(pool, [world.doctor_no, second_no], 2)

    assert notifications == [(world.doctor_no, "beeper", "sent"), (second_no, "beeper", "failed")]
    assert [notification.address for notification in beeper.sent] == ["4711"]
    refused = await pool.fetchval("select reason from notification_attempts where doctor_no = $1", second_no)
    assert refused == "refused_target"


async def test_a_register_file_may_name_a_channel_as_soon_as_alert_has_it(
    dsn: str, pool: Pool, beeper: BeeperChannel
) -> None:
    await pool.execute("delete from notification_channels")
    world = await settle_in(pool)
    addresses = (ContactAddress(channel="beeper", address="4711"),)
    doctor = Doctor(email=world.email, name="Dr Who", without_people=True, addresses=addresses)
    with pytest.raises(RegisterError, match="unknown: channel beeper"):
        await register(pool, Register(doctors=(doctor,)), to_datetime(START_MS))

    async with alert_at_work(dsn), asyncio.timeout(WITHIN_S):
        while not await pool.fetchval("select true from notification_channels where channel = 'beeper'"):
            await asyncio.sleep(0.05)
    await register(pool, Register(doctors=(doctor,)), to_datetime(START_MS))

    rows = await pool.fetch("select channel, address from contact_addresses where doctor_no = $1", world.doctor_no)
    assert [tuple(row) for row in rows] == [("beeper", "4711")]
    assert beeper.sent == []
    await pool.execute("delete from notification_channels")
