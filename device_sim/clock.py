"""Platform time as the simulator reads it from HB_CLOCK_*; it may import schemas only, so it has a clock of its own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SimClock:
    """Platform milliseconds from an origin, a rate and ``time.monotonic()``; at most ``frozen_at_ms`` (0: no end)."""

    origin_ms: int
    origin_monotonic: float
    rate: float = 1.0
    frozen_at_ms: int = 0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SimClock":
        """The clock that every process of a platform is given; the machine's own where nothing is set."""
        now_ms = time.time_ns() // 1_000_000
        return cls(
            origin_ms=int(environment.get("HB_CLOCK_ORIGIN_MS") or now_ms),
            origin_monotonic=float(environment.get("HB_CLOCK_ORIGIN_MONOTONIC") or time.monotonic()),
            rate=float(environment.get("HB_CLOCK_RATE") or 1),
            frozen_at_ms=int(environment.get("HB_CLOCK_FROZEN_AT_MS") or 0),
        )

    def now_ms(self) -> int:
        """Platform time."""
        now = self.origin_ms + int((time.monotonic() - self.origin_monotonic) * self.rate * 1000)
        return min(now, self.frozen_at_ms) if self.frozen_at_ms else now

    @property
    def frozen(self) -> bool:
        """The platform has reached its end."""
        return bool(self.frozen_at_ms) and self.now_ms() >= self.frozen_at_ms

    def real_s_until(self, at_ms: int) -> float:
        """Real seconds until a platform time, 0 where it has passed."""
        return max(0.0, (at_ms - self.now_ms()) / (1000 * self.rate))
