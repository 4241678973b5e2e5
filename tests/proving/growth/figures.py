"""How long queries take, and whether a run is good enough. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

PROMISED_MS: Final = 100.0
"""p95 of a panel's query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a query took, as its reader sees it, and how many rows came back on average."""

    runs: int
    first_ms: float
    p50_ms: float
    p95_ms: float
    most_ms: float
    rows: float

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def timing_of(spent_ms: Sequence[float], rows: Sequence[int]) -> Timing:
    """Of executions in their order; the first is that of a session that has just been opened."""
    p50, p95 = np.quantile(spent_ms, (0.5, 0.95), method="inverted_cdf").tolist()  # each is one of them
    return Timing(
        runs=len(spent_ms),
        first_ms=spent_ms[0],
        p50_ms=p50,
        p95_ms=p95,
        most_ms=max(spent_ms),
        rows=sum(rows) / len(rows),
    )


def too_slow(timings: Mapping[str, Timing]) -> list[str]:
    """The names of queries that break the promise, the slowest first."""
    late = [(timing.p95_ms, name) for name, timing in timings.items() if timing.p95_ms > PROMISED_MS]
    return [name for _, name in sorted(late, reverse=True)]
