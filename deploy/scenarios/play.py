"""Plays the scenarios of one platform: by stepped time, or by time that runs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.scenarios.acts import Acts
from deploy.scenarios.clock import StepClock
from deploy.scenarios.evidence import read_evidence
from deploy.scenarios.idle import Idle
from deploy.scenarios.judge import Case, judge
from deploy.scenarios.options import NotReadyError, Options
from deploy.scenarios.world import World, open_world
from device_sim.scenario.scenario import Scenario
from services.runtime.clock import to_datetime
from services.runtime.database import load_queries

_LONGEST_STEP_MS: Final = 30 * 60_000
_TICK_S: Final = 0.02
_DRAIN_S: Final = 30.0
_QUIET_S: Final = 2.0
_PATIENCE: Final = 4.0
_SQL: Final = load_queries("deploy.scenarios", "idle.sql")
Failures = list[tuple[str, str]]
Progress = Callable[[float], None]
"""Takes the share of platform time that has been played."""


async def play(
    options: Options, scenarios: Sequence[Scenario], directory: Path, name: str, progress: Progress
) -> dict[str, Failures]:
    """What does not hold, by scenario. A platform that starts too slowly gets more time, once. Raises PlayError."""
    try:
        return await _play(options, scenarios, directory, name, progress)
    except NotReadyError:
        again = directory.with_name(f"{directory.name}-again")
        return await _play(options, scenarios, again, name, progress, patience=_PATIENCE)


async def _play(
    options: Options,
    scenarios: Sequence[Scenario],
    directory: Path,
    name: str,
    progress: Progress,
    *,
    patience: float = 1.0,
) -> dict[str, Failures]:
    async with open_world(options, scenarios, directory, name, patience=patience) as world:
        acts = Acts(world)
        if isinstance(world.clock, StepClock):
            await _step(world, world.clock, acts, progress)
        else:
            await _run(world, acts, progress)
        await acts.conclude()
        evidence = await read_evidence(world.pool, world.mailbox.mails)
        return {
            stage.scenario.name: judge(
                Case(
                    scenario=stage.scenario,
                    evidence=evidence,
                    own=stage.own,
                    allowance_ms=lambda due: options.allowance_ms(due=due),
                )
            )
            for stage in world.stages
        }


async def _step(world: World, clock: StepClock, acts: Acts, progress: Progress) -> None:
    """Time stands still until nothing is left to do, then jumps to whatever comes next."""
    end = max(stage.scenario.lasts_ms for stage in world.stages)
    idle = Idle(world.servers, world.pool, clock, under_way=world.under_way, taken=world.commands_taken)
    idle.down = acts.down
    try:
        at = 0
        while True:
            clock.set(world.start_ms + at)
            if await acts.before_uplinks(at):
                await idle.reach()
            acts.uplinks(at)
            await idle.reach()
            if await acts.after_uplinks(at):
                await idle.reach()
            if at >= end and await acts.start_parts():
                await idle.reach()
            if "database" not in acts.down:
                await acts.look(at)
            progress(at / end)
            if at >= end:
                return
            due = await idle.next_due()
            nexts = [acts.next_at(), at + _LONGEST_STEP_MS, end, *([due - world.start_ms] if due else [])]
            at = min(one for one in nexts if one > at)
    finally:
        await idle.close()


async def _run(world: World, acts: Acts, progress: Progress) -> None:
    """Time runs; everything is done when its moment comes."""
    end = max(stage.scenario.lasts_ms for stage in world.stages)
    while (at := world.now()) < end:
        await _do(acts, at)
        progress(max(0, at) / end)
        world.check()
        await asyncio.sleep(_TICK_S)
    await _do(acts, end - 1)
    await acts.start_parts()
    await _drain(world, acts, end)
    await _do(acts, end)


async def _do(acts: Acts, at: int) -> None:
    await acts.before_uplinks(at)
    acts.uplinks(at)
    await acts.after_uplinks(at)
    if "database" not in acts.down:
        await acts.look(at)


async def _drain(world: World, acts: Acts, end: int) -> None:
    """The clock stands at the end: what is due by then gets through, and quiet follows."""
    acts.uplinks(end)
    deadline = time.monotonic() + _DRAIN_S
    quiet_since, before = time.monotonic(), ""
    now = world.start_ms + end
    while time.monotonic() < deadline and time.monotonic() - quiet_since < _QUIET_S:
        world.check()
        await acts.after_uplinks(end)
        passed = (await world.pool.fetchval(_SQL["watermark"]) or 0) >= now
        activity = str(await world.pool.fetchrow(_SQL["activity"], to_datetime(now)))
        if activity != before or not passed or world.under_way() or acts.doctors_wait:
            quiet_since, before = time.monotonic(), activity
        await asyncio.sleep(_TICK_S)
