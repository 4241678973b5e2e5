"""How a contact address is written: one line of text on any channel, checked more closely on those known here."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

CHANNEL_NAME: Final = r"^[a-z][a-z0-9_]{0,31}$"
"""A channel is named like its file. No e-mail address and no URL fits, so an error may repeat it."""
LONGEST_ADDRESS: Final = 2048

_ATOM: Final = r"[A-Za-z0-9_'][A-Za-z0-9_'+-]*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL: Final = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
"""An address that no header, no mail program and no relay takes for something else."""
LONGEST_EMAIL: Final = 254
_URL: Final = re.compile(r"https?://[!-~]+")
_AFTER_HOST: Final = re.compile(r"[/?#]")


def one_line(address: str) -> str:
    """What every address is, of whatever channel. Raises ValueError, which repeats nothing of it."""
    if not address or len(address) > LONGEST_ADDRESS or not address.isprintable() or address != address.strip():
        raise ValueError(f"an address is one line of printable text, {LONGEST_ADDRESS} characters at most")
    return address


def email_address(address: str) -> str:
    """An e-mail address in lower case. Raises ValueError, which repeats nothing of it."""
    lowered = address.lower()
    if len(lowered) > LONGEST_EMAIL or EMAIL.fullmatch(lowered) is None:
        raise ValueError("not an e-mail address")
    return lowered


def webhook_address(address: str) -> str:
    """An http or https URL without a user. Raises ValueError, which repeats nothing of it.

    It is refused where some reader of URLs might see a user or a password before the host, encoded
    or not. What follows the host is free.
    """
    if _URL.fullmatch(address) is None:
        raise ValueError("not an http or https address")
    # Some clients pass over further slashes, and take what follows them for the host.
    host = address.partition("://")[2].lstrip("/")
    if not {"@", "%"}.isdisjoint(_AFTER_HOST.split(host, 1)[0]):
        raise ValueError("no user or password may stand before the host: calls are signed instead")
    return address


CHECK_BY_CHANNEL: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"email": email_address, "webhook": webhook_address}
)
"""So that a register file is refused, by field, for a mistake in an address of these.

A channel that is not listed needs nothing here: its addresses are lines of text to a register file, and the channel's
own file says which of them it takes when one is used.
"""
