"""The certificates of an encrypted stack: a CA of its own, and what each server shows."""

import shutil
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.certificates.authority import Authority
from deploy.certificates.files import CA_CERTIFICATE, give_to
from deploy.local.settings import LOOPBACK, SERVERS, StackSettings

SERVICES: Final = "services"
"""What the services show at their own listeners."""
SHOWN: Final = "server.pem"
"""In a server's own directory: its key and certificate."""
_EVERYTHING_DAYS: Final = 100_000


def ca_file(settings: StackSettings) -> Path:
    """What clients of an encrypted stack trust."""
    return _directory(settings) / CA_CERTIFICATE


def services_file(settings: StackSettings) -> Path:
    """Key and certificate of the services."""
    return _directory(settings) / f"{SERVICES}.pem"


def make_certificates(settings: StackSettings) -> None:
    """Makes the CA and what it signs, where that is missing. Raises CertificateError."""
    now = datetime.now(UTC)
    authority = Authority.open_or_create(_directory(settings), f"HearthBeat stack {settings.name}", now)
    authority.provide(dict.fromkeys((*SERVERS, SERVICES), (LOOPBACK, "localhost")), (), now)


def hand_out(settings: StackSettings, server: str, owner: tuple[int, int] | None = None) -> None:
    """Gives a server, whose user is ``owner``, what it shows, and its own copy of the CA."""
    directory = settings.server_directory(server)
    authority = Authority.open(_directory(settings))
    give_to(authority.leaf_file(server), directory / SHOWN, owner)
    shutil.copyfile(authority.ca_file, directory / CA_CERTIFICATE)
    (directory / CA_CERTIFICATE).chmod(0o644)


def renew(settings: StackSettings) -> None:
    """Signs everything anew, whenever it would end; nobody shows it yet."""
    Authority.open(_directory(settings)).renew(datetime.now(UTC), within_days=_EVERYTHING_DAYS)


def context(settings: StackSettings) -> ssl.SSLContext | None:
    """For a client of this stack; None for a stack in plaintext."""
    return ssl.create_default_context(cafile=ca_file(settings)) if settings.tls else None


def _directory(settings: StackSettings) -> Path:
    return settings.run_directory / "certificates"
