"""`hearthbeat device follow`: stands beside a broker and has it let in whom the database says, and nobody else."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Final

import structlog
import typer

from schemas.metrics import METRICS
from services.cli.credentials import FOLLOW, admitted
from services.cli.session import Code, NoPlatformError, fail, settings_of, take_settings
from services.runtime.broker_files import BrokerFiles, BrokerFilesError
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, open_pool, transaction
from services.runtime.errors import RetryLaterError, SettingError
from services.runtime.lifecycle import run_service
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.rounds import do_rounds
from services.runtime.settings import (
    BrokerSettings,
    ClockSettings,
    DatabaseSettings,
    LogSettings,
    MqttSettings,
    database_for_tools,
)
from services.runtime.wakeups import WakeUp, listen

app = typer.Typer()
EVERY_S: Final = 5.0
"""It is woken when a command changes something; a wake-up may be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowSettings:
    """What a follower needs. Made of the environment: raises SettingError, BrokerFilesError."""

    every_s: float
    database: DatabaseSettings = field(default_factory=lambda: settings_of(database_for_tools))
    clock: ClockSettings = field(default_factory=lambda: settings_of(ClockSettings))
    log: LogSettings = field(default_factory=lambda: settings_of(LogSettings))
    files: BrokerFiles = field(
        default_factory=lambda: BrokerFiles(settings_of(BrokerSettings), settings_of(MqttSettings))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """The broker's files as a copy of what the database says; what was interrupted is done again."""

    pool: Pool
    clock: Clock
    files: BrokerFiles
    log: structlog.typing.FilteringBoundLogger

    async def look(self) -> int:
        """Has the broker let in whom the database says now; how many sessions it ended. Raises RetryLaterError."""
        async with transaction(self.pool) as connection:
            # Of the registration: a command on this machine may write the same files.
            await connection.execute(FOLLOW["lock"])
            users = await admitted(connection, to_datetime(self.clock.now_ms()))
            try:
                changed = await asyncio.to_thread(self.files.differing, users)
                if changed is None:
                    return 0
                await asyncio.to_thread(self.files.apply, users, changed)
            except BrokerFilesError as error:
                self.log.warning("the broker's files stay as they are", error=str(error))
                raise RetryLaterError from error
        # Names of devices stay out of logs.
        self.log.info("the broker has read its files", devices=len(users), sessions_ended=len(changed))
        return len(changed)


@app.command()
def follow(
    every: Annotated[float, typer.Option(min=0.1, max=30, help="Seconds after which it looks by itself.")] = EVERY_S,
) -> None:
    """Run beside a broker until stopped: whoever is suspended, revoked or removed is cut off, whoever is new let in.

    It needs the database (as hearthbeat_follow), HB_BROKER_DIRECTORY and the secret of sessions-0 in HB_MQTT_PASSWORDS.
    """
    try:
        take_settings()
        settings = FollowSettings(every_s=every)
    except (SettingError, NoPlatformError, BrokerFilesError) as error:
        fail(error, Code.USAGE)
    run_service(stay, settings, METRICS, in_bursts=False)


async def stay(settings: FollowSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """Follows the database until ``stop``, outliving a database or a broker that is away."""
    log, news = logger("follow"), asyncio.Event()
    async with open_pool(settings.database, application="hb-follow") as pool, asyncio.TaskGroup() as tasks:
        follower = Follower(pool=pool, clock=clock, files=settings.files, log=log)
        log.info("started")
        tasks.create_task(listen(pool, WakeUp.DEVICES, lambda _: news.set(), stop), name="listen")
        tasks.create_task(
            do_rounds(follower.look, stop, every_s=settings.every_s, clock=clock, log=log, metrics=metrics, wake=news),
            name="follow",
        )
