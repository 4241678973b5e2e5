"""The platform clock as environment variables, so that every process has the same one."""

import time
from dataclasses import dataclass
from typing import Final

_BEFORE_MS: Final = 60_000
_DAY_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedClock:
    """Platform time = ``origin_ms`` + ``rate`` x (monotonic seconds since ``origin_monotonic``)."""

    origin_ms: int
    origin_monotonic: float
    rate: float
    frozen_at_ms: int = 0

    @classmethod
    def starting_in(
        cls, delay_s: float, *, rate: float, runs_for_s: float = 0, origin_ms: int | None = None
    ) -> "SharedClock":
        """Reaches ``origin_ms`` (now) in ``delay_s`` real seconds; freezes ``runs_for_s`` after that (0: never)."""
        origin_ms = time.time_ns() // 1_000_000 if origin_ms is None else origin_ms
        return cls(
            origin_ms=origin_ms,
            origin_monotonic=time.monotonic() + delay_s,
            rate=rate,
            frozen_at_ms=origin_ms + round(runs_for_s * rate * 1000) if runs_for_s else 0,
        )

    def before(self, days: int = 0) -> "SharedClock":
        """A slow clock, a minute before the origin now: what is registered by it is in force at the origin.

        Or so many ``days`` before it.
        """
        before_ms = _BEFORE_MS + days * _DAY_MS
        return SharedClock(origin_ms=self.origin_ms - before_ms, origin_monotonic=time.monotonic(), rate=1.0)

    def environment(self) -> dict[str, str]:
        """What ``ClockSettings`` of the services and the simulator read."""
        return {
            "HB_CLOCK_ORIGIN_MS": str(self.origin_ms),
            "HB_CLOCK_ORIGIN_MONOTONIC": repr(self.origin_monotonic),
            "HB_CLOCK_RATE": repr(self.rate),
            "HB_CLOCK_FROZEN_AT_MS": str(self.frozen_at_ms),
        }

    def now_ms(self) -> int:
        """Platform time in milliseconds UTC."""
        now = self.origin_ms + round((time.monotonic() - self.origin_monotonic) * self.rate * 1000)
        return min(now, self.frozen_at_ms) if self.frozen_at_ms else now

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the origin; negative before."""
        return time.monotonic() - self.origin_monotonic
