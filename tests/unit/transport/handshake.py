"""A TLS handshake in memory, and certificates for it."""

import ssl
from datetime import datetime, timedelta
from pathlib import Path

from deploy.certificates.authority import Authority
from deploy.certificates.issue import Kind

NAME = "broker.example"


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str = NAME) -> ssl.SSLObject:
    """The client's end of a connection to ``name``. Raises SSLError of whoever refuses first."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for end in [*ends, *ends]:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ends[0]


def served_by(file: Path, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A server that shows ``file``; with ``newest`` one that knows no newer TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if newest is not None:
        # An old server takes old signatures, too.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
    return context


def new_authority(directory: Path, now: datetime) -> Authority:
    """A CA with a server ``broker`` that is NAME and 127.0.0.1."""
    made = Authority.create(directory, "test", now)
    made.sign(Kind.SERVER, "broker", [NAME, "127.0.0.1"], now)
    return made


def long_before(now: datetime) -> datetime:
    """When something was signed whose time is over now."""
    return now - timedelta(days=500)
