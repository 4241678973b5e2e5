"""Counts and times of one process, built from rows that name every metric; shown on a loopback port."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from schemas.metrics import Metric


class Metrics:
    """The metrics of one process. A name that is no row raises KeyError."""

    def __init__(self, rows: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for row in rows:
            if row.kind == "counter":
                self._counters[row.name] = Counter(row.name, row.help, row.labels, registry=self.registry)
            elif row.kind == "gauge":
                self._gauges[row.name] = Gauge(row.name, row.help, row.labels, registry=self.registry)
            else:
                self._histograms[row.name] = Histogram(
                    row.name, row.help, row.labels, registry=self.registry, buckets=row.buckets
                )

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
        histogram = self._histograms[name]
        for value in values:
            histogram.observe(value)


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
