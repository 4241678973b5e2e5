"""Counts and times of one process, built from rows that name every metric; shown on a loopback port."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from schemas.metrics import Metric


class Metrics:
    """The metrics of one process. A name that is no row raises KeyError."""

    def __init__(self, rows: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, _Histogram] = {}
        for row in rows:
            if row.kind == "counter":
                self._counters[row.name] = Counter(row.name, row.help, row.labels, registry=self.registry)
            elif row.kind == "gauge":
                self._gauges[row.name] = Gauge(row.name, row.help, row.labels, registry=self.registry)
            else:
                self._histograms[row.name] = _Histogram(row)
                self.registry.register(self._histograms[row.name])

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, name: str, values: Iterable[float]) -> None:
        """Adds values to a histogram."""
        self._histograms[name].observe(values)


class _Histogram(Collector):
    """Finds a value's bucket by bisection: the library's own tries one after the other, too slow for every uplink."""

    def __init__(self, row: Metric) -> None:
        self._row = row
        self._counts = [0] * (len(row.buckets) + 1)
        self._sum = 0.0

    def observe(self, values: Iterable[float]) -> None:
        for value in values:
            self._counts[bisect_left(self._row.buckets, value)] += 1
            self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        buckets, below = [], 0
        for bound, count in zip((*map(str, self._row.buckets), "+Inf"), self._counts, strict=True):
            below += count
            buckets.append((bound, below))
        yield HistogramMetricFamily(self._row.name, self._row.help, buckets=buckets, sum_value=self._sum)


@contextmanager
def serve_metrics(metrics: Metrics, port: int) -> Iterator[None]:
    """Shows ``metrics`` on ``127.0.0.1:port``; nothing with port 0."""
    if not port:
        yield
        return
    server, thread = start_http_server(port, addr="127.0.0.1", registry=metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
