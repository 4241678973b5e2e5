"""What notifications look like, whom webhooks may reach, and how answers are read."""

import hmac
import json
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP, default
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from socket import gaierror

import httpx
import pytest
from pydantic import SecretStr

from schemas.contact_addresses import CHECK_BY_CHANNEL
from services.alert.channels import CHANNELS
from services.alert.channels.email import compose
from services.alert.channels.port import AttemptOutcome, AttemptReason, MessageKind, Notification
from services.alert.channels.webhook import WEBHOOK, WebhookChannel, WebhookSettings, judge_answer
from services.alert.settings import AlertSettings
from services.alert.targets import is_allowed
from services.alert.words import words_of
from services.runtime.sealing import KeyFileError, Keys, new_key
from services.runtime.settings import DatabaseSettings

SECRET = "a secret of at least sixteen characters"
KEYS = Keys([new_key()])
NOW_S = 1_700_000_000.9
PAGE = Notification(
    key="00000000-0000-0000-0000-000000000007.2.5.webhook",
    kind=MessageKind.ALERT,
    subject="HearthBeat, HIGH: new alert",
    text="A new alert.\n",
    link="https://console.example/alerts/00000000-0000-0000-0000-000000000007",
    address="https://93.184.215.14:8443/hook?a=b",
    facts={"alert_id": "00000000-0000-0000-0000-000000000007", "step": 2},
    possible_duplicate=False,
    sealed_secrets=(KEYS.seal(SECRET),),
)


def alert_settings() -> AlertSettings:
    return AlertSettings(database=DatabaseSettings(dsn=SecretStr("postgresql://localhost/nowhere")))


PHONE_BOOK = {
    "receiver.example": ["93.184.215.14"],
    "rebound.example": ["93.184.215.14", "127.0.0.1"],
    "twice.example": ["2606:2800:21f:cb07::1", "93.184.215.14"],
    "2130706433": ["127.0.0.1"],
}


async def phone_book(host: str, _port: int) -> list[IPv4Address | IPv6Address]:
    """Numbers are themselves, a few names are known."""
    if host == "unknown.example":
        raise gaierror
    return [ip_address(one) for one in PHONE_BOOK.get(host, [host])]


class Receiver:
    """Answers and remembers."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self._status, headers={"Location": "http://169.254.169.254/"})

    def channel(self, *allowed: str) -> WebhookChannel:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        networks = [ip_network(one) for one in allowed]
        return WebhookChannel(client, KEYS, allowed_networks=networks, look_up=phone_book, unix_time=lambda: NOW_S)


def test_every_channel_has_a_name_of_its_own_and_is_off_until_configured() -> None:
    assert len({channel.name for channel in CHANNELS}) == len(CHANNELS)
    assert not any(channel.is_on(channel.settings()) for channel in CHANNELS)
    assert alert_settings().channels == ()


def test_a_channel_is_on_with_the_settings_of_its_own_that_stand_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HB_ALERT_WEBHOOK_KEY_FILE", "keys")
    monkeypatch.setenv("HB_ALERT_WEBHOOK_ALLOWED_NETWORKS", '["10.0.0.0/8"]')
    assert [one.name for one in alert_settings().channels] == ["webhook"]
    assert WebhookSettings().allowed_networks == (ip_network("10.0.0.0/8"),)

    monkeypatch.setenv("HB_ALERT_SMTP_HOST", "mail.example")
    monkeypatch.setenv("HB_ALERT_SENDER", "alerts@hearth.example")
    assert [one.name for one in alert_settings().channels] == ["email", "webhook"]


@pytest.mark.parametrize("text", ["", "short", "A" * 43 + "=", "# nothing but words\n"])
async def test_a_missing_short_or_default_key_is_refused_at_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.touch(mode=0o600)
    file.write_text(text)
    opened = WEBHOOK.configure(WebhookSettings(key_file=file)).open()
    with pytest.raises(KeyFileError) as refused:
        await opened.__aenter__()
    assert not text.strip("# \n") or text not in str(refused.value)


def test_what_is_no_address_of_a_channel_is_not_accepted() -> None:
    for channel in CHANNELS:
        assert not any(channel.accepts(text) for text in ("", "two\nlines", "\0", "not an address"))


def test_no_register_file_is_checked_for_a_channel_that_does_not_exist() -> None:
    assert {channel.name for channel in CHANNELS} >= set(CHECK_BY_CHANNEL)


def test_an_email_is_complete_says_its_kind_and_holds_its_words_and_nothing_else() -> None:
    message = compose(replace(PAGE, address="doctor@example.org"), "alerts@hearth.example", NOW_S)

    assert message["Message-ID"] == f"<{PAGE.key}@hearth.example>"
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message["To"] == "doctor@example.org"
    assert message["Subject"] == PAGE.subject
    assert message["X-HearthBeat-Kind"] == "alert"
    assert message.get_content() == PAGE.text


def test_an_email_with_a_list_says_that_it_is_no_notification() -> None:
    assert compose(replace(PAGE, kind=MessageKind.LIST), "a@b", NOW_S)["X-HearthBeat-Kind"] == "list"


def test_a_subject_in_chinese_is_read_as_it_was_written() -> None:
    subject = words_of("zh").phrase("subject", "repeat", severity="高", waiting="45")
    sent = compose(replace(PAGE, subject=subject), "a@b", NOW_S).as_bytes(policy=SMTP)

    assert "无人处理" in subject
    assert sent.isascii()
    assert message_from_bytes(sent, policy=default)["Subject"] == subject


def test_an_email_that_may_be_a_repetition_is_marked() -> None:
    assert compose(replace(PAGE, possible_duplicate=True), "a@b", NOW_S)["X-HearthBeat-Possible-Duplicate"] == "yes"
    assert "X-HearthBeat-Possible-Duplicate" not in compose(PAGE, "a@b", NOW_S)


async def test_a_webhook_is_signed_over_time_and_body() -> None:
    receiver = Receiver()

    result = await receiver.channel().send(PAGE)

    (request,) = receiver.requests
    expected = hmac.new(SECRET.encode(), b"1700000000." + request.content, sha256).hexdigest()
    assert result.outcome is AttemptOutcome.SENT
    assert request.headers["HearthBeat-Timestamp"] == "1700000000"
    assert request.headers["HearthBeat-Signature"] == f"v1={expected}"
    assert request.headers["Idempotency-Key"] == PAGE.key
    assert "HearthBeat-Possible-Duplicate" not in request.headers


async def test_a_webhook_gives_programs_the_facts_and_people_the_words() -> None:
    receiver = Receiver()

    await receiver.channel().send(PAGE)

    assert json.loads(receiver.requests[0].content) == {
        **PAGE.facts,
        "kind": "alert",
        "key": PAGE.key,
        "link": PAGE.link,
        "subject": PAGE.subject,
        "text": PAGE.text,
    }


async def test_a_webhook_that_may_be_a_repetition_is_marked_and_keeps_its_key() -> None:
    receiver = Receiver()

    await receiver.channel().send(replace(PAGE, possible_duplicate=True))

    assert receiver.requests[0].headers["HearthBeat-Possible-Duplicate"] == "yes"
    assert receiver.requests[0].headers["Idempotency-Key"] == PAGE.key


async def test_a_webhook_goes_to_the_address_that_was_judged_under_the_receivers_name() -> None:
    receiver = Receiver()

    await receiver.channel().send(replace(PAGE, address="https://user:word@receiver.example/hook"))

    (request,) = receiver.requests
    assert str(request.url) == "https://93.184.215.14/hook"
    assert request.headers["Host"] == "receiver.example"
    assert request.extensions["sni_hostname"] == "receiver.example"


async def test_the_next_address_is_asked_under_the_receivers_name_too() -> None:
    asked: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            raise httpx.ConnectTimeout("nobody there")
        return httpx.Response(200)

    client = httpx.AsyncClient(transport=httpx.MockTransport(receive))
    channel = WebhookChannel(client, KEYS, look_up=phone_book, unix_time=lambda: NOW_S)
    result = await channel.send(replace(PAGE, address="https://user:word@twice.example/hook"))

    assert result.outcome is AttemptOutcome.SENT
    assert [str(request.url) for request in asked] == [
        "https://[2606:2800:21f:cb07::1]/hook",
        "https://93.184.215.14/hook",
    ]
    assert {request.headers["Host"] for request in asked} == {"twice.example"}
    assert {request.extensions["sni_hostname"] for request in asked} == {"twice.example"}
    assert asked[0].extensions["timeout"]["connect"] < asked[1].extensions["timeout"]["connect"]


async def test_a_redirect_is_not_followed() -> None:
    receiver = Receiver(status=307)

    result = await receiver.channel().send(PAGE)

    assert (result.outcome, result.reason) == (AttemptOutcome.FAILED, AttemptReason.REDIRECT)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.215.14/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://rebound.example/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://10.1.2.3/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://93.184.215.14:99999/",
        "ftp://93.184.215.14/",
        "https://",
        "not an address",
    ],
)
async def test_a_webhook_reaches_nothing_but_the_public_network(address: str) -> None:
    receiver = Receiver()

    result = await receiver.channel().send(replace(PAGE, address=address))

    assert (result.outcome, result.reason) == (AttemptOutcome.FAILED, AttemptReason.REFUSED_TARGET)
    assert receiver.requests == []


async def test_a_name_that_nobody_knows_now_is_tried_again() -> None:
    result = await Receiver().channel().send(replace(PAGE, address="https://unknown.example/"))

    assert (result.outcome, result.reason) == (AttemptOutcome.RETRY, AttemptReason.UNKNOWN_HOST)


@pytest.mark.parametrize(
    ("address", "scheme", "expected"),
    [
        ("127.0.0.1", "http", True),
        ("127.0.0.1", "https", True),
        ("10.0.0.9", "https", True),
        ("10.0.0.9", "http", False),
        ("192.168.0.9", "https", False),
        ("::ffff:127.0.0.1", "http", True),
        ("93.184.215.14", "http", False),
    ],
)
def test_networks_of_ones_own_can_be_allowed_and_plain_http_only_on_loopback(
    *, address: str, scheme: str, expected: bool
) -> None:
    allowed = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"))

    assert is_allowed(ip_address(address), scheme, allowed) is expected


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, AttemptOutcome.SENT),
        (204, AttemptOutcome.SENT),
        (302, AttemptOutcome.FAILED),
        (410, AttemptOutcome.FAILED),
        (422, AttemptOutcome.FAILED),
        (401, AttemptOutcome.RETRY),
        (404, AttemptOutcome.RETRY),
        (429, AttemptOutcome.RETRY),
        (500, AttemptOutcome.RETRY),
        (503, AttemptOutcome.RETRY),
    ],
)
def test_only_what_can_never_succeed_is_given_up(status: int, outcome: AttemptOutcome) -> None:
    assert judge_answer(status).outcome is outcome
