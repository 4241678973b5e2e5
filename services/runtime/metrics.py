"""Counts and times of one process, and what it waits for; shown as `/metrics` and `/readyz`, by TLS off loopback."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from schemas.metrics import Metric
from services.runtime.tls import ServerCertificate

_HANDSHAKE_S: Final = 10.0


class Server(StrEnum):
    """What a service can wait for."""

    DATABASE = "database"
    BUS = "bus"
    BROKER = "broker"


class Metrics:
    """The metrics of one process. A name that is no row raises KeyError."""

    def __init__(self, rows: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, _Histogram] = {}
        self._waiting: dict[Server, bool] = {}
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

    def waits(self, on: Server, *, now: bool) -> None:
        """Says whether work stands still because of a server. Cheap where nothing changes."""
        if self._waiting.get(on) is not now:
            self._waiting[on] = now
            self.set("hb_process_waiting_state", now, on=on)

    @property
    def waiting(self) -> list[Server]:
        """The servers that work waits for; empty: ready."""
        # A copy: the thread that shows the page reads this while the event loop may change it.
        return [on for on, now in list(self._waiting.items()) if now]


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


class _Page(BaseHTTPRequestHandler):
    """``/metrics`` for Prometheus; ``/readyz``: 200, or 503 and what is waited for."""

    metrics: Metrics

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(self.metrics.registry))
        elif self.path == "/readyz":
            waiting = ", ".join(self.metrics.waiting)
            self._answer(
                503 if waiting else 200, "text/plain", f"waits for {waiting}\n".encode() if waiting else b"ready\n"
            )
        else:
            self._answer(404, "text/plain", b"/metrics and /readyz are here\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """A page that is asked for every few seconds is no news."""


class _PageServer(ThreadingHTTPServer):
    """By TLS where it has a certificate. The thread of a request shakes hands, so that nobody else waits for it."""

    certificate: ServerCertificate | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.certificate is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_HANDSHAKE_S)
        # Plaintext, nobody who trusts us, or somebody who goes away: no news, and no reason for a trace.
        with suppress(OSError), self.certificate.context.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)


@contextmanager
def serve_metrics(
    metrics: Metrics, port: int, host: str = "127.0.0.1", certificate: ServerCertificate | None = None
) -> Iterator[None]:
    """Shows ``metrics`` on ``host:port``, with a ``certificate`` by TLS; nothing with port 0."""
    if not port:
        yield
        return
    metrics.set("hb_process_started_timestamp_seconds", time.time())
    # http.server makes a new handler for each request, so the metrics have to come with the class.
    page = type("Page", (_Page,), {"metrics": metrics})
    server = _PageServer((host, port), page)
    server.certificate = certificate
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
