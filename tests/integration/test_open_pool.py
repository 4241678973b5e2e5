"""A database that takes connections and says nothing does not hold anybody up for long."""

import asyncio
import time
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr

from deploy.local.ports import free_port
from services.runtime.database import LOST_CONNECTION, open_pool, transaction
from services.runtime.settings import DatabaseSettings
from tests.proving.faults.proxy import Mode, open_proxy


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


async def test_a_network_that_swallows_everything_holds_a_transaction_up_for_one_time_out_and_no_longer(
    embedded_dsn: str,
) -> None:
    """The rollback of what was not answered would not be answered either."""
    at = urlsplit(embedded_dsn)
    with open_proxy(free_port(), at.port or 0) as proxy:
        here = at._replace(netloc=at.netloc.replace(f":{at.port}", f":{proxy.port}")).geturl()
        settings = DatabaseSettings(dsn=SecretStr(here), pool_size=1, command_timeout_s=1)
        async with open_pool(settings, application="test") as pool:

            async def swallowed() -> None:
                async with transaction(pool) as connection:
                    await connection.execute("select 1")
                    proxy.switch(Mode.SWALLOW)
                    await connection.execute("select 2")

            began = time.monotonic()
            with pytest.raises(TimeoutError):
                await swallowed()
            assert time.monotonic() - began < 1.8

            proxy.switch(Mode.THROUGH)
            async with transaction(pool) as connection:
                assert await connection.fetchval("select 1") == 1


async def test_a_transaction_keeps_what_ended_well_and_nothing_of_what_did_not(embedded_dsn: str) -> None:
    settings = DatabaseSettings(dsn=SecretStr(embedded_dsn), pool_size=1)
    async with open_pool(settings, application="test") as pool:
        await pool.execute("create temporary table kept (number integer)")

        async def keep(number: int, then: str) -> None:
            async with transaction(pool) as connection:
                await connection.execute("insert into kept values ($1)", number)
                await connection.execute(then)

        await keep(1, "select 1")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await keep(2, "select 1 / 0")
        assert await pool.fetchval("select array_agg(number) from kept") == [1]
