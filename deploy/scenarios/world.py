"""A platform with the homes of its scenarios on it: servers, register, services, devices, mail server."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import httpx
from pydantic import SecretStr

from deploy.local.ports import free_port
from deploy.scenarios.clock import RunningClock, StepClock
from deploy.scenarios.console import DoctorAtConsole
from deploy.scenarios.mailbox import Mailbox, open_mailbox
from deploy.scenarios.naming import Names
from deploy.scenarios.options import NotReadyError, Options, PlayError
from deploy.scenarios.servers import EmbeddedServers, FullServers, Servers
from deploy.scenarios.stage import Stage
from device_sim.publish import Network
from device_sim.scenario.doctors import Act
from device_sim.scenario.home import RESEND_AFTER_S
from device_sim.scenario.scenario import Scenario
from schemas.registry import Register
from services.api.registration import registration, write
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings

_KNOWN_BEFORE: Final = timedelta(days=31)
_HEAD_START_S: Final = {"embedded": 30.0, "full": 120.0}
"""A running clock reaches the start so much later, real seconds: everything stands by then."""
_READY_S: Final = 180.0
"""What hangs ends here; a busy machine may take a minute."""
_PUMP_S: Final = 0.004
_SETTINGS: Final = {
    "HB_MEDICATION_RESEND_AFTER_S": str(RESEND_AFTER_S),
    "HB_SCORE_RESEND_AFTER_S": str(RESEND_AFTER_S),
    "HB_ALERT_SHORTEST_REPEAT_S": "1",
    "HB_ALERT_SMTP_HOST": "127.0.0.1",
    # Nothing is gained by gathering the few uplinks of a step.
    "HB_INGEST_ACK_EVERY_S": "0.01",
    "HB_STORE_PUBLISH_EVERY_S": "0",
    "HB_LOG_LEVEL": "info",
}


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that runs. ``clock`` is None until the services start."""

    options: Options
    servers: Servers
    pool: Pool
    clock: StepClock | RunningClock
    mailbox: Mailbox
    network: Network
    passwords: dict[str, str]
    stages: Sequence[Stage]
    doctors: dict[tuple[str, str], DoctorAtConsole]
    start_ms: int

    def now(self) -> int:
        """Ms since the start of the scenarios."""
        return self.clock.now_ms() - self.start_ms

    def under_way(self) -> int:
        """Uplinks that no ack has come for."""
        return sum(stage.home.under_way for stage in self.stages)

    def commands_taken(self) -> dict[str, int]:
        """By the device's name at the broker."""
        return {name: taken for stage in self.stages for name, taken in stage.home.commands_taken.items()}

    async def register(self, wanted: Register, at: datetime, *, lead_s: float, since: datetime | None = None) -> None:
        """Writes to the register, as the command does."""
        async with registration(self.pool) as connection:
            await write(connection, wanted, at, lead_s=lead_s, new_since=since)

    def check(self) -> None:
        """Raises PlayError where a service has ended by itself."""
        said = self.servers.say_ended()
        if said:
            raise PlayError(said)


@asynccontextmanager
async def open_world(
    options: Options, scenarios: Sequence[Scenario], directory: Path, name: str, *, patience: float = 1.0
) -> AsyncIterator[World]:
    """Starts a platform and puts the homes of the scenarios on it; ends all of it.

    ``patience``: so many times the usual head start has a running clock. Raises NotReadyError where that is too short.
    """
    start_ms = scenarios[0].starts_ms
    clock = _clock(options, scenarios, directory, patience=patience)
    mail_port = free_port()
    settings = {**_SETTINGS, **clock.environment(), "HB_ALERT_SMTP_PORT": str(mail_port)}
    async with AsyncExitStack() as stack:
        servers: Servers
        if options.stack == "embedded":
            servers = EmbeddedServers(directory, settings, apart=any(one.stops_parts for one in scenarios))
        else:
            servers = FullServers(directory, settings, name=name)
        stack.push_async_callback(asyncio.to_thread, servers.stop)
        await asyncio.to_thread(servers.start)
        database = DatabaseSettings(dsn=SecretStr(servers.dsn))
        pool = await stack.enter_async_context(open_pool(database, application="scenarios"))
        everybody = await _register(pool, scenarios, start_ms)
        broker = await asyncio.to_thread(servers.broker, everybody)
        # A registration may bring more, so this one is handed on and not copied.
        passwords = dict(broker.passwords)
        broker = replace(broker, passwords=passwords)
        mailbox = stack.enter_context(open_mailbox(mail_port, clock.now_ms))
        network = Network(broker, Random())  # noqa: S311 - when to connect again
        stages = [Stage(one, network, clock.now_ms) for one in scenarios]
        stack.callback(network.close)
        await asyncio.to_thread(servers.start_services)
        await _wait_for_console(servers)
        world = World(
            options=options,
            servers=servers,
            pool=pool,
            clock=clock,
            mailbox=mailbox,
            network=network,
            passwords=passwords,
            stages=stages,
            doctors=await _doctors(pool, servers, stages),
            start_ms=start_ms,
        )
        for doctor in world.doctors.values():
            stack.push_async_callback(doctor.close)
        pumping = asyncio.create_task(_pump(world))
        stack.push_async_callback(_end, pumping)
        await _wait_for_devices(world)
        if not options.is_stepped and world.now() >= 0:
            raise NotReadyError("the platform was not ready when its time began")
        yield world


def _clock(
    options: Options, scenarios: Sequence[Scenario], directory: Path, *, patience: float
) -> StepClock | RunningClock:
    directory.mkdir(parents=True, exist_ok=True)
    start_ms = scenarios[0].starts_ms
    if options.is_stepped:
        return StepClock(directory / "clock", start_ms, options.rate)
    lasts = max(one.lasts_ms for one in scenarios)
    head_start_s = patience * _HEAD_START_S[options.stack]
    return RunningClock(
        start_ms=start_ms, starts_at=time.monotonic() + head_start_s, rate=options.speed, end_ms=start_ms + lasts
    )


async def _register(pool: Pool, scenarios: Sequence[Scenario], start_ms: int) -> Register:
    """People and care a month before the start; devices at the start with bindings from then; plans at the start."""
    start = to_datetime(start_ms)
    before = start - _KNOWN_BEFORE
    whole = []
    for scenario in scenarios:
        names, household = Names(scenario), scenario.household
        async with registration(pool) as connection:
            known = names.register(household, devices=False, plans=False)
            await write(connection, known, before, lead_s=0)
            whole.append(names.register(household, devices=True, plans=True))
            await write(connection, whole[-1], start, lead_s=0, new_since=before)
    return Register(
        homes=tuple(home for one in whole for home in one.homes),
        doctors=tuple(doctor for one in whole for doctor in one.doctors),
        no_recipient=tuple(person for one in whole for person in one.no_recipient),
    )


async def _doctors(pool: Pool, servers: Servers, stages: Sequence[Stage]) -> dict[tuple[str, str], DoctorAtConsole]:
    """Those who do something in a story, with passwords."""
    acting = {
        (stage.scenario.name, entry.doctor): stage.names.email(entry.doctor)
        for stage in stages
        for entry in stage.scenario.story
        if isinstance(entry, Act)
    }
    doctors = {key: DoctorAtConsole(servers.console_url, email) for key, email in acting.items()}
    for doctor in doctors.values():
        await doctor.get_password(pool)
    return doctors


async def _wait_for_console(servers: Servers) -> None:
    deadline = time.monotonic() + _READY_S
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < deadline:
            if servers.say_ended():
                raise PlayError(servers.say_ended())
            with suppress(httpx.TransportError):
                await client.get(f"{servers.console_url}/healthz")
                return
            await asyncio.sleep(0.05)
    raise PlayError(f"the console did not answer within {_READY_S:.0f} s")


async def _wait_for_devices(world: World) -> None:
    deadline = time.monotonic() + _READY_S
    while not all(stage.home.connected for stage in world.stages):
        if time.monotonic() > deadline:
            raise PlayError(f"devices could not sign in at the broker: {dict(world.network.rejections)}")
        await asyncio.sleep(_PUMP_S)


async def _pump(world: World) -> None:
    """The devices' connections, all the time."""
    while True:
        for stage in world.stages:
            stage.home.pump()
        world.network.poll(0)
        await asyncio.sleep(_PUMP_S)


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
