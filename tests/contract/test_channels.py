"""What every channel keeps to, held against a real receiver of its kind."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.local.ports import free_port
from services.alert.channels import CHANNELS
from services.alert.channels.port import (
    AttemptOutcome,
    AttemptReason,
    ChannelType,
    ConfiguredChannel,
    MessageKind,
    Notification,
)
from tests.integration.receivers import emails_to, mail_server, webhook_receiver, webhooks_on_loopback

SECRET = "a secret of at least sixteen characters"
KEY = "00000000-0000-0000-0000-000000000007.1.5.channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """A receiver of one kind: the channel that reaches it, at which address, and all that arrived, as text."""

    channel: ConfiguredChannel
    address: str
    arrived: Callable[[], list[str]]


@asynccontextmanager
async def mail(*, accepts: bool) -> AsyncIterator[Arrivals]:
    async with mail_server("250 OK" if accepts else "451 later") as server:
        yield Arrivals(
            channel=emails_to(server.port),
            address="doctor@example.org",
            arrived=lambda: [message.as_string() for message in server.messages],
        )


@asynccontextmanager
async def hook(*, accepts: bool) -> AsyncIterator[Arrivals]:
    async with webhook_receiver(200 if accepts else 503) as server:
        yield Arrivals(
            channel=webhooks_on_loopback(),
            address=server.address,
            arrived=lambda: [f"{call.headers}{call.body.decode()}" for call in server.calls],
        )


RECEIVERS: dict[str, Callable[..., AbstractAsyncContextManager[Arrivals]]] = {"email": mail, "webhook": hook}
NOBODY_THERE: dict[str, Callable[[int], tuple[ConfiguredChannel, str]]] = {
    "email": lambda port: (emails_to(port), "doctor@example.org"),
    "webhook": lambda port: (webhooks_on_loopback(), f"http://127.0.0.1:{port}/"),
}


def notification_to(address: str) -> Notification:
    return Notification(
        key=KEY,
        kind=MessageKind.ALERT,
        subject="HearthBeat, HIGH: new alert",
        text="A new alert.\nhttps://console.example/alerts/7\n",
        link="https://console.example/alerts/7",
        address=address,
        facts={"alert_id": "00000000-0000-0000-0000-000000000007", "step": 1},
        possible_duplicate=False,
    )


@pytest.mark.parametrize("kind", CHANNELS, ids=lambda kind: kind.name)
class TestChannel:
    async def test_a_notification_arrives_with_its_key_and_its_link_and_no_secret(self, kind: ChannelType[Any]) -> None:
        async with RECEIVERS[kind.name](accepts=True) as receiver, receiver.channel.open() as channel:
            result = await channel.send(notification_to(receiver.address))

        (arrived,) = receiver.arrived()
        assert (result.outcome, result.reason) == (AttemptOutcome.SENT, AttemptReason.ACCEPTED)
        assert KEY in arrived
        assert "https://console.example/alerts/7" in arrived
        assert SECRET not in arrived

    async def test_a_receiver_that_can_not_now_is_tried_again(self, kind: ChannelType[Any]) -> None:
        async with RECEIVERS[kind.name](accepts=False) as receiver, receiver.channel.open() as channel:
            result = await channel.send(notification_to(receiver.address))

        assert (result.outcome, result.reason) == (AttemptOutcome.RETRY, AttemptReason.SERVER_ERROR)

    async def test_a_receiver_that_is_not_there_is_tried_again(self, kind: ChannelType[Any]) -> None:
        configured, address = NOBODY_THERE[kind.name](free_port())
        async with configured.open() as channel:
            result = await channel.send(notification_to(address))

        assert (result.outcome, result.reason) == (AttemptOutcome.RETRY, AttemptReason.NO_ANSWER)

    @pytest.mark.parametrize("address", ["two\nlines", "\0", "http://[", "https://" + "a" * 300])
    async def test_an_absurd_address_is_not_accepted_or_gets_nothing_and_ends_no_process(
        self, kind: ChannelType[Any], address: str
    ) -> None:
        async with RECEIVERS[kind.name](accepts=True) as receiver, receiver.channel.open() as channel:
            results = [await channel.send(notification_to(address))] if kind.accepts(address) else []

        assert [one for one in results if one.outcome is AttemptOutcome.SENT] == []
        assert receiver.arrived() == []

    async def test_the_addresses_of_its_receivers_are_accepted(self, kind: ChannelType[Any]) -> None:
        async with RECEIVERS[kind.name](accepts=True) as receiver:
            assert kind.accepts(receiver.address)
