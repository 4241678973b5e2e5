"""What holds for whatever leaves this machine: TLS with checked names, and secrets that nobody guesses."""

import ssl
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.secret_files import refuse_open_file
from transport.tls import client_context

LEAST_SECRET: Final = 22
"""Characters. So many of base64url hold the 128 random bits that a secret must have which nobody types."""
_IMPLICIT_TLS_PORT: Final = 465
_LEAST_DIFFERENT: Final = 8
_PLACEHOLDERS: Final = ("changeme", "change-me", "change_me", "password", "secret", "example", "default", "hearthbeat")
"""What stands in templates. Of ten million random secrets, one has such a word in it."""
_SHORTEST_NAME: Final = 6
"""A shorter one stands in many a random secret."""


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine. A name that merely resolves to it is not taken for it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_plaintext(setting: str, host: str, cure: str = "HB_TLS_CA_FILE") -> None:
    """Raises ValueError where ``host`` is not this machine; asked where there is no TLS."""
    if not is_loopback(host):
        raise ValueError(f"{setting}: {host} is not this machine, and nothing leaves it without TLS; set {cure}")


def refuse_open_listener(setting: str, host: str, cure: str) -> None:
    """Raises ValueError where other machines reach what listens on ``host``; asked where it has no certificate."""
    if not is_loopback(host):
        raise ValueError(
            f"{setting}: other machines reach {host}, and nothing is shown to them without TLS; set {cure}"
        )


def refuse_weak_secret(setting: str, secret: str, *names: str) -> None:
    """Raises ValueError for a secret that is short, a placeholder, or one of ``names``. It names no secret."""
    lower = secret.lower()
    words = (*_PLACEHOLDERS, *(name.lower() for name in names if len(name) >= _SHORTEST_NAME))
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"{setting}: a secret off this machine has {LEAST_SECRET} characters or more")
    if len(set(secret)) < _LEAST_DIFFERENT or any(word in lower for word in words):
        raise ValueError(f"{setting}: this secret can be guessed; take a random one, as of `openssl rand -base64 24`")


def mail_by_tls(host: str, port: int, ca_file: Path | None) -> dict[str, Any]:
    """Aiosmtplib's arguments for a mail server: TLS from the start at port 465, by STARTTLS elsewhere.

    Without TLS nothing is sent, but on loopback to a server that nobody named a CA for. Raises OSError.
    """
    at_once = port == _IMPLICIT_TLS_PORT
    asked = not at_once and (ca_file is not None or not is_loopback(host))
    context = _context_for_mail(ca_file) if at_once or asked else None
    return {"use_tls": at_once, "start_tls": asked, "tls_context": context}


@cache
def _context_for_mail(ca_file: Path | None) -> ssl.SSLContext:
    """Made once: to read the system's hundred CAs takes longer than to send a mail."""
    return client_context(ca_file)


class TlsSettings(BaseSettings):
    """TLS for all connections of a process: with ``ca_file`` database, bus and broker are reached by TLS alone.

    ``ca_file`` has the CAs that are trusted, and no others are. ``certificate_file``, key and certificate in one file,
    is this process's own: for its page of metrics, and for servers that ask who it is.
    """

    model_config = SettingsConfigDict(env_prefix="HB_TLS_", env_ignore_empty=True)

    ca_file: Path | None = None
    certificate_file: Path | None = None

    @model_validator(mode="after")
    def _files_are_good(self) -> Self:
        """At the start, and not at the first connection."""
        for name, read in (("CA", self._only_ca), ("CERTIFICATE", self.server_certificate)):
            try:
                read()
            except OSError as error:
                raise ValueError(f"HB_TLS_{name}_FILE: {error.strerror or error.args[0]}") from error
        if self.certificate_file is not None:
            refuse_open_file("HB_TLS_CERTIFICATE_FILE", self.certificate_file)
        return self

    def _only_ca(self) -> None:
        if self.ca_file is not None:
            client_context(self.ca_file)

    def context(self) -> ssl.SSLContext | None:
        """For a connection to one of the platform's servers; None where there is no TLS."""
        return None if self.ca_file is None else client_context(self.ca_file, self.certificate_file)

    def context_for_pages(self) -> ssl.SSLContext:
        """For HTTPS to addresses inside and outside: trusts the system's CAs too. Raises OSError."""
        context = client_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context

    def server_certificate(self) -> "ServerCertificate | None":
        """What a listener of this process shows; None without ``certificate_file``. Raises OSError."""
        return None if self.certificate_file is None else ServerCertificate(self.certificate_file)


class ServerCertificate:
    """A listener's certificate (and key, in the same file or one of its own), read again whenever it was renewed.

    Each handshake looks whether the file has changed, so that a renewal needs no restart. A file that can't be read
    changes nothing: the one before is shown.
    """

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        """Raises OSError."""
        self._certificate, self._key = certificate, key
        self._seen = self._stamp()
        self._latest = self._load()
        self.context = self._load()
        # OpenSSL calls it for each handshake, whether the client names a server or not.
        self.context.sni_callback = self._choose

    def _choose(self, handshake: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        try:
            if (stamp := self._stamp()) != self._seen:
                self._latest, self._seen = self._load(), stamp
        except OSError:
            pass
        handshake.context = self._latest

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        files = (self._certificate, self._key or self._certificate)
        return tuple((found.st_ino, found.st_mtime_ns) for found in (file.stat() for file in files))

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        return context


def check_dsn(setting: str, dsn: str, environment: Mapping[str, str], *, by_tls: bool) -> None:
    """Raises ValueError for a database off this machine without TLS and checked names, or with a weak secret.

    ``environment``: what libpq's variables say where ``dsn`` is silent. ``by_tls``: whether there is a context.
    """
    parts = urlsplit(dsn)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    # At the first @, as asyncpg does, so that both see the same hosts.
    credentials, at, rest = parts.netloc.partition("@")
    credentials, where = (credentials, rest) if at else ("", credentials)
    user, _, password = credentials.partition(":")
    named = [_host(one) for one in where.split(",") if one]
    hosts = named or (asked.get("host") or environment.get("PGHOST", "")).split(",")
    service = asked.get("service") or environment.get("PGSERVICE")
    afar = [host for host in hosts if host and not host.startswith("/") and not is_loopback(host)]
    is_verified = asked.get("sslmode") == "verify-full" and "ssl_min_protocol_version" not in asked
    if not by_tls and not is_verified:
        for host in afar:
            refuse_plaintext(setting, host)
        if service:
            raise ValueError(f"{setting}: a service file may name any server; write its address, or set HB_TLS_CA_FILE")
    secret = unquote(password) or asked.get("password", "")
    if afar and secret:
        refuse_weak_secret(setting, secret, unquote(user))


def key_file_of(dsn: str, environment: Mapping[str, str]) -> Path | None:
    """The file of the key by which ``dsn``, or libpq's variable, signs in; None where neither names one."""
    named = parse_qs(urlsplit(dsn).query).get("sslkey", [environment.get("PGSSLKEY", "")])[-1]
    return Path(named) if named else None


def _host(address: str) -> str:
    """Of host, host:port, [v6] or [v6]:port, percent-encoded."""
    host = unquote(address)
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def hosts_of(addresses: str) -> list[str]:
    """The hosts of ``host:port,host:port``."""
    return [_host(one.strip()) for one in addresses.split(",") if one.strip()]
