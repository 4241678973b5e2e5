"""Watch asks services themselves whether they work: a metrics page goes on while every request hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.watch import service_endpoints
from services.watch.core import Kind
from services.watch.operator_channels import open_client
from services.watch.service_endpoints import EndpointsProbe
from tests.integration.console_world import serving


@asynccontextmanager
async def answering(status: str, body: str = "") -> AsyncIterator[str]:
    """A page that gives this status line; none at all: it takes the request and is silent."""
    let_go = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if status:
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
        else:
            await let_go.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/healthz"
    finally:
        let_go.set()
        server.close()


async def conditions(address: str) -> list[tuple[Kind, str]]:
    async with open_client() as client:
        result = await EndpointsProbe(pages={}, health={"api": address}, client=client).probe(0)
    return [(one.kind, one.subject) for one in result.conditions]


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        ("200 OK", []),
        ("503 Service Unavailable", [Kind.SERVICE_WAITS]),
        ("500 Internal Server Error", [Kind.SERVICE_DOWN]),
        ("", [Kind.SERVICE_DOWN]),
    ],
)
async def test_what_a_health_page_says(monkeypatch: pytest.MonkeyPatch, status: str, kinds: list[Kind]) -> None:
    monkeypatch.setattr(service_endpoints, "TIMEOUT_S", 0.3)
    async with answering(status) as address:
        assert await conditions(address) == [(kind, "api") for kind in kinds]


async def test_a_metrics_page_that_is_none_is_an_incident_and_does_not_end_watch() -> None:
    async with answering("200 OK", "<html>somebody else</html>") as address, open_client() as client:
        result = await EndpointsProbe(pages={"store": address}, health={}, client=client).probe(0)
    assert [(one.kind, one.subject) for one in result.conditions] == [(Kind.SERVICE_DOWN, "store")]


async def test_a_console_that_works_says_so(embedded_dsn: str) -> None:
    async with serving(embedded_dsn) as address:
        assert await conditions(f"{address}/healthz") == []
        assert await conditions(f"{address}/nowhere") == [(Kind.SERVICE_DOWN, "api")]
