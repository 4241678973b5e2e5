"""Where notifications arrive in tests: a real mail server and webhook receiver on loopback, and channels to them."""

import asyncio
import atexit
import hmac
import os
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP

from services.alert.channels.email import EMAIL, EmailSettings
from services.alert.channels.port import ConfiguredChannel
from services.alert.channels.webhook import WEBHOOK, WebhookSettings
from services.runtime.database import Pool
from services.runtime.sealing import Keys

Answer = int | Literal["hang"]


@asynccontextmanager
async def serving(
    take: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[int]:
    """A server that gives each connection to ``take``; gives its port. Leaves no task behind for the next test."""
    tasks: set[asyncio.Task[Any]] = set()

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            await take(reader, writer)
        writer.close()

    server = await asyncio.start_server(tracked, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=0.5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """What a receiver does before it believes a notification."""
        signed = f"{self.headers['hearthbeat-timestamp']}.".encode() + self.body
        expected = "v1=" + hmac.new(secret.encode(), signed, sha256).hexdigest()
        signatures = self.headers.get("hearthbeat-signature", "").split(",")
        return any(hmac.compare_digest(expected, one) for one in signatures)


@dataclass(slots=True)
class WebhookReceiver:
    """Gives ``answers`` in turn, the last one for ever. ``on_call`` hears it before it answers."""

    answers: list[Answer]
    calls: list[Call] = field(default_factory=list)
    on_call: Callable[[], None] | None = None
    port: int = 0

    @property
    def address(self) -> str:
        """Where to send."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, closed."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
        body = await reader.readexactly(int(headers["content-length"]))
        answer = self.answers[min(len(self.calls), len(self.answers) - 1)]
        self.calls.append(Call(headers=headers, body=body))
        if self.on_call is not None:
            self.on_call()
        if answer == "hang":
            await reader.read()
        else:
            writer.write(f"HTTP/1.1 {answer} {HTTPStatus(answer).phrase}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()


@asynccontextmanager
async def webhook_receiver(*answers: Answer, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[WebhookReceiver]:
    """A receiver that listens."""
    receiver = WebhookReceiver(list(answers))
    async with serving(receiver.take, host=host, port=port) as receiver.port:
        yield receiver


@dataclass(slots=True)
class MailServer:
    """Gives ``replies`` to messages in turn, the last one for ever; keeps what it accepts.

    It refuses a message without ``wants`` (header names), as receivers do that hold mail to RFC 5322.
    """

    replies: list[str]
    wants: tuple[str, ...] = ("Date", "Message-ID")
    messages: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    port: int = 0
    offered: int = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        """The name is aiosmtpd's."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """The name is aiosmtpd's."""
        reply = self.replies[min(self.offered, len(self.replies) - 1)]
        self.offered += 1
        message = message_from_bytes(envelope.content)
        if any(message[name] is None for name in self.wants):
            return "554 5.6.0 a header is missing"
        if reply.startswith("250"):
            self.messages.append(message)
            self.recipients += envelope.rcpt_tos
        return reply


@asynccontextmanager
async def mail_server(*replies: str) -> AsyncIterator[MailServer]:
    """A server that listens."""
    mails = MailServer(list(replies))
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mails, hostname="localhost", loop=asyncio.get_running_loop()), "127.0.0.1", 0
    )
    mails.port = server.sockets[0].getsockname()[1]
    try:
        yield mails
    finally:
        server.close()


@asynccontextmanager
async def scripted_mail_server(**answers: str) -> AsyncIterator[int]:
    """A mail server that says what it is asked to: by verb, ``greeting`` first and ``body`` last. Gives its port."""
    usual = {"greeting": "220 here", "EHLO": "250 localhost", "QUIT": "221 bye", "DATA": "354 go on", "body": "250 OK"}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verb = "greeting"
        while verb:
            answer = (usual | answers).get(verb, "250 OK")
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()
            if verb == "DATA" and answer.startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
                verb = "body"
            else:
                verb = "" if verb == "QUIT" else (await reader.readline()).decode().split(" ")[0].strip().upper()

    async with serving(talk) as port:
        yield port


def emails_to(port: int) -> ConfiguredChannel:
    """Alert's e-mail, over the mail server on ``port``."""
    settings = EmailSettings(smtp_host="127.0.0.1", smtp_port=port, sender="alerts@hearth.example")
    return EMAIL.configure(settings)


KEY = urlsafe_b64encode(sha256(b"the key of the tests").digest()).decode()
KEYS = Keys([KEY])


def key_file() -> Path:
    """A file that holds the key of the tests; of this process, and gone with it."""
    path = Path(tempfile.gettempdir()) / f"hearthbeat-test-keys-{os.getpid()}"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"{KEY}\n")
        atexit.register(path.unlink, missing_ok=True)
    return path


def webhooks_on_loopback() -> ConfiguredChannel:
    """Alert's webhooks, allowed to call receivers on loopback."""
    settings = WebhookSettings(key_file=key_file(), allowed_networks=(ip_network("127.0.0.0/8"),))
    return WEBHOOK.configure(settings)


async def settle_secret(pool: Pool, doctor_no: int, secret: str, *, ends_at: datetime | None = None) -> None:
    """A secret of the doctor's webhook, as `hearthbeat receiver rotate` leaves it."""
    await pool.execute(
        "insert into receiver_secrets (doctor_no, channel, sealed, issued_at, ends_at)"
        " values ($1, 'webhook', $2, $3, $4)",
        doctor_no,
        KEYS.seal(secret),
        datetime(2026, 1, 1, tzinfo=UTC),
        ends_at,
    )
