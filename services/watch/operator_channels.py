"""Ways to reach the operators, apart from those that reach doctors; and the heartbeat to the outside."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol
from uuid import uuid4

import aiosmtplib
import httpx
import structlog

from schemas.codec import write_json
from services.runtime.metrics import Metrics
from services.runtime.tls import TlsSettings, mail_by_tls
from services.watch.settings import WatchSettings

_TIMEOUT_S: Final = 8.0
_PERMANENT: Final = 500


class SendOutcome(StrEnum):
    """How one message to operators went. REFUSED: for good, by who should have taken it."""

    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"


class OperatorChannel(Protocol):
    """One way to notify operators."""

    name: str

    async def notify(self, subject: str, body: str) -> Sequence[SendOutcome]:
        """Tries once, within a bounded time; an outcome for each message. Raises nothing but cancellation."""


class OperatorMail:
    """E-mail, one message for each operator, so that one refused address does not stop the others.

    By TLS, but on loopback.
    """

    name = "email"

    def __init__(self, settings: WatchSettings, *, unix_time: Callable[[], float]) -> None:
        self._settings, self._unix_time = settings, unix_time

    async def notify(self, subject: str, body: str) -> Sequence[SendOutcome]:
        # All at once: a server that hangs is waited for once, and the next channel is tried.
        return await asyncio.gather(*(self._send(operator, subject, body) for operator in self._settings.operators))

    async def _send(self, operator: str, subject: str, body: str) -> SendOutcome:
        settings = self._settings
        try:
            await aiosmtplib.send(
                self._compose(operator, subject, body),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                **mail_by_tls(settings.smtp_host or "", settings.smtp_port, settings.smtp_ca_file),
                timeout=_TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return (
                SendOutcome.REFUSED if all(one.code >= _PERMANENT for one in error.recipients) else SendOutcome.FAILED
            )
        except aiosmtplib.SMTPResponseException as error:
            return SendOutcome.REFUSED if error.code >= _PERMANENT else SendOutcome.FAILED
        except (aiosmtplib.SMTPException, OSError, ValueError):
            return SendOutcome.FAILED
        return SendOutcome.SENT

    def _compose(self, operator: str, subject: str, body: str) -> EmailMessage:
        """Raises ValueError where no header can hold the address."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._settings.sender, operator, subject
        message["Date"] = format_datetime(datetime.fromtimestamp(self._unix_time(), UTC))
        message["Message-ID"] = f"<{uuid4()}@{self._settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        return message


class OperatorWebhook:
    """A POST of ``{subject, body}``, signed as alert signs its webhooks."""

    name = "webhook"

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self._client, self._url, self._secret = client, url, secret.encode()

    async def notify(self, subject: str, body: str) -> Sequence[SendOutcome]:
        payload = write_json({"subject": subject, "body": body})
        stamp = int(time.time())
        signature = hmac.new(self._secret, b"%d." % stamp + payload, sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "HearthBeat-Timestamp": str(stamp),
            "HearthBeat-Signature": f"v1={signature}",
        }
        try:
            answer = await self._client.post(self._url, content=payload, headers=headers, timeout=_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return [SendOutcome.FAILED]
        return [SendOutcome.SENT if answer.is_success else SendOutcome.FAILED]


class OperatorNotifier:
    """Every channel is tried; one that takes it is enough."""

    def __init__(
        self, channels: list[OperatorChannel], metrics: Metrics, log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._channels, self._metrics, self._log = channels, metrics, log

    async def notify(self, subject: str, body: str) -> bool:
        """Whether operators were notified. Without any channel the log is all there is, and that counts."""
        self._log.error("platform", notified=subject)
        taken = [channel.name for channel in self._channels if await self._try(channel, subject, body)]
        return bool(taken) or not self._channels

    async def _try(self, channel: OperatorChannel, subject: str, body: str) -> bool:
        """Whether anybody took it there. Who did not is named in the log by place in the settings, never by address."""
        outcomes = await channel.notify(subject, body)
        taken = SendOutcome.SENT in outcomes
        for number, outcome in enumerate(outcomes, 1):
            self._metrics.count("hb_watch_notifications_total", channel=channel.name, outcome=outcome)
            if taken and outcome is not SendOutcome.SENT:
                self._log.warning("operator not notified", channel=channel.name, operator=number, outcome=outcome)
        return taken


class Heartbeat:
    """Calls an address outside; a monitor there notifies operators when the calls stop."""

    def __init__(self, client: httpx.AsyncClient, url: str | None, every_s: float, metrics: Metrics) -> None:
        self._client, self._url, self._every_s, self._metrics = client, url, every_s, metrics
        self._next = 0.0

    async def beat(self) -> None:
        """Beats where it is time to. One that fails is tried again at the next look."""
        if self._url is None or time.monotonic() < self._next:
            return
        try:
            answer = await self._client.get(self._url, timeout=_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return
        if answer.is_success:
            self._next = time.monotonic() + self._every_s
            self._metrics.count("hb_watch_heartbeats_total")


@asynccontextmanager
async def open_client(tls: TlsSettings | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """For pages of services, webhook and heartbeat; proxies of the environment are passed over."""
    context = (tls or TlsSettings()).context_for_pages()
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=context) as client:
        yield client


def open_channels(settings: WatchSettings, client: httpx.AsyncClient) -> list[OperatorChannel]:
    """The ways that are set."""
    channels: list[OperatorChannel] = []
    if settings.smtp_host is not None and settings.operators:
        channels.append(OperatorMail(settings, unix_time=time.time))
    if settings.webhook_url is not None and settings.webhook_secret is not None:
        channels.append(OperatorWebhook(client, settings.webhook_url, settings.webhook_secret.get_secret_value()))
    return channels
