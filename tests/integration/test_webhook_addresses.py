"""A name with several addresses: the next is tried while nothing was sent, and only then."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network

import httpx
import pytest

from services.alert.channels.port import AttemptOutcome, AttemptReason, AttemptResult, MessageKind, Notification
from services.alert.channels.webhook import WebhookChannel
from services.alert.targets import Address
from tests.integration.receivers import KEYS, serving, webhook_receiver

FIRST, SECOND = "127.0.0.2", "127.0.0.1"
PAGE = Notification(
    key="00000000-0000-0000-0000-000000000007.1.5.webhook",
    kind=MessageKind.ALERT,
    subject="HearthBeat, HIGH: new alert",
    text="A new alert.\n",
    link="https://console.example/alerts/7",
    address="",
    facts={"alert_id": "00000000-0000-0000-0000-000000000007", "step": 1},
    possible_duplicate=False,
)


@asynccontextmanager
async def channel(*addresses: str) -> AsyncIterator[WebhookChannel]:
    """A channel to which every name has these addresses."""

    async def look_up(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address(one) for one in addresses]

    allowed = (ip_network("127.0.0.0/8"),)
    async with httpx.AsyncClient(trust_env=False) as client:
        yield WebhookChannel(client, KEYS, allowed_networks=allowed, look_up=look_up, unix_time=time.time)


async def send(port: int, *addresses: str, name: str = "receiver.example") -> AttemptResult:
    async with channel(FIRST, SECOND) if not addresses else channel(*addresses) as hook:
        return await hook.send(replace(PAGE, address=f"http://{name}:{port}/hook"))


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """A host that takes no more connections and says nothing: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((FIRST, port))
        server.listen(0)
        for _ in range(4):
            waits = stack.enter_context(socket.socket())
            waits.settimeout(0)
            waits.connect_ex((FIRST, port))
        yield


async def test_an_address_that_refuses_the_connection_leaves_the_next_to_be_tried_under_the_same_name() -> None:
    async with webhook_receiver(200, host=SECOND) as receiver:
        result = await send(receiver.port)

    assert result.outcome is AttemptOutcome.SENT
    (call,) = receiver.calls
    assert call.headers["host"] == f"receiver.example:{receiver.port}"


async def test_a_black_hole_at_the_first_address_leaves_time_for_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alert.channels.webhook._TIMEOUT_S", 3.0)
    async with webhook_receiver(200, host=SECOND) as receiver:
        with black_hole(receiver.port):
            result = await send(receiver.port)

    assert result.outcome is AttemptOutcome.SENT
    assert len(receiver.calls) == 1


async def test_black_holes_everywhere_end_within_the_time_for_one_notification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.alert.channels.webhook._TIMEOUT_S", 1.5)
    async with webhook_receiver(200, host=SECOND) as receiver:
        with black_hole(receiver.port):
            began = time.monotonic()
            result = await send(receiver.port, *[FIRST] * 20, SECOND)

    assert result == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.NO_ANSWER)
    assert time.monotonic() - began < 2.5
    assert receiver.calls == []


@pytest.mark.parametrize("answer", [500, 410, "hang"])
async def test_an_address_that_took_the_notification_is_the_only_one_that_gets_it(
    monkeypatch: pytest.MonkeyPatch, answer: int | str
) -> None:
    monkeypatch.setattr("services.alert.channels.webhook._TIMEOUT_S", 0.5)
    async with (
        webhook_receiver(answer, host=FIRST) as first,  # type: ignore[arg-type]
        webhook_receiver(200, host=SECOND, port=first.port) as second,
    ):
        result = await send(first.port)

    assert result.outcome is not AttemptOutcome.SENT
    assert (len(first.calls), len(second.calls)) == (1, 0)


async def test_an_address_that_hangs_up_on_the_notification_is_the_only_one_that_gets_it() -> None:
    async def hang_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with (
        serving(hang_up, host=FIRST) as port,
        webhook_receiver(200, host=SECOND, port=port) as second,
    ):
        result = await send(port)

    assert result == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.NO_ANSWER)
    assert second.calls == []


async def test_one_address_out_of_bounds_is_enough_for_none_to_be_tried() -> None:
    async with webhook_receiver(200, host=SECOND) as receiver:
        result = await send(receiver.port, SECOND, "10.0.0.1")

    assert result == AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_TARGET)
    assert receiver.calls == []


async def test_two_names_at_one_address_share_no_connection() -> None:
    connections: list[list[str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append([])
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            await reader.readexactly(int(headers["content-length"]))
            connections[-1].append(headers["host"].partition(":")[0])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with serving(answer, host=SECOND) as port, channel(SECOND) as hook:
        for name in ("one.example", "two.example"):
            assert (await hook.send(replace(PAGE, address=f"http://{name}:{port}/"))).outcome is AttemptOutcome.SENT

    assert connections == [["one.example"], ["two.example"]]
