"""A database that takes connections and says nothing does not hold anybody up for long."""

import asyncio

import pytest
from pydantic import SecretStr

from services.runtime.database import LOST_CONNECTION, open_pool
from services.runtime.settings import DatabaseSettings


async def test_a_server_that_accepts_and_is_silent_is_given_up() -> None:
    silent = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = DatabaseSettings(
        dsn=SecretStr(f"postgresql://hearth:secret@127.0.0.1:{port}/hearth"), connect_timeout_s=0.5
    )
    try:
        async with asyncio.timeout(5), open_pool(settings, application="test") as pool:
            with pytest.raises(LOST_CONNECTION):
                await pool.fetchval("select 1")
    finally:
        silent.set()
        server.close()
