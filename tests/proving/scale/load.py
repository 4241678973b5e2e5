"""A steady load, and how far the database has come with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from deploy.platform.platform import Platform
from tests.proving.bench.usage import Usage, measure, spent

READINGS_PER_UPLINK: Final = 4
_SETTLED: Final = "select coalesce(sum(upper(part) - lower(part)), 0)::bigint from device_settled, unnest(settled) part"
_SERVERS: Final = ("mosquitto", "kafka", "postgresql")


async def settled(dsn: str) -> int:
    """Uplinks that are settled."""
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval(_SETTLED)
        return found
    finally:
        await connection.close()


@dataclass(slots=True)
class Windows:
    """Uplinks settled in each stretch of time."""

    every_s: float
    counts: list[int] = field(default_factory=list)

    async def watch(self, dsn: str, for_s: float) -> None:
        """Notes one count a stretch."""
        before = await settled(dsn)
        began = asyncio.get_running_loop().time()
        for number in range(1, round(for_s / self.every_s) + 1):
            await asyncio.sleep(max(0.0, began + number * self.every_s - asyncio.get_running_loop().time()))
            now = await settled(dsn)
            self.counts.append(now - before)
            before = now


async def cost(platform: Platform, for_s: float) -> dict[str, Any]:
    """Throughput and CPU of the next ``for_s``: in all, and by service with its instances together."""
    dsn, pids = platform.stack.dsn, _pids(platform)
    loop = asyncio.get_running_loop()
    began, usage, done = loop.time(), measure(pids), await settled(dsn)
    await asyncio.sleep(for_s)
    now_done, now_usage, took_s = await settled(dsn), measure(pids), loop.time() - began
    readings = READINGS_PER_UPLINK * (now_done - done)
    return {
        "uplinks_per_s": round((now_done - done) / took_s),
        "cpu_us_per_reading": {
            name: round(1e6 * cpu_s / max(1, readings), 1) for name, cpu_s in _by_service(usage, now_usage).items()
        },
    }


def _pids(platform: Platform) -> dict[str, int]:
    services = {name: process.pid for name, process in platform.processes.items() if process.alive}
    return services | {name: platform.stack.process(name).pid or 0 for name in _SERVERS}


def _by_service(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    sums = {"total": 0.0}
    for name, cpu_s in spent(before, after).items():
        service = name.partition("-")[0]
        sums[service] = sums.get(service, 0) + cpu_s
        sums["total"] += cpu_s
    return sums
