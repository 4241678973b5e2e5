"""Notifications by e-mail, over SMTP."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import aiosmtplib
from pydantic import Field, FilePath, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.contact_addresses import EMAIL as ADDRESS
from services.alert.channels.port import AttemptOutcome, AttemptReason, AttemptResult, ChannelType, Notification
from services.runtime.tls import mail_by_tls

_TIMEOUT_S: Final = 8.0
_PERMANENT: Final = 500
_ABOUT_THE_MAIL: Final = (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError)
"""Refusals of MAIL, RCPT and DATA; those before are refusals of us."""
_SIGN_IN_FIRST: Final = frozenset({530, 534, 535, 538})
"""Answers of RFC 3207 and 4954 that may come to any command, and are about us all the same."""


class EmailSettings(BaseSettings):
    """The mail server. Off without ``smtp_host``.

    ``smtp_ca_file`` has the CAs that may vouch for it; without one, those of the system.
    """

    model_config = SettingsConfigDict(env_prefix="HB_ALERT_", hide_input_in_errors=True)

    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_ca_file: FilePath | None = None
    sender: str = Field(default="hearthbeat@localhost", pattern=r"^[^@\s]+@[^@\s]+$")


class EmailChannel:
    """One SMTP conversation a notification; TLS everywhere but on loopback."""

    def __init__(self, settings: EmailSettings, *, unix_time: Callable[[], float]) -> None:
        self._settings, self._unix_time = settings, unix_time

    async def send(self, notification: Notification) -> AttemptResult:
        settings = self._settings
        try:
            await aiosmtplib.send(
                compose(notification, settings.sender, self._unix_time()),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                **mail_by_tls(settings.smtp_host or "", settings.smtp_port, settings.smtp_ca_file),
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            return judge_failure(error)
        # No header can hold the address: trying again would not help.
        except ValueError:
            return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_TARGET)
        return AttemptResult(outcome=AttemptOutcome.SENT, reason=AttemptReason.ACCEPTED)


def compose(notification: Notification, sender: str, unix_time: float) -> EmailMessage:
    """The message of that moment. Its Message-ID is the idempotency key."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = notification.address
    message["Subject"] = notification.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(unix_time, UTC))
    message["Message-ID"] = f"<{notification.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-HearthBeat-Kind"] = notification.kind
    if notification.possible_duplicate:
        message["X-HearthBeat-Possible-Duplicate"] = "yes"
    message.set_content(notification.text)
    return message


def judge_failure(error: aiosmtplib.SMTPException | OSError) -> AttemptResult:
    """5xx to MAIL, RCPT or DATA stays so for this mail. 5xx before that is about us, and an operator can mend it."""
    codes = _codes(error)
    if not codes:
        # Without STARTTLS, or a way to sign in that both know, aiosmtplib raises what carries no code.
        return AttemptResult(
            outcome=AttemptOutcome.RETRY,
            reason=AttemptReason.NO_ANSWER if isinstance(error, OSError) else AttemptReason.REFUSES_US,
        )
    if any(code < _PERMANENT for code in codes):
        return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.SERVER_ERROR)
    if isinstance(error, _ABOUT_THE_MAIL) and _SIGN_IN_FIRST.isdisjoint(codes):
        return AttemptResult(outcome=AttemptOutcome.FAILED, reason=AttemptReason.REFUSED_BY_RECEIVER)
    return AttemptResult(outcome=AttemptOutcome.RETRY, reason=AttemptReason.REFUSES_US)


def _codes(error: aiosmtplib.SMTPException | OSError) -> list[int]:
    """What the server answered; nothing where it did not."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return [one.code for one in error.recipients]
    return [error.code] if isinstance(error, aiosmtplib.SMTPResponseException) else []


@asynccontextmanager
async def _open(settings: EmailSettings) -> AsyncIterator[EmailChannel]:
    yield EmailChannel(settings, unix_time=time.time)


EMAIL: Final = ChannelType(
    name="email",
    settings=EmailSettings,
    is_on=lambda settings: settings.smtp_host is not None,
    accepts=lambda address: ADDRESS.fullmatch(address) is not None,
    open=_open,
)
