"""Opens the bus that the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.runtime.bus.kafka import open_kafka_bus
from services.runtime.bus.port import Bus
from services.runtime.bus.postgres import open_postgres_bus
from services.runtime.database import Pool
from services.runtime.settings import BusSettings


@asynccontextmanager
async def open_bus(settings: BusSettings, pool: Pool) -> AsyncIterator[Bus]:
    """Kafka, or the tables that ``pool`` reaches."""
    if settings.kind == "kafka":
        async with open_kafka_bus(settings) as kafka:
            yield kafka
    else:
        async with open_postgres_bus(pool) as postgres:
            yield postgres
