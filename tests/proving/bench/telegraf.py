"""Telegraf as a process: MQTT in, narrow rows of a hypertable out."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Final

import asyncpg

from deploy.local.stack import Stack

USER: Final = "telegraf-0"
"""Its user at the broker, and so its client id."""
TABLE: Final = "peer_readings"
CONNECTED: Final = "Connected ["
"""What it logs once the broker has taken it."""
_LOG: Final = "telegraf.log"
_TEMPLATE: Final = Path(__file__).with_name("telegraf.conf.in")
_STOP_S: Final = 20.0
_CREATE: Final = f"""
create table {TABLE} (time timestamptz not null, device text, vital text, value double precision);
select create_hypertable('{TABLE}', by_range('time', interval '1 day'));
"""


def find_telegraf() -> str | None:
    """The program, where it is on PATH."""
    return shutil.which("telegraf")


def version_of(program: str) -> str:
    """What it calls itself."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)
    return done.stdout.strip()


async def make_table(dsn: str) -> None:
    """An empty hypertable for its rows, with the index that TimescaleDB gives it and no other."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_CREATE)
    finally:
        await connection.close()


@contextmanager
def telegraf(program: str, stack: Stack, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs it on the servers of ``stack`` while the block does."""
    configuration = directory / "telegraf.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        Template(_TEMPLATE.read_text()).substitute(
            host=stack.mqtt_host,
            port=stack.mqtt_port,
            user=USER,
            password=stack.platform_secrets[USER],
            table=TABLE,
            dsn=stack.dsn,
        )
    )
    with (directory / _LOG).open("wb") as log:
        child = subprocess.Popen([program, "--config", str(configuration)], stdout=log, stderr=subprocess.STDOUT)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def log_of(directory: Path) -> str:
    """What it has said so far."""
    path = directory / _LOG
    return path.read_text(errors="replace") if path.exists() else ""
