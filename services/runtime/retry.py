"""Tries again until it works, or it is time to stop; shows meanwhile what is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog

from services.runtime.clock import pause
from services.runtime.database import LOST_CONNECTION
from services.runtime.errors import HearthBeatError, RetryLaterError
from services.runtime.metrics import Metrics, Server

T = TypeVar("T")
Rest = Callable[[float], Awaitable[bool | None]]
"""Waits so many seconds; True where it is time to stop."""


class GaveUpError(HearthBeatError):
    """It was time to stop, or too late, before that was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How one kind of work is tried again, every ``every_s`` real seconds, after one of ``errors``.

    ``on`` is what the process waits for meanwhile, ``counter`` counts the failures, ``says`` is
    what the log says of each: whatever is left out is not shown.
    """

    every_s: float
    log: structlog.typing.FilteringBoundLogger
    metrics: Metrics | None = None
    errors: tuple[type[Exception], ...] = LOST_CONNECTION
    on: Server | None = None
    counter: str = ""
    says: str = ""

    async def until_done(
        self,
        attempt: Callable[[], Awaitable[T]],
        stop: asyncio.Event,
        *,
        rest: Rest | None = None,
        **facts: object,
    ) -> T:
        """What ``attempt`` gives once it works. Raises GaveUpError, and errors not in ``errors``.

        It is tried at least once, and not again after ``stop``. An attempt that finds that it comes
        too late raises GaveUpError itself. ``facts`` go to the log.
        """
        rest = rest or partial(pause, stop)
        while True:
            try:
                done = await attempt()
            except self.errors as error:
                if isinstance(error, ValueError):
                    # asyncpg's DataError, an argument that does not fit, is an InterfaceError too:
                    # trying again would not help.
                    raise
                self._note(error, facts)
            else:
                self._waits(now=False)
                return done
            if stop.is_set() or await rest(self.every_s):
                raise GaveUpError

    def _note(self, error: Exception, facts: dict[str, object]) -> None:
        self._waits(now=True)
        if self.metrics is not None and self.counter:
            self.metrics.count(self.counter)
        if self.says:
            self.log.warning(self.says, error=_name_of(error), **facts)

    def _waits(self, *, now: bool) -> None:
        if self.metrics is not None and self.on is not None:
            self.metrics.waits(on=self.on, now=now)


def _name_of(error: Exception) -> str:
    """Of a bus, its words; of a database only the kind: its words may hold what was to be written."""
    if isinstance(error, RetryLaterError):
        return str(error.__cause__ or error)
    return type(error).__name__
