"""The doctor's mail server: what arrives is what a doctor would have seen, repetitions included."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(frozen=True, slots=True)
class Mail:
    """A page as it arrived. ``key`` is its idempotency key; ``flagged``: it says itself that it may be a repetition."""

    key: str
    flagged: bool


@dataclass(slots=True)
class Inbox:
    """Everything that arrived, in order."""

    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes every mail."""
        message = message_from_bytes(envelope.content)
        flagged = message["X-HearthBeat-Possible-Duplicate"] == "yes"
        self.mails.append(Mail(key=str(message["Message-ID"]), flagged=flagged))
        return "250 OK"

    def report(self) -> dict[str, int]:
        """How many pages were sent, and how many came again with and without saying so."""
        seen: set[str] = set()
        again = {True: 0, False: 0}
        for mail in self.mails:
            again[mail.flagged] += mail.key in seen
            seen.add(mail.key)
        return {"sent": len(self.mails), "duplicated_flagged": again[True], "duplicated_unflagged": again[False]}


@contextmanager
def open_inbox(port: int) -> Iterator[Inbox]:
    """A mail server on loopback."""
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield inbox
    finally:
        server.stop()
