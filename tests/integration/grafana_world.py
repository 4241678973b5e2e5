"""A small world for the dashboards' readers: two homes, three people, a day of vitals, doses, alerts, rejections."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import asyncpg

NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PASSWORD: Final = "correct horse battery"
ANNA, ALBERT, BERTA = (UUID(int=number) for number in (0xA1, 0xA2, 0xB1))
SECRET_NAME: Final = "Berta Verborgen"
SECRET_VALUE: Final = 61.6180339
DOCTOR_WORDS: Final = "for the doctor only"

_WORLD: Final = Path(__file__).with_suffix(".sql")


async def make_world(dsn: str) -> None:
    """Fills an empty database."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_WORLD.read_text("utf-8"))
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A reader's role in this test run; roles belong to the whole server, so the name is nobody else's."""

    role: str
    dsn: str


def login_for(dsn: str, kind: str, password: str = PASSWORD) -> Login:
    """A name no other test has, and the address under which it signs in over TCP with its password."""
    role = f"{kind}_{uuid4().hex[:10]}"
    parts = urlsplit(dsn)
    return Login(role=role, dsn=f"postgresql://{role}:{quote(password)}@{parts.hostname}:{parts.port}{parts.path}")


def days_ago(days: float) -> datetime:
    """That long before the world's present."""
    return NOW - timedelta(days=days)
