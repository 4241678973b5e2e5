"""Who has which shard: written at the start, so that the watermark waits for those who take uplinks alone."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from services.ingest.settings import IngestSettings
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.errors import HearthBeatError
from services.runtime.mqtt import open_link
from services.runtime.retry import GaveUpError, Retry

_RETRY_S: Final = 0.5
_BROKER_WITHIN_S: Final = 10.0


class StillOwnerError(HearthBeatError):
    """The instance has shards of its own; start another one with these shards first."""


class NoBrokerError(HearthBeatError):
    """The broker does not answer."""


async def claim_shards(
    pool: Pool, instance: str, shards: Sequence[int], stop: asyncio.Event, log: structlog.typing.FilteringBoundLogger
) -> None:
    """Takes the shards over. Waits for the database; gives up where ``stop`` comes first."""
    sql = load_queries("services.ingest")
    retry = Retry(every_s=_RETRY_S, log=log, says="shards not claimed")
    with suppress(GaveUpError):
        await retry.until_done(lambda: pool.execute(sql["claim_shards"], instance, list(shards)), stop)


async def retire(settings: IngestSettings) -> None:
    """Clears away what an instance that has ended for good leaves behind: its session at the broker, its markers.

    Raises StillOwnerError, NoBrokerError.
    """
    sql = load_queries("services.ingest")
    async with open_pool(settings.database, application="hb-ingest-retire") as pool:
        if shards := await pool.fetchval(sql["shards_of"], settings.instance):
            raise StillOwnerError(f"instance {settings.instance}: {shards} shards")
        try:
            async with (
                asyncio.timeout(_BROKER_WITHIN_S),
                open_link(settings.mqtt, client_id=settings.client_id) as link,
            ):
                # Connecting as that client and without filters asks for a clean session, which ends
                # the kept one.
                await link.connected()
        except TimeoutError as error:
            raise NoBrokerError from error
        await pool.execute(sql["forget_markers"], settings.instance)
