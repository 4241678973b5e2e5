"""The doctor's mail server: what arrives is what a doctor would have seen, repetitions included."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final
from zlib import crc32

from aiosmtpd.controller import Controller

_REFUSES_ONE_IN: Final = 4


@dataclass(frozen=True, slots=True)
class Mail:
    """A notification as it arrived. ``key``: the idempotency key; ``flagged``: it says that it may be a repetition."""

    key: str
    flagged: bool
    subject: str = ""


@dataclass(slots=True)
class Inbox:
    """Everything that arrived, in order; ``lists`` apart, since a list of the morning is no notification."""

    mails: list[Mail] = field(default_factory=list)
    lists: list[Mail] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes every mail, one in four only when it is sent again."""
        message = message_from_bytes(envelope.content)
        key = str(message["Message-ID"])
        if crc32(key.encode()) % _REFUSES_ONE_IN == 0 and key not in self.refused:
            self.refused.add(key)
            return "451 Try again later"
        flagged = message["X-HearthBeat-Possible-Duplicate"] == "yes"
        taken = self.lists if message["X-HearthBeat-Kind"] == "list" else self.mails
        taken.append(Mail(key=key, flagged=flagged, subject=str(message["Subject"])))
        return "250 OK"

    @property
    def keys(self) -> frozenset[str]:
        """The idempotency keys of the notifications that arrived."""
        return frozenset(mail.key.strip("<>").partition("@")[0] for mail in self.mails)

    def report(self) -> dict[str, int]:
        """How many notifications were sent, and how many came again with and without saying so."""
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
