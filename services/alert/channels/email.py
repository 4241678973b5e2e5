"""Pages by e-mail, over SMTP."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Final

import aiosmtplib

from schemas.registry import EMAIL as ADDRESS
from services.alert.channels.port import ChannelType, Outcome, Page, Reason, Result
from services.alert.settings import AlertSettings

_TIMEOUT_S: Final = 8.0
_IMPLICIT_TLS_PORT: Final = 465
_PERMANENT: Final = 500
_ABOUT_THE_MAIL: Final = (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError)
"""Refusals of MAIL, RCPT and DATA; those before are refusals of us."""
_SIGN_IN_FIRST: Final = frozenset({530, 534, 535, 538})
"""Answers of RFC 3207 and 4954 that may come to any command, and are about us all the same."""


class EmailChannel:
    """One SMTP conversation a page; TLS everywhere but on loopback."""

    def __init__(self, settings: AlertSettings, *, unix_time: Callable[[], float]) -> None:
        self._settings, self._unix_time = settings, unix_time

    async def send(self, page: Page) -> Result:
        settings = self._settings
        if ADDRESS.fullmatch(page.address) is None:
            return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_TARGET)
        is_local = _is_loopback(settings.smtp_host or "")
        has_tls_port = settings.smtp_port == _IMPLICIT_TLS_PORT
        try:
            await aiosmtplib.send(
                compose(page, settings.sender, self._unix_time()),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                use_tls=has_tls_port,
                start_tls=not is_local and not has_tls_port,
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            return judge_failure(error)
        except ValueError:
            return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_TARGET)
        return Result(outcome=Outcome.SENT, reason=Reason.ACCEPTED)


def compose(page: Page, sender: str, unix_time: float) -> EmailMessage:
    """The message of that moment. Its Message-ID is the idempotency key."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = page.address
    message["Subject"] = f"HearthBeat alert {page.alert_id}" + (" (told before)" if page.step > 1 else "")
    message["Date"] = format_datetime(datetime.fromtimestamp(unix_time, UTC))
    message["Message-ID"] = f"<{page.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if page.possible_duplicate:
        message["X-HearthBeat-Possible-Duplicate"] = "yes"
    state = "It has been answered since." if page.handled else "It is waiting for an answer."
    message.set_content(f"Alert {page.alert_id}\n{state}\nThe reason is on the console:\n{page.link}\n")
    return message


def judge_failure(error: aiosmtplib.SMTPException | OSError) -> Result:
    """5xx to MAIL, RCPT or DATA stays so for this mail. 5xx before that is about us, and an operator can mend it."""
    codes = _codes(error)
    if not codes:
        # Without STARTTLS, or a way to sign in that both know, aiosmtplib raises what carries no code.
        return Result(
            outcome=Outcome.RETRY, reason=Reason.NO_ANSWER if isinstance(error, OSError) else Reason.REFUSES_US
        )
    if any(code < _PERMANENT for code in codes):
        return Result(outcome=Outcome.RETRY, reason=Reason.SERVER_ERROR)
    if isinstance(error, _ABOUT_THE_MAIL) and _SIGN_IN_FIRST.isdisjoint(codes):
        return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_BY_RECEIVER)
    return Result(outcome=Outcome.RETRY, reason=Reason.REFUSES_US)


def _codes(error: aiosmtplib.SMTPException | OSError) -> list[int]:
    """What the server answered; nothing where it did not."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return [one.code for one in error.recipients]
    return [error.code] if isinstance(error, aiosmtplib.SMTPResponseException) else []


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _open(settings: AlertSettings) -> AsyncIterator[EmailChannel]:
    yield EmailChannel(settings, unix_time=time.time)


EMAIL: Final = ChannelType(
    name="email",
    configured=lambda settings: settings.smtp_host is not None,
    address=lambda contact: contact.email,
    open=_open,
)
