"""The clock of a scenario's platform: stepped from here by a file that every process has mapped, or running."""

import mmap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.runtime.clock import STEPS


class PlayClock(Protocol):
    """Platform time as the player reads it."""

    def now_ms(self) -> int:
        """In ms UTC."""

    def environment(self) -> dict[str, str]:
        """What the services' ``ClockSettings`` read."""


class StepClock:
    """Time stands still until it is set; a beat makes every loop of the platform look again."""

    def __init__(self, file: Path, start_ms: int, rate: float) -> None:
        self._file, self._rate = file, rate
        file.parent.mkdir(parents=True, exist_ok=True)
        # Beats begin at 1: 0 is the beat of a clock that runs by itself.
        file.write_bytes(STEPS.pack(start_ms, 1))
        with file.open("r+b") as opened:
            self._steps = mmap.mmap(opened.fileno(), STEPS.size)

    def now_ms(self) -> int:
        now: int = STEPS.unpack_from(self._steps)[0]
        return now

    def set(self, at_ms: int) -> None:
        """Sets platform time, never back."""
        now, beat = STEPS.unpack_from(self._steps)
        STEPS.pack_into(self._steps, 0, max(now, at_ms), beat)

    def beat(self) -> None:
        """Every loop looks again at once."""
        now, beat = STEPS.unpack_from(self._steps)
        STEPS.pack_into(self._steps, 0, now, beat + 1)

    def environment(self) -> dict[str, str]:
        return {"HB_CLOCK_FILE": str(self._file), "HB_CLOCK_RATE": repr(self._rate)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningClock:
    """Reaches ``start_ms`` at ``starts_at`` (monotonic seconds) and stops at ``end_ms``."""

    start_ms: int
    starts_at: float
    rate: float
    end_ms: int

    def now_ms(self) -> int:
        passed_ms = (time.monotonic() - self.starts_at) * self.rate * 1000
        return min(self.end_ms, self.start_ms + round(passed_ms))

    def environment(self) -> dict[str, str]:
        return {
            "HB_CLOCK_ORIGIN_MS": str(self.start_ms),
            "HB_CLOCK_ORIGIN_MONOTONIC": repr(self.starts_at),
            "HB_CLOCK_RATE": repr(self.rate),
            "HB_CLOCK_FROZEN_AT_MS": str(self.end_ms),
        }
