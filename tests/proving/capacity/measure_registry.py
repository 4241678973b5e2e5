"""How long ingest's look at the registry takes: where nothing has changed, and where a device was added."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Self

import psutil

from services.ingest.snapshot import SnapshotKeeper
from services.runtime.clock import WallClock
from services.runtime.logs import logger
from tests.proving.capacity.database import SQL, as_a_service, empty_database, register
from tests.proving.capacity.demand import DEVICES_A_PERSON

PEOPLE: Final = (7_000, 20_000, 70_000)
_LOOKS: Final = 3
_BEAT_S: Final = 0.005

Point = dict[str, float]
Say = Callable[[str], None]


def measure(say: Say, people: Sequence[int] = PEOPLE) -> list[Point]:
    """A point for each number of people, with the real keeper on a database of its own."""
    return [asyncio.run(_measure(one, say)) for one in people]


async def _measure(people: int, say: Say) -> Point:
    say(f"registry: {people:,} people with {people * DEVICES_A_PERSON:,} devices")
    async with empty_database() as dsn:
        await register(dsn, people)
        async with as_a_service(dsn) as pool:
            before = psutil.Process().memory_info().rss
            keeper = SnapshotKeeper(pool, logger("ingest"), WallClock())
            await keeper.look()
            grown = psutil.Process().memory_info().rss - before
            unchanged = [await _timed(keeper) for _ in range(_LOOKS)]
            changed, still = [], []
            for _ in range(_LOOKS):
                await pool.execute(SQL["one_more_device"], await pool.fetchval(SQL["one_more"]))
                async with _Beats() as beats:
                    changed.append(await _timed(keeper))
                still.append(beats.longest_s)
    return {
        "people": people,
        "devices": people * DEVICES_A_PERSON,
        "unchanged_s": sorted(unchanged)[_LOOKS // 2],
        "changed_s": sorted(changed)[_LOOKS // 2],
        "stands_still_s": sorted(still)[_LOOKS // 2],
        "mb": grown / 1e6,
    }


async def _timed(keeper: SnapshotKeeper) -> float:
    began = time.perf_counter()
    await keeper.look()
    return time.perf_counter() - began


class _Beats:
    """Notices how long at most nothing else had a turn on the event loop."""

    longest_s = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        await asyncio.sleep(2 * _BEAT_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(2 * _BEAT_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT_S)
            self.longest_s = max(self.longest_s, time.perf_counter() - began - _BEAT_S)
