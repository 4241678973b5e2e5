"""When a platform has done everything that is due: nothing under way, nothing waiting, every loop has looked twice."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import asyncpg
import httpx

from deploy.scenarios.clock import StepClock
from deploy.scenarios.options import PlayError
from deploy.scenarios.servers import Servers
from schemas.devices import DEVICE_TYPES
from services.runtime.clock import to_datetime
from services.runtime.database import Pool, load_queries

_GAPS: Final = [timedelta(minutes=minutes) for minutes in (15, 30, 60, 4 * 60, 390, 13 * 60, 24 * 60)]
"""After so long without a reading a pressure stays unconfirmed, an episode pauses, or nobody has watched for too long.

See docs/clinical.md.
"""
_SQL: Final = load_queries("deploy.scenarios", "idle.sql")
_ROUNDS: Final = re.compile(r'^hb_process_rounds_total\{work="(\w+)"\} (\S+)', re.MULTILINE)
_WORK: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "score": frozenset({"asks", "doubted", "due", "looks", "recovery", "silence"}),
        "medication": frozenset({"plan", "settle", "publish"}),
        "alert": frozenset({"claims", "escalation", "held", "mornings", "email", "email_lists"}),
    }
)
"""What each part looks for again and again, as its metrics call it."""
_PATIENCE_S: Final = 240.0
"""A platform that hangs is given up after so long; one that others leave no core may need more than a minute."""
_WHILE_DOWN_S: Final = 1.0
_BEAT_EVERY_S: Final = 0.03
_POLL_S: Final = 0.004
_WAITING: Final = (
    *("unclaimed", "waiting", "repeats_due", "held_due", "mornings_due", "lists_waiting"),
    *("falls_due", "calls_due", "looks_due", "unsent"),
)
_SILENT: Final = [(row.code, timedelta(seconds=row.silent_after_s)) for row in DEVICE_TYPES if row.silent_after_s]


class Idle:
    """Of one platform. ``under_way``: uplinks that no ack has come for; ``taken``: commands that devices have got."""

    def __init__(
        self,
        servers: Servers,
        pool: Pool,
        clock: StepClock,
        *,
        under_way: Callable[[], int],
        taken: Callable[[], Mapping[str, int]],
    ) -> None:
        self._servers, self._pool, self._clock = servers, pool, clock
        self._under_way, self._taken = under_way, taken
        self._client = httpx.AsyncClient(timeout=10)
        self.down: set[str] = set()

    async def reach(self) -> None:
        """Returns once nothing is left to do at this moment. Raises PlayError."""
        deadline = time.monotonic() + _PATIENCE_S
        # A command to a device that was off when it came may never arrive.
        given_up = time.monotonic() + _WHILE_DOWN_S
        if "database" in self.down:
            await asyncio.sleep(_WHILE_DOWN_S)
            return
        while True:
            if not self.down & {"ingest", "store", "broker"}:
                await self._until(lambda: not self._under_way(), deadline, "uplinks are not acknowledged")
            await self._pass_watermark(deadline)
            before = await self._activity()
            await self._rounds(deadline)
            await self._rounds(deadline)
            after = await self._activity()
            is_idle = before == after and (not any(after[name] for name in _WAITING) or self.down)
            if is_idle and (await self._heard() or time.monotonic() > given_up):
                return
            if time.monotonic() > deadline:
                waits = {name: after[name] for name in _WAITING if after[name]}
                raise PlayError(f"the platform did not become idle: {waits or 'it goes on and on'}")

    async def next_due(self) -> int | None:
        """The next moment at which something falls due, in platform ms."""
        now = to_datetime(self._clock.now_ms())
        if "database" in self.down:
            return None
        kinds, silent = [code for code, _ in _SILENT], [after for _, after in _SILENT]
        found: int | None = await self._pool.fetchval(_SQL["next_due"], now, kinds, silent, _GAPS)
        return found

    async def close(self) -> None:
        """Leaves."""
        await self._client.aclose()

    async def _pass_watermark(self, deadline: float) -> None:
        """A millisecond later a marker shows that everything before it has been stored and scored."""
        at_ms = self._clock.now_ms() + 1
        self._clock.set(at_ms)
        if self.down & {"ingest", "store", "score", "broker"}:
            return
        beaten_at = 0.0
        while (await self._pool.fetchval(_SQL["watermark"]) or 0) < at_ms:
            if time.monotonic() - beaten_at > _BEAT_EVERY_S:
                self._clock.beat()
                beaten_at = time.monotonic()
            self._insist(deadline, "the watermark stands still")
            await asyncio.sleep(_POLL_S)

    async def _rounds(self, deadline: float) -> None:
        """Every loop that looks for work has looked once more."""
        before = await self._count_rounds(deadline)
        self._clock.beat()
        # What needs a server that is stopped does not get to the end of a round.
        patience = min(deadline, time.monotonic() + (_WHILE_DOWN_S if self.down else _PATIENCE_S))
        while time.monotonic() < patience:
            now = await self._count_rounds(deadline)
            if all(now[work] > rounds for work, rounds in before.items()):
                return
            await asyncio.sleep(_POLL_S)
        if not self.down:
            self._insist(deadline, "some loop of the platform no longer looks for work")

    async def _count_rounds(self, deadline: float) -> Mapping[str, int]:
        """How often every part that runs has looked for each of its work."""
        works = frozenset().union(*(works for part, works in _WORK.items() if part not in self.down))
        while True:
            rounds: Counter[str] = Counter()
            # A service that starts has no page yet, or has not looked for everything.
            with suppress(httpx.TransportError):
                for port in self._servers.pages():
                    page = (await self._client.get(f"http://127.0.0.1:{port}/metrics")).text
                    rounds.update({work: int(float(count)) for work, count in _ROUNDS.findall(page)})
            if works <= rounds.keys() or "broker" in self.down:
                return {work: rounds[work] for work in works}
            self._insist(deadline, "a service does not begin to work")
            await asyncio.sleep(_POLL_S)

    async def _activity(self) -> asyncpg.Record:
        now: datetime = to_datetime(self._clock.now_ms())
        row = await self._pool.fetchrow(_SQL["activity"], now)
        assert row is not None  # noqa: S101 - the query has no from
        return row

    async def _heard(self) -> bool:
        """Every device with power has got what was sent to it, and nothing of it is under way."""
        if self.down:
            return True
        sent = {row["device"]: row["sent"] for row in await self._pool.fetch(_SQL["commands_sent"])}
        taken = self._taken()
        return not self._under_way() and all(taken[name] >= sent.get(name, 0) for name in taken)

    async def _until(self, true: Callable[[], bool], deadline: float, otherwise: str) -> None:
        while not true():
            self._insist(deadline, otherwise)
            await asyncio.sleep(_POLL_S)

    def _insist(self, deadline: float, otherwise: str) -> None:
        said = self._servers.say_ended()
        if said or time.monotonic() > deadline:
            raise PlayError(said or f"{otherwise} for {_PATIENCE_S:.0f} s")
