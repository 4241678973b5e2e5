"""Fills the database of a demo with its past, as a process of its own, at the lowest priority."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from deploy.demo.past import Filling
from device_sim.past import PAST_DAYS, PastPlan
from device_sim.world import make_world
from schemas.registry import Register
from services.runtime.database import open_pool
from services.runtime.settings import ClockSettings, database_for_tools

_LOWEST: Final = 19


def main(
    register: Annotated[Path, typer.Option(help="Register file (homes, people, devices).")],
    report: Annotated[Path, typer.Option(help="How far it has come.")],
    end_ms: Annotated[int, typer.Option(help="Platform time at which the past ends.")],
    seed: int = 1,
    days: int = PAST_DAYS,
) -> None:
    """Writes what everybody's devices sent in the days before ``end_ms``; what is there already stays."""
    os.nice(_LOWEST)
    world = make_world(Register.model_validate_json(register.read_bytes()), seed)
    asyncio.run(_fill(PastPlan(world, end_ms=end_ms, days=days), report))


async def _fill(plan: PastPlan, report: Path) -> None:
    async with open_pool(database_for_tools(), application="hb-demo-past") as pool:
        await Filling(pool=pool, plan=plan, clock=ClockSettings().clock(), report=report).fill()


if __name__ == "__main__":
    typer.run(main)
