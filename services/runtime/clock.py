"""Platform time: origin + rate x elapsed. Production has rate 1; the demo and the tests may set another."""

import asyncio
import mmap
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from struct import Struct
from typing import Final, Protocol

STEPS: Final = Struct("<qq")
"""What the file of a stepped clock holds: platform time in ms, and its beat."""
_LOOKS_EVERY_S: Final = 0.005


class Clock(Protocol):
    """Health time (stamps, limits, doses, escalation, silence). Transport time-outs stay real."""

    @property
    def rate(self) -> float:
        """Platform seconds a real second."""

    @property
    def beat(self) -> int:
        """Rises when whoever looks at platform time shall look again at once; 0 for ever where time runs by itself."""

    def now_ms(self) -> int:
        """Platform time in milliseconds UTC."""


def to_datetime(milliseconds: int) -> datetime:
    """Milliseconds UTC as an aware datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """An aware datetime as milliseconds UTC."""
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformClock:
    """Platform time of a demo or a test, the same in every process: all get the same numbers.

    ``origin_monotonic`` is seconds of ``time.monotonic()``, which all processes of one machine
    share, also those that start again. ``frozen_at_ms``: a platform time that is never passed (the
    end of a demo), 0 for none.
    """

    origin_ms: int
    origin_monotonic: float
    rate: float = 1.0
    frozen_at_ms: int = 0
    beat: int = 0

    @classmethod
    def starting_now(cls, *, rate: float = 1.0, origin_ms: int | None = None, runs_for_s: float = 0) -> "PlatformClock":
        """A clock whose origin is this moment; frozen after ``runs_for_s`` real seconds where that is set."""
        start = time.time_ns() // 1_000_000 if origin_ms is None else origin_ms
        return cls(
            origin_ms=start,
            origin_monotonic=time.monotonic(),
            rate=rate,
            frozen_at_ms=start + round(runs_for_s * 1000 * rate) if runs_for_s else 0,
        )

    def now_ms(self) -> int:
        # Monotonic time: setting the machine's clock does not move platform time.
        now = self.origin_ms + round((time.monotonic() - self.origin_monotonic) * self.rate * 1000)
        return min(now, self.frozen_at_ms) if self.frozen_at_ms else now


class WallClock:
    """The machine's own clock: rate 1."""

    rate = 1.0
    beat = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class SteppedClock:
    """Platform time as another process sets it in a file that both have mapped; between two steps it stands still.

    ``rate`` is only what limits between real and platform time are reckoned with.
    """

    def __init__(self, file: Path, rate: float) -> None:
        self.rate = rate
        with file.open("rb") as opened:
            self._steps = mmap.mmap(opened.fileno(), STEPS.size, access=mmap.ACCESS_READ)

    @property
    def beat(self) -> int:
        beat: int = STEPS.unpack_from(self._steps)[1]
        return beat

    def now_ms(self) -> int:
        now: int = STEPS.unpack_from(self._steps)[0]
        return now


@dataclass(slots=True)
class FakeClock:
    """A clock that tests move by hand."""

    at_ms: int = 1_700_000_000_000
    rate: float = 1.0
    beat: int = 0

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, *, seconds: float) -> None:
        self.at_ms += round(seconds * 1000)


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Waits real ``seconds`` or until ``stop`` is set; True where it was set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def rest(clock: Clock, stop: asyncio.Event, seconds: float, *, since: int) -> bool:
    """``pause``, which also ends at a beat of ``clock`` after ``since``."""
    deadline = time.monotonic() + seconds
    while since and clock.beat == since and time.monotonic() < deadline:
        if await pause(stop, _LOOKS_EVERY_S):
            return True
    if since:
        return stop.is_set()
    return await pause(stop, seconds)
