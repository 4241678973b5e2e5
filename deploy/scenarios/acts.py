"""Does what a story says is due: power, parts of the platform, the register, uplinks, doctors at the console."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import httpx

from deploy.scenarios.console import ConsoleRefusedError
from deploy.scenarios.doctors import do
from deploy.scenarios.evidence import read_fates, read_snapshot
from deploy.scenarios.options import SOON_S
from deploy.scenarios.servers import switch
from deploy.scenarios.stage import Stage
from deploy.scenarios.world import World
from device_sim.scenario.doctors import Act
from services.api.registration import BINDING_LEAD_S
from services.runtime.clock import to_datetime
from services.runtime.database import LOST_CONNECTION

_AGAIN_S: Final = 0.25


class Acts:
    """Of all stages of a world. ``down``: the parts that are stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.down: set[str] = set()
        options = world.options
        self._lead_s = 0.0 if options.is_stepped else BINDING_LEAD_S * options.rate
        self._prepared: set[int] = set()
        self._waiting: list[tuple[Stage, Act, float, float]] = []
        """What doctors do, where what it is about is not there yet: when to give up and when to try again."""

    @property
    def _stages(self) -> Sequence[Stage]:
        return self._world.stages

    def next_at(self) -> int:
        """When something comes next, in ms from the start."""
        return min(stage.next_at() for stage in self._stages)

    async def before_uplinks(self, at: int) -> bool:
        """Power, parts and register; whether the register has changed."""
        registered = False
        for stage in self._stages:
            stage.switch_power(at)
            while stage.parts and stage.parts[0][0] <= at:
                await self._switch_part(stage)
            if stage.registrations and 0 < stage.registrations[0].at - at <= 1000 * self._lead_s:
                await self._prepare(stage, at)
            while stage.registrations and stage.registrations[0].at <= at:
                await self._register(stage, stage.registrations[0].at)
                registered = True
        return registered

    def uplinks(self, at: int) -> None:
        """Hands devices what they measure or send now."""
        for stage in self._stages:
            stage.transmit(at)

    async def after_uplinks(self, at: int) -> bool:
        """What doctors do, once the platform knows what they saw; whether anybody did anything."""
        done = False
        for stage in self._stages:
            while stage.acts and stage.acts[0].at <= at:
                patience_s = 0.0 if self._world.options.is_stepped else SOON_S
                entry = stage.acts.popleft()
                self._waiting.append((stage, entry, time.monotonic() + patience_s, 0.0))
        waiting, self._waiting = self._waiting, []
        for stage, entry, until, again_at in waiting:
            if time.monotonic() < again_at:
                self._waiting.append((stage, entry, until, again_at))
            elif await self._do(stage, entry, until):
                done = True
        return done

    async def look(self, at: int) -> None:
        """Notes how everything stands, where an expectation asks for this moment."""
        asked = [stage for stage in self._stages if stage.asked_at and stage.asked_at[0] <= at]
        if not asked:
            return
        snapshot = await read_snapshot(self._world.pool)
        for stage in asked:
            while stage.asked_at and stage.asked_at[0] <= at:
                stage.own.snapshots[stage.asked_at.popleft()] = snapshot

    @property
    def doctors_wait(self) -> bool:
        """Whether a doctor still waits for something to be there: an alert to take on, a plan to edit."""
        return bool(self._waiting)

    async def start_parts(self) -> bool:
        """Starts what is stopped beyond the end, or nothing could be asked; whether anything was."""
        stopped = sorted(self.down)
        for part in stopped:
            await switch(self._world.servers, part, on=True)
        self.down.clear()
        return bool(stopped)

    async def conclude(self) -> None:
        """Asks what became of every reading that an expectation is about."""
        for stage in self._stages:
            stage.own.fates = await read_fates(self._world.pool, stage.sent())

    async def _switch_part(self, stage: Stage) -> None:
        _, on, part = stage.parts.popleft()
        await switch(self._world.servers, part, on=on)
        (self.down.discard if on else self.down.add)(part)
        if part == "broker" and on:
            self._world.network.connect_at_once()

    async def _prepare(self, stage: Stage, at: int) -> None:
        """Where time runs, a binding begins as long after its commit as ever: so that is written as much earlier."""
        registration = stage.registrations[0]
        if registration.changes.devices and id(registration) not in self._prepared:
            self._prepared.add(id(registration))
            wanted = stage.names.register(stage.next_devices, devices=True, plans=True)
            await self._world.register(wanted, to_datetime(self._world.start_ms + at), lead_s=self._lead_s)

    async def _register(self, stage: Stage, at: int) -> None:
        world = self._world
        wanted = stage.names.register(stage.register_next(), devices=True, plans=True)
        await world.register(wanted, to_datetime(world.start_ms + at), lead_s=0)
        # With the full stack new devices have secrets of their own.
        broker = await asyncio.to_thread(lambda: world.servers.broker(wanted))
        world.passwords.update(broker.passwords)
        stage.connect_new()

    async def _do(self, stage: Stage, act: Act, until: float) -> bool:
        doctor = self._world.doctors[stage.scenario.name, act.doctor]
        try:
            said = await do(act, doctor, stage.names)
            if not said:
                return True
        except ConsoleRefusedError as error:
            said = str(error)
        except (httpx.TransportError, *LOST_CONNECTION) as error:
            said = f"the console could not be reached ({type(error).__name__})"
        if time.monotonic() < until:
            self._waiting.append((stage, act, until, time.monotonic() + _AGAIN_S))
        else:
            stage.own.undone.append((act.words, said))
        return False
