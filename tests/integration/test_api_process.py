"""The console's process, from a register file to a clean end, and while its database is away."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import httpx

from tests.integration.console_world import PASSWORD, browsing, free_port

REGISTER = """{
 "homes": [{"home_id": "6f2d0c1e-0000-4000-8000-000000000001", "label": "Home 1", "time_zone": "Europe/Berlin",
   "people": [{"person_id": "6f2d0c1e-0000-4000-8000-000000000002", "name": "Anna", "born_on": "1944-05-06"}],
   "devices": [{"device": "cli-band", "type": "wearable_band",
     "bindings": [{"person_id": "6f2d0c1e-0000-4000-8000-000000000002"}]}]}],
 "doctors": [{"email": "cli@example.org", "name": "Dr. Cli", "people": ["6f2d0c1e-0000-4000-8000-000000000002"]}]
}"""


async def run(dsn: str, *arguments: str, **environment: str) -> int:
    process = await start(dsn, *arguments, module="services.cli", **environment)
    await process.communicate()
    return process.returncode or 0


async def start(
    dsn: str, *arguments: str, module: str = "services.api", **environment: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *arguments),
        env={**os.environ, "HB_DB_DSN": dsn, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_from_a_register_file_to_a_signed_in_doctor_to_a_clean_end(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "register.json"
    file.write_text(REGISTER)

    assert await run(dsn, "register", str(file)) == 0
    assert await run(dsn, "doctor", "password", "CLI@example.org", HB_API_PASSWORD=PASSWORD) == 0

    port = free_port()
    process = await start(dsn, HB_API_PORT=str(port), HB_API_PLAIN_HTTP="1")
    async with asyncio.timeout(30):
        assert process.stderr is not None
        await process.stderr.readline()
        async with browsing(f"http://127.0.0.1:{port}", "cli@example.org") as client:
            assert [row["name"] for row in (await client.get("/api/v1/people")).json()] == ["Anna"]
            async with client.stream("GET", "/live") as stream:
                await anext(stream.aiter_lines())
                process.send_signal(signal.SIGTERM)
                assert await process.wait() == 0


async def test_while_the_database_is_away_the_console_says_so_and_comes_back(dsn: str) -> None:
    port = free_port()
    process = await start(dsn, HB_API_PORT=str(port), HB_API_PLAIN_HTTP="1")
    try:
        async with asyncio.timeout(30), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert process.stderr is not None
            await process.stderr.readline()
            assert (await client.get("/healthz")).status_code == 200
            name = dsn.rpartition("/")[2].partition("?")[0]
            admin = await asyncpg.connect(dsn.replace(name, "postgres"))
            try:
                await admin.execute(f'alter database "{name}" allow_connections false')
                await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
                away = await client.get("/healthz")
            finally:
                await admin.execute(f'alter database "{name}" allow_connections true')
                await admin.close()
            assert away.status_code == 503
            assert (await client.get("/healthz")).status_code == 200
    finally:
        process.terminate()
        await process.wait()
