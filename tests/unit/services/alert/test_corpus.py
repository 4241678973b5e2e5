"""Every address of the bad-input corpus is refused or reached, and nobody else hears of it."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx
import pytest
from pydantic import ValidationError

from schemas.registry import ContactAddress, Doctor
from services.alert.channels.email import EMAIL, compose
from services.alert.channels.port import MessageKind, Notification
from services.alert.channels.webhook import WebhookChannel
from services.runtime.sealing import Keys, new_key
from tests.proving.fuzz.corpus import Case, made_of, played_by

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-HearthBeat-Kind"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
}
PUBLIC = "93.184.215.14"
PHONE_BOOK = {"receiver.example": [PUBLIC], "rebound.example": [PUBLIC, "127.0.0.1"], "2130706433": ["127.0.0.1"]}
KEYS = Keys([new_key()])


def notification_to(address: str) -> Notification:
    return Notification(
        key="00000000-0000-0000-0000-000000000007.1.5.channel",
        kind=MessageKind.ALERT,
        subject="HearthBeat, HIGH: new alert",
        text="A new alert.\n",
        link="https://console.example/alerts/00000000-0000-0000-0000-000000000007",
        address=address,
        facts={"alert_id": "00000000-0000-0000-0000-000000000007", "step": 1},
        possible_duplicate=False,
    )


@pytest.mark.parametrize("case", played_by("email"), ids=lambda case: case.id)
def test_an_e_mail_address_is_reached_alone_or_neither_registered_nor_sent_to(case: Case) -> None:
    address = made_of(case.sent["address"]).decode()
    if case.fate["registered"]:
        (contact,) = Doctor(email=address, name="Dr Who").contact_addresses
        assert EMAIL.accepts(contact.address)
        message = compose(notification_to(contact.address), "hb@example.org", 1_700_000_000.0)
        assert set(message.keys()) == HEADERS
        assert [one.addr_spec for one in message["To"].addresses] == [address.lower()]
    else:
        with pytest.raises(ValidationError):
            Doctor(email=address, name="Dr Who")
        with pytest.raises(ValidationError):
            ContactAddress(channel="email", address=address)
        assert not EMAIL.accepts(address)


async def phone_book(host: str, _port: int) -> list[IPv4Address | IPv6Address]:
    """Numbers are themselves, a few names are known; a name that is none fails as the system's look-up does."""
    host.encode("idna")
    return [ip_address(one) for one in PHONE_BOOK.get(host, [host])]


@pytest.mark.parametrize("case", played_by("webhook"), ids=lambda case: case.id)
async def test_a_webhook_reaches_its_receiver_or_nobody(case: Case) -> None:
    requests: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(case.sent.get("status", 200), headers={"Location": "http://169.254.169.254/"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(receive))
    channel = WebhookChannel(client, KEYS, look_up=phone_book, unix_time=lambda: 1_700_000_000.0)
    result = await channel.send(notification_to(made_of(case.sent["address"]).decode()))
    assert (result.outcome, result.reason) == (case.fate["outcome"], case.fate["reason"])
    assert len(requests) == case.fate["requests"]
    assert {request.url.host for request in requests} <= {PUBLIC}
