"""What a mail server makes of the mails to doctors and operators, and what becomes of each of its answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from schemas.metrics import METRICS
from services.alert.channels.email import EmailChannel, EmailSettings
from services.alert.channels.port import AttemptOutcome, AttemptReason, AttemptResult, MessageKind, Notification
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.watch.operator_channels import OperatorNotifier, open_channels, open_client
from services.watch.settings import WatchSettings
from tests.integration.receivers import mail_server, scripted_mail_server, serving, webhook_receiver

NOW_S = 1_795_867_200.0
"""Noon UTC of 2026-11-28."""
PAGE = Notification(
    key="00000000-0000-0000-0000-000000000007.1.5.email",
    kind=MessageKind.ALERT,
    subject="HearthBeat, HIGH: new alert",
    text="A new alert.\n",
    link="https://console.example/alerts/7",
    address="doctor@example.org",
    facts={"alert_id": "00000000-0000-0000-0000-000000000007", "step": 1},
    possible_duplicate=False,
)


async def send(port: int, **fields: object) -> AttemptResult:
    """Alert's mail to a doctor."""
    settings = EmailSettings.model_validate(
        {"smtp_host": "127.0.0.1", "smtp_port": port, "sender": "alerts@hearth.example", **fields}
    )
    return await EmailChannel(settings, unix_time=lambda: NOW_S).send(PAGE)


@asynccontextmanager
async def notifier(
    port: int, *operators: str, webhook: str | None = None
) -> AsyncIterator[tuple[OperatorNotifier, Metrics]]:
    """Watch's own, with every channel that is set."""
    settings = WatchSettings(
        smtp_host="127.0.0.1",
        smtp_port=port,
        sender="watch@hearth.example",
        operators=operators,
        webhook_url=webhook,
        webhook_secret=SecretStr("a secret of at least sixteen characters"),
        database=DatabaseSettings(dsn=SecretStr("unused")),
    )
    metrics = Metrics(METRICS)
    async with open_client() as client:
        yield OperatorNotifier(open_channels(settings, client), metrics, logger("test")), metrics


def counted(metrics: Metrics, outcome: str, channel: str = "email") -> float:
    return (
        metrics.registry.get_sample_value("hb_watch_notifications_total", {"channel": channel, "outcome": outcome})
        or 0.0
    )


async def test_a_receiver_that_refuses_mail_without_date_and_message_id_takes_the_page_to_a_doctor() -> None:
    async with mail_server("250 OK") as mails:
        result = await send(mails.port)

    assert result == AttemptResult(outcome=AttemptOutcome.SENT, reason=AttemptReason.ACCEPTED)
    (message,) = mails.messages
    assert parsedate_to_datetime(message["Date"]).timestamp() == NOW_S
    assert message["Date"] == "Sat, 28 Nov 2026 12:00:00 +0000"
    assert message["Message-ID"] == f"<{PAGE.key}@hearth.example>"


async def test_a_receiver_that_refuses_mail_without_date_and_message_id_takes_the_page_to_operators() -> None:
    async with mail_server("250 OK") as mails, notifier(mails.port, "ann@ops.example", "ben@ops.example") as (watch, _):
        assert await watch.notify("subject", "body")

    assert sorted(mails.recipients) == ["ann@ops.example", "ben@ops.example"]
    assert sorted(message["To"] for message in mails.messages) == ["ann@ops.example", "ben@ops.example"]
    assert len({message["Message-ID"] for message in mails.messages}) == 2
    assert all(message["Message-ID"].endswith("@hearth.example>") for message in mails.messages)
    assert all(parsedate_to_datetime(message["Date"]).tzinfo is not None for message in mails.messages)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "body"])
async def test_a_permanent_refusal_of_a_mail_is_final_and_a_passing_one_is_tried_again(verb: str) -> None:
    async with (
        scripted_mail_server(**{verb: "550 no"}) as refusing,
        scripted_mail_server(**{verb: "451 later"}) as busy,
    ):
        assert await send(refusing) == AttemptResult(
            outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_BY_RECEIVER
        )
        assert await send(busy) == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.SERVER_ERROR)


@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": "554 not you"},
        {"EHLO": "550 not you", "HELO": "550 not you"},
        {"EHLO": "250-localhost\r\n250 AUTH PLAIN", "AUTH": "535 wrong password"},
        {"EHLO": "250 localhost, where nobody signs in"},
    ],
)
async def test_a_server_that_refuses_us_is_tried_again_for_a_reason_of_its_own(answers: dict[str, str]) -> None:
    async with scripted_mail_server(**answers) as port:
        result = await send(port, smtp_user="hearthbeat", smtp_password="not this one")

    assert result == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.REFUSES_US)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_wants_us_to_sign_in_says_nothing_about_the_mail(verb: str) -> None:
    async with scripted_mail_server(**{verb: "530 sign in first"}) as port:
        assert await send(port) == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.REFUSES_US)


@pytest.mark.parametrize(
    "answers", [{"greeting": "421 busy"}, {"EHLO": "250-localhost\r\n250 AUTH PLAIN", "AUTH": "454 later"}]
)
async def test_a_server_that_can_not_now_is_tried_again_and_does_not_refuse_us(answers: dict[str, str]) -> None:
    async with scripted_mail_server(**answers) as port:
        result = await send(port, smtp_user="hearthbeat", smtp_password="a password")

    assert result == AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.SERVER_ERROR)


async def test_an_operator_whose_mail_is_refused_keeps_nobody_from_hearing_and_is_counted() -> None:
    async with (
        mail_server("250 OK") as mails,
        notifier(mails.port, "nobody@ops.example", "ben@ops.example") as (watch, metrics),
    ):
        assert await watch.notify("subject", "body")

    assert mails.recipients == ["ben@ops.example"]
    assert (counted(metrics, "sent"), counted(metrics, "refused"), counted(metrics, "failed")) == (1, 1, 0)


async def test_a_content_filter_that_refuses_one_operators_mail_lets_the_others_through() -> None:
    async with (
        mail_server("554 looks odd", "250 OK") as mails,
        notifier(mails.port, "a@ops.example", "b@ops.example") as (watch, _),
    ):
        assert await watch.notify("subject", "body")

    assert len(mails.recipients) == 1


async def test_the_log_says_which_operator_was_refused_and_no_address() -> None:
    async with (
        mail_server("250 OK") as mails,
        notifier(mails.port, "ann@ops.example", "nobody@ops.example") as (watch, _),
    ):
        with capture_logs() as logs:
            await watch.notify("subject", "body")

    (warning,) = [line for line in logs if line["log_level"] == "warning"]
    assert (warning["event"], warning["operator"], warning["outcome"]) == ("operator not notified", 2, "refused")
    assert "ops.example" not in str(logs)


async def test_when_every_operators_mail_is_refused_the_webhook_is_tried_in_the_same_round() -> None:
    async with (
        mail_server("554 looks odd") as mails,
        webhook_receiver(200) as receiver,
        notifier(mails.port, "ann@ops.example", "ben@ops.example", webhook=receiver.address) as (watch, metrics),
    ):
        assert await watch.notify("subject", "body")

    assert len(receiver.calls) == 1
    assert (counted(metrics, "refused"), counted(metrics, "sent", "webhook")) == (2, 1)


async def test_operators_are_not_notified_when_nobody_takes_it() -> None:
    async with mail_server("451 later") as mails, notifier(mails.port, "ann@ops.example") as (watch, metrics):
        assert not await watch.notify("subject", "body")

    assert counted(metrics, "failed") == 1


async def test_an_operators_address_that_no_header_can_hold_keeps_nobody_from_hearing() -> None:
    async with mail_server("250 OK") as mails, notifier(mails.port, "two\nlines", "ben@ops.example") as (watch, _):
        assert await watch.notify("subject", "body")

    assert mails.recipients == ["ben@ops.example"]


async def test_a_mail_server_that_hangs_holds_operators_up_once_and_not_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.watch.operator_channels._TIMEOUT_S", 0.3)

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    operators = [f"{number}@ops.example" for number in range(8)]
    async with serving(hang) as port, notifier(port, *operators) as (watch, _), asyncio.timeout(1.5):
        assert not await watch.notify("subject", "body")
