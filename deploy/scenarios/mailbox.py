"""The mail server of the doctors and caregivers of a platform: what arrives, and when by the platform's clock.

Lists of the morning arrive too, and are no notifications.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, Final

from aiosmtpd.controller import Controller

_LIST: Final = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``key`` is the idempotency key of the notification: alert, step, recipient, channel."""

    arrived_ms: int
    key: str
    to: tuple[str, ...]
    text: str

    @property
    def alert_id(self) -> str:
        """What it is about."""
        return self.key.split(".", 1)[0]


@dataclass(slots=True)
class Mailbox:
    """Everything that arrived, in order: ``mails`` are notifications, ``lists`` lists of the morning."""

    now_ms: Callable[[], int]
    mails: list[Mail] = field(default_factory=list)
    lists: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes every mail."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        body = message.get_body(("plain",))
        key = str(message["Message-ID"]).strip("<>").partition("@")[0]
        text = f"{message['Subject']}\n{body.get_content() if body else ''}"
        taken = self.lists if message["X-HearthBeat-Kind"] == _LIST else self.mails
        taken.append(Mail(arrived_ms=self.now_ms(), key=key, to=tuple(envelope.rcpt_tos), text=text))
        return "250 OK"


@contextmanager
def open_mailbox(port: int, now_ms: Callable[[], int]) -> Iterator[Mailbox]:
    """A mail server on loopback, in a thread of its own."""
    mailbox = Mailbox(now_ms)
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield mailbox
    finally:
        server.stop()
