"""Counters and histograms of instances that come and go, summed over all their lives."""

import math
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from deploy.reconcile.latency import read_metrics


class Sums:
    """What was read of metrics pages so far. Buckets are cumulative, as on the page."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._buckets: dict[str, Counter[float]] = {}

    def add(self, page: str, *, sign: int = 1) -> None:
        """A page, or with ``sign`` -1 what had been counted before it began to matter."""
        for family in text_string_to_metric_families(page):
            for row in family.samples:
                if row.name.endswith("_bucket"):
                    buckets = self._buckets.setdefault(family.name, Counter())
                    buckets[float(row.labels["le"])] += sign * round(row.value)
                elif row.name.endswith("_total"):
                    self.counters[row.name] += sign * round(row.value)

    def quantile_ms(self, name: str, quantile: float) -> float | None:
        """Of a histogram in seconds: the end of the bucket that it falls into; None where nothing was observed."""
        buckets = sorted(self._buckets.get(name, Counter()).items())
        if not buckets or not buckets[-1][1]:
            return None
        total = buckets[-1][1]
        end_s = next(end_s for end_s, count in buckets if count >= quantile * total)
        return None if math.isinf(end_s) else end_s * 1000


def page_of(port: int) -> str:
    """The page of a process that may have gone; then an empty one."""
    try:
        return read_metrics(port)
    except OSError:
        return ""
