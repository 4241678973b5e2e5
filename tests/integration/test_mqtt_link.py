"""The link on a real broker: what paho and mosquitto lose between them must not be lost through it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from deploy.local.stack import Stack
from services.runtime.errors import RetryLaterError
from services.runtime.mqtt import WHAT_IS_KEPT, WINDOW, Link, MqttMessage, TakenOverError, open_link
from services.runtime.settings import MqttSettings
from tests.integration.path_world import broker_passwords

pytestmark = pytest.mark.full_stack

TOPIC = "hb/v1/7/watermark/up"
FILTER = "hb/v1/7/+/up"
READER, SECOND_READER, WRITER = "ingest-1", "trace-0", "ingest-0"
ANSWER_S = 15.0
SILENCE_S = 0.4


class Wire:
    """A loopback line to the broker that can be cut without the broker noticing more than a lost client."""

    def __init__(self, port: int) -> None:
        self._broker = port
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.sleep(0)

    async def _join(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, forth = await asyncio.open_connection("127.0.0.1", self._broker)
        ends = {back, forth}
        self._ends |= ends
        await asyncio.gather(self._carry(here, forth), self._carry(there, back), return_exceptions=True)
        self._ends -= ends

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.close()


@pytest.fixture
async def wire(full_stack: Stack) -> AsyncIterator[Wire]:
    line = Wire(full_stack.mqtt_port)
    await line.mend()
    yield line
    await line.cut()


def settings(stack: Stack, port: int = 0) -> MqttSettings:
    return MqttSettings(host=stack.mqtt_host, port=port or stack.mqtt_port, passwords=broker_passwords(stack))


@pytest.fixture(autouse=True)
async def empty_session(full_stack: Stack) -> AsyncIterator[None]:
    """Each test leaves the reader's session at the broker without messages."""
    yield
    async with reader(full_stack) as link:
        while left := await link.take(wait_s=SILENCE_S):
            link.acknowledge(left)


@asynccontextmanager
async def reader(stack: Stack, port: int = 0) -> AsyncIterator[Link]:
    async with open_link(settings(stack, port), client_id=READER, filters=[FILTER]) as link:
        await until(lambda: link.online)
        if link.sessions_lost:
            await subscribed(link)
        yield link


@asynccontextmanager
async def writer(stack: Stack) -> AsyncIterator[Link]:
    async with open_link(settings(stack), client_id=WRITER) as link:
        await until(lambda: link.online)
        yield link


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(round(ANSWER_S / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not within {ANSWER_S:.0f} s")


async def subscribed(link: Link) -> None:
    """The broker has read our SUBSCRIBE on a session that it made anew: what we publish after it comes back."""
    await until(lambda: link.online)
    link.publish(TOPIC, b"probe", qos=1)
    probe = await receive(link, 1)
    assert payloads(probe) == [b"probe"]
    link.acknowledge(probe)


async def send(link: Link, messages: Sequence[bytes]) -> None:
    """Publishes and waits until the broker has taken every one."""
    await until(lambda: link.online)
    sent = [link.publish(TOPIC, message, qos=1) for message in messages]
    await until(lambda: all(one.is_published() for one in sent))


async def receive(link: Link, number: int) -> list[MqttMessage]:
    found: list[MqttMessage] = []
    async with asyncio.timeout(ANSWER_S):
        while len(found) < number:
            found += await link.take(wait_s=0.2)
    return found


async def silence(link: Link) -> None:
    assert await link.take(wait_s=SILENCE_S) == []


def numbered(word: str, number: int) -> list[bytes]:
    return [f"{word} {place}".encode() for place in range(number)]


def payloads(messages: Sequence[MqttMessage]) -> list[bytes]:
    return [one.payload for one in messages]


async def kill_and_start(stack: Stack) -> None:
    broker = stack.process("mosquitto")
    await asyncio.to_thread(broker.kill)
    await asyncio.to_thread(broker.start)
    await asyncio.to_thread(broker.wait_ready)


async def test_what_is_acknowledged_does_not_come_again(full_stack: Stack) -> None:
    async with writer(full_stack) as out:
        async with reader(full_stack) as link:
            await send(out, numbered("new", 20))
            found = await receive(link, 20)
            assert payloads(found) == numbered("new", 20)
            link.acknowledge(found)
            await asyncio.sleep(SILENCE_S)
        async with reader(full_stack) as link:
            await silence(link)


async def test_old_acknowledgements_lose_nothing_after_the_broker_lost_its_session(full_stack: Stack) -> None:
    """Ten are held, the broker is killed, ten new ones come with the same packet ids, the old ten are acknowledged."""
    await kill_and_start(full_stack)
    async with writer(full_stack) as out:
        async with reader(full_stack) as link:
            lost_before = link.sessions_lost
            await send(out, numbered("old", 10))
            old = await receive(link, 10)
            await kill_and_start(full_stack)
            await until(lambda: link.sessions_lost > lost_before)
            await subscribed(link)
            await send(out, numbered("new", 10))
            new = await receive(link, 10)
            assert [one.packet_id for one in old] == [one.packet_id for one in new]
            link.acknowledge(old)
            await asyncio.sleep(SILENCE_S)
        async with reader(full_stack) as link:
            again = await receive(link, 10)
            assert payloads(again) == numbered("new", 10)
            link.acknowledge(again)


async def test_what_was_not_acknowledged_comes_again_on_the_next_connection(full_stack: Stack, wire: Wire) -> None:
    async with writer(full_stack) as out, reader(full_stack, wire.port) as link:
        known = link.sessions_lost
        await send(out, numbered("new", 10))
        first = await receive(link, 10)
        link.acknowledge(first[:4])
        await asyncio.sleep(SILENCE_S)
        await wire.cut()
        await wire.mend()
        again = await receive(link, 6)
        assert payloads(again) == numbered("new", 10)[4:]
        assert link.sessions_lost == known, "the broker held the session"
        link.acknowledge(first)
        link.acknowledge(again)
        await asyncio.sleep(SILENCE_S)
        await wire.cut()
        await wire.mend()
        await until(lambda: link.online)
        await silence(link)


async def test_a_broker_without_our_session_is_counted(full_stack: Stack) -> None:
    async with reader(full_stack) as link:
        lost_before = link.sessions_lost
        await kill_and_start(full_stack)
        await until(lambda: link.sessions_lost > lost_before)
        assert link.sessions_lost == lost_before + 1


async def test_the_second_of_one_name_ends_the_first_for_good(full_stack: Stack) -> None:
    async with reader(full_stack) as first, reader(full_stack) as second:
        with pytest.raises(TakenOverError, match=READER):
            await receive(first, 1)
        with pytest.raises(TakenOverError):
            first.publish(TOPIC, b"x")
        await asyncio.sleep(2.5)
        assert second.online
        assert await second.take(wait_s=0.1) == []


async def test_no_payload_kills_the_connection(full_stack: Stack) -> None:
    poison = [b"", b"\x00", b"\xff\xfe", os.urandom(60_000), b"{" * 5000, "\ud83d".encode("utf-8", "surrogatepass")]
    async with writer(full_stack) as out, reader(full_stack) as link:
        await send(out, poison)
        await send(out, [b"good"])
        found = await receive(link, len(poison) + 1)
        assert payloads(found) == [*poison, b"good"]
        link.acknowledge(found)
        assert link.online


async def test_a_network_thread_that_dies_is_no_silent_ingestor(
    full_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> MqttMessage:
        raise ZeroDivisionError

    async with writer(full_stack) as out, reader(full_stack) as link:
        monkeypatch.setattr("services.runtime.mqtt.MqttMessage", break_down)
        await send(out, [b"poison after all"])
        with pytest.raises(ZeroDivisionError):
            await receive(link, 1)
        with pytest.raises(ZeroDivisionError):
            link.publish(TOPIC, b"x")
        monkeypatch.undo()


async def test_while_offline_a_message_is_not_taken(full_stack: Stack, wire: Wire) -> None:
    async with open_link(settings(full_stack, wire.port), client_id=WRITER) as out:
        await until(lambda: out.online)
        out.publish(TOPIC, b"taken", qos=1)
        await wire.cut()
        await until(lambda: not out.online)
        with pytest.raises(RetryLaterError):
            out.publish(TOPIC, b"refused", qos=1)
        await wire.mend()
        await until(lambda: out.online)
        await send(out, [b"taken again"])


async def test_a_link_starts_before_its_broker(full_stack: Stack, wire: Wire) -> None:
    await wire.cut()
    async with open_link(settings(full_stack, wire.port), client_id=READER, filters=[FILTER]) as link:
        with pytest.raises(RetryLaterError):
            link.publish(TOPIC, b"too early")
        await wire.mend()
        await until(lambda: link.online)


async def test_the_broker_sends_no_more_than_the_window(full_stack: Stack) -> None:
    async with writer(full_stack) as out, reader(full_stack) as link:
        await send(out, numbered("new", WINDOW + 200))
        held = await receive(link, WINDOW)
        await silence(link)
        assert len(held) == WINDOW
        link.acknowledge(held)
        rest = await receive(link, 200)
        assert payloads(held + rest) == numbered("new", WINDOW + 200)
        link.acknowledge(rest)


async def test_what_never_stops_arriving_never_waits_to_be_seen(full_stack: Stack) -> None:
    """A wake-up that is missed would cost the whole wait of half a minute."""
    async with writer(full_stack) as out, reader(full_stack) as link:
        for place in range(300):
            out.publish(TOPIC, b"%d" % place, qos=1)
            async with asyncio.timeout(5):
                found = await link.take(wait_s=30)
            link.acknowledge(found)


async def test_retained_messages_of_every_length_go_out_at_once(full_stack: Stack) -> None:
    """A length takes one byte up to 127, two up to 16,383, then three."""
    around = (1, 90, 127, 128, 16_383, 16_384, 60_000)
    messages = [(f"hb/v1/{shard}/kept/up", os.urandom(length)) for shard, length in enumerate(around)]
    async with writer(full_stack) as out:
        out.publish_retained(messages)
        await send(out, [b"all are out"])
        filters = ["hb/v1/+/kept/up"]
        async with open_link(settings(full_stack), client_id=SECOND_READER, filters=filters, how=WHAT_IS_KEPT) as link:
            held = await receive(link, len(messages))
            assert sorted((one.topic, one.payload) for one in held) == messages
            assert {one.packet_id for one in held} == {0}
        out.publish_retained([(topic, b"") for topic, _ in messages])
        await send(out, [b"all are forgotten"])
