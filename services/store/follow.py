"""Follows the log; after the database was refused, waits until it is the right one again."""

import asyncio
from typing import Final

import structlog

from services.runtime.bus.open import open_bus
from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION, Pool
from services.runtime.metrics import Metrics
from services.store.database_identity import ChangedDatabaseError
from services.store.path import StorePath
from services.store.settings import StoreSettings
from services.store.writer import BatchWriter

_REFUSED_S: Final = 0.5
_REPEAT_S: Final = 30.0


async def follow(
    settings: StoreSettings,
    pool: Pool,
    writer: BatchWriter,
    metrics: Metrics,
    log: structlog.typing.FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Until ``stop``. After each refusal it opens the bus anew: its offsets may have been moved."""
    while not stop.is_set():
        try:
            # Anew each time: ``services.restore`` may have moved the group's offsets meanwhile.
            async with open_bus(settings.bus, pool) as bus:
                log.info("started", partitions=bus.partitions)
                await StorePath(bus, writer, metrics, log, settings).run(stop)
        except ChangedDatabaseError as error:
            await until_well(writer, error, metrics, log, stop)


async def until_well(
    writer: BatchWriter,
    refused: ChangedDatabaseError,
    metrics: Metrics,
    log: structlog.typing.FilteringBoundLogger,
    stop: asyncio.Event,
) -> None:
    """Waits until the platform was restored or the right database is back; logs it meanwhile."""
    said_at = -_REPEAT_S
    while not await pause(stop, _REFUSED_S):
        try:
            if await writer.is_well(refused):
                return
        except LOST_CONNECTION as error:
            log.warning("database away", error=type(error).__name__)
            continue
        metrics.count("hb_store_refusals_total")
        if asyncio.get_running_loop().time() - said_at >= _REPEAT_S:
            said_at = asyncio.get_running_loop().time()
            log.error("refused to write", error=str(refused))
