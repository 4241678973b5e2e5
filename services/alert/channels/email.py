"""Pages by e-mail, over SMTP."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Final

import aiosmtplib

from schemas.registry import EMAIL as ADDRESS
from services.alert.channels.port import ChannelType, Outcome, Page, Reason, Result
from services.alert.settings import AlertSettings

_TIMEOUT_S: Final = 8.0
_IMPLICIT_TLS_PORT: Final = 465
_PERMANENT: Final = 500


class EmailChannel:
    """One SMTP conversation a page; TLS everywhere but on loopback."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings

    async def send(self, page: Page) -> Result:
        settings = self._settings
        if ADDRESS.fullmatch(page.address) is None:
            return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_TARGET)
        is_local = _is_loopback(settings.smtp_host or "")
        has_tls_port = settings.smtp_port == _IMPLICIT_TLS_PORT
        try:
            await aiosmtplib.send(
                compose(page, settings.sender),
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                use_tls=has_tls_port,
                start_tls=not is_local and not has_tls_port,
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            return _refused(error)
        except aiosmtplib.SMTPResponseException:
            return Result(outcome=Outcome.RETRY, reason=Reason.SERVER_ERROR)
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError):
            return Result(outcome=Outcome.RETRY, reason=Reason.NO_ANSWER)
        except ValueError:
            return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_TARGET)
        return Result(outcome=Outcome.SENT, reason=Reason.ACCEPTED)


def compose(page: Page, sender: str) -> EmailMessage:
    """The message. Its Message-ID is the idempotency key."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = page.address
    message["Subject"] = f"HearthBeat alert {page.alert_id}" + (" (told before)" if page.step > 1 else "")
    message["Message-ID"] = f"<{page.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if page.possible_duplicate:
        message["X-HearthBeat-Possible-Duplicate"] = "yes"
    state = "It has been answered since." if page.handled else "It is waiting for an answer."
    message.set_content(f"Alert {page.alert_id}\n{state}\nThe reason is on the console:\n{page.link}\n")
    return message


def _refused(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError) -> Result:
    codes = (
        [one.code for one in error.recipients] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error.code]
    )
    if all(code >= _PERMANENT for code in codes):
        return Result(outcome=Outcome.FAILED, reason=Reason.REFUSED_BY_RECEIVER)
    return Result(outcome=Outcome.RETRY, reason=Reason.SERVER_ERROR)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _open(settings: AlertSettings) -> AsyncIterator[EmailChannel]:
    yield EmailChannel(settings)


EMAIL: Final = ChannelType(
    name="email",
    configured=lambda settings: settings.smtp_host is not None,
    address=lambda contact: contact.email,
    open=_open,
)
