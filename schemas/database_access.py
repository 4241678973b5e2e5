"""Who signs in at the database: a role for each service, and the address as which it does so."""

from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

DATABASE_SERVICES: Final = ("ingest", "store", "score", "medication", "alert", "api", "watch", "follow")
"""Every process that stays signed in at the database: the services, and the follower beside a broker.

What each may do there stands in ``schemas/sql/roles``.
"""


def role_of(service: str) -> str:
    """The login of a service."""
    return f"hearthbeat_{service}"


def signed_in_as(dsn: str, role: str, secret: str) -> str:
    """The same database, as ``role``: whoever ``dsn`` signs in as, if anybody, and their secret are left out."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role, safe='')}:{quote(secret, safe='')}@{place}"))


def signed_in_as_nobody(dsn: str) -> str:
    """Where the database is, without who signs in there."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
