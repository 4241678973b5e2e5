"""Quantiles from a service's own histograms, and from the alerts table."""

import math
import urllib.request
from collections.abc import Sequence
from typing import Final

import asyncpg
from prometheus_client.parser import text_string_to_metric_families

_ALERT_DELAYS: Final = """
select extract(epoch from (opened_at - condition_at)) * 1000 / $1::float8 as delay_ms
from alerts where $2::timestamptz is null or opened_at < $2
order by 1
"""


def read_metrics(port: int) -> str:
    """The metrics page of a service on this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        text: str = page.read().decode()
    return text


def histogram_quantiles(
    page: str, name: str, quantiles: Sequence[float], *, since: str | None = None
) -> list[float | None]:
    """Each quantile by interpolation within its bucket, of what was observed after the page ``since``.

    None where nothing was.
    """
    buckets = _buckets(page, name)
    if since is not None and (before := _buckets(since, name)):
        buckets = [(bound, count - past) for (bound, count), (_, past) in zip(buckets, before, strict=True)]
    total = buckets[-1][1] if buckets else 0
    return [_interpolate(buckets, quantile * total) if total else None for quantile in quantiles]


def _buckets(page: str, name: str) -> list[tuple[float, float]]:
    for family in text_string_to_metric_families(page):
        if family.name == name:
            return [(float(row.labels["le"]), row.value) for row in family.samples if row.name.endswith("_bucket")]
    return []


def _interpolate(buckets: Sequence[tuple[float, float]], rank: float) -> float:
    lower, below = 0.0, 0.0
    for upper, count in buckets:
        if count >= rank and count > below:
            return lower if math.isinf(upper) else lower + (upper - lower) * (rank - below) / (count - below)
        lower, below = upper, count
    return lower


def counter_value(page: str, name: str) -> float:
    """The sum of a counter over its labels; ``name`` with its ``_total``."""
    families = text_string_to_metric_families(page)
    return sum(row.value for family in families for row in family.samples if row.name == name)


async def alert_delays_ms(dsn: str, rate: float, before: object = None) -> list[float]:
    """Real milliseconds from the condition to the open alert, ascending; only alerts opened ``before`` a moment."""
    connection = await asyncpg.connect(dsn)
    try:
        return [float(row["delay_ms"]) for row in await connection.fetch(_ALERT_DELAYS, rate, before)]
    finally:
        await connection.close()


def quantile_of(ascending: Sequence[float], quantile: float) -> float | None:
    """The nearest-rank quantile; None of nothing."""
    if not ascending:
        return None
    return ascending[max(0, math.ceil(quantile * len(ascending)) - 1)]
