"""What every command runs in: its settings, the database, platform time; and what its failures look like."""

import asyncio
import getpass
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from rich.console import Console

from services.cli.line_of import line_of
from services.runtime import starting
from services.runtime.broker_files import BrokerFilesError
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import LOST_CONNECTION, Pool, open_pool
from services.runtime.errors import HearthBeatError, RetryLaterError, SettingError
from services.runtime.settings import ClockSettings, database_for_tools

T = TypeVar("T")
S = TypeVar("S", bound=BaseSettings)
Find = Callable[[str | None, Mapping[str, str]], Mapping[str, str]]
"""Which settings a platform that runs here has, by its name; given what is set already. Raises NoPlatformError."""

say: Final = Console(stderr=True, highlight=False, soft_wrap=True)
"""For people. What another program may want to read goes to standard output."""


class NoPlatformError(HearthBeatError):
    """No platform was found."""


class RefusedError(HearthBeatError):
    """Nothing was changed."""


class Code(IntEnum):
    """How a command ends. ``USAGE``: its arguments or a setting; ``AWAY``: a server did not answer."""

    DONE = 0
    NO = 1
    USAGE = 2
    AWAY = 3


@dataclass(frozen=True, slots=True)
class Front:
    """What was said before the command: where the platform is, found only once a command needs it."""

    find: Find | None
    at: str | None


FRONT: Final[ContextVar[Front | None]] = ContextVar("FRONT", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A command at work. ``by``: whose name is written down beside what it changes."""

    pool: Pool
    clock: Clock
    by: str

    @property
    def now(self) -> datetime:
        """Platform time."""
        return to_datetime(self.clock.now_ms())


def run(work: Callable[[Session], Awaitable[T]], *, by: str | None = None) -> T:
    """Runs ``work`` on the platform; gives what it gives. Ends the command, in a sentence, where that fails."""
    try:
        take_settings()
        return asyncio.run(_run(work, by or login()))
    except (SettingError, NoPlatformError, BrokerFilesError) as error:
        fail(error, Code.USAGE)
    except RetryLaterError as error:
        fail(error, Code.AWAY)
    except LOST_CONNECTION as error:
        fail(f"The database does not answer ({type(error).__name__}). HB_DB_DSN says where it is.", Code.AWAY)
    except HearthBeatError as error:
        fail(error, Code.NO)


async def _run(work: Callable[[Session], Awaitable[T]], by: str) -> T:
    async with open_session(by) as session:
        return await work(session)


@asynccontextmanager
async def open_session(by: str) -> AsyncIterator[Session]:
    """The platform that the environment names. Raises SettingError, and what ``LOST_CONNECTION`` lists."""
    clock = settings_of(ClockSettings).clock()
    async with open_pool(settings_of(database_for_tools), application="hb-command") as pool:
        yield Session(pool=pool, clock=clock, by=by)


def take_settings() -> None:
    """Puts what was found of a platform that runs here into the environment, where nothing else stands there.

    Raises NoPlatformError.
    """
    front = FRONT.get()
    if front is not None and front.find is not None:
        os.environ.update(front.find(front.at, dict(os.environ)))


def settings_of(make: Callable[[], S]) -> S:
    """Settings read from the environment. Raises SettingError, which names the variable and never its value."""
    try:
        return starting.settings_of(make)
    except SettingError as error:
        if not error.detail.endswith(starting.NOT_SET):
            raise
        raise SettingError(f"{error.detail} Start a platform with make up or make demo, or set it yourself.") from None


def fail(why: object, code: Code) -> NoReturn:
    """Ends the command."""
    say.print(str(why), markup=False, style="red")
    raise typer.Exit(int(code))


def refuse_invalid(error: ValidationError, file: Path | None = None) -> NoReturn:
    """Ends the command because of what was typed, or stood in ``file``: names line and field, not what stood there."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    line = "" if file is None else f"{file.name}:{line_of(file.read_text('utf-8', 'replace'), first['loc'])}: "
    fail(f"{line}{where or error.title}: {first['msg'].removeprefix('Value error, ')}", Code.USAGE)


def login() -> str:
    """Who gives the command, as this machine knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def show(as_json: bool, facts: Any, text: Callable[[], None]) -> None:  # noqa: FBT001 - the option of that name
    """Prints ``facts`` as one JSON value on standard output, or lets ``text`` say them."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, default=str))
    else:
        text()
