"""What watch reads from a service's page."""

from prometheus_client import generate_latest

from schemas.metrics import METRICS
from services.runtime.metrics import Metrics, Server
from services.watch.core import Kind
from services.watch.service_endpoints import read_page


def page(*, waits: bool, sessions_lost: int = 0) -> str:
    metrics = Metrics(METRICS)
    metrics.waits(Server.BUS, now=waits)
    metrics.set("hb_process_started_timestamp_seconds", 1_795_000_000)
    if sessions_lost:
        metrics.count("hb_ingest_sessions_lost_total", sessions_lost)
    return generate_latest(metrics.registry).decode()


def test_a_service_that_works_shows_nothing() -> None:
    assert read_page("store", page(waits=False)).conditions == []


def test_a_service_that_waits_says_for_what() -> None:
    (condition,) = read_page("store", page(waits=True)).conditions
    assert (condition.kind, condition.subject, condition.detail) == (Kind.SERVICE_WAITS, "store", "For: bus.")


def test_lost_sessions_are_counted_for_ingest_alone_and_since_its_process_began() -> None:
    (counted,) = read_page("ingest-1", page(waits=False, sessions_lost=2)).counted
    assert (counted.kind, counted.subject, counted.value) == (Kind.SESSION_LOST, "ingest-1", 2)
    assert counted.born == 1_795_000_000
    assert read_page("store", page(waits=False, sessions_lost=2)).counted == []
