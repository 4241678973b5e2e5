"""Who may say and hear what at the broker: a device its own four topics, each connection of the platform its part."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from schemas.topics import ACK, COMMANDS, DEVICE_ID, MARKER_DEVICE, RESERVED_DEVICE, SHARDS, STATUS, UP

ITERATIONS: Final = 101
"""mosquitto's own default. Few, because a device's secret is a long random string that no dictionary holds: stretching
it buys nothing, and the broker pays it at every connect. Never use this for passwords that people choose."""
_SALT_BYTES: Final = 12
_SECRET_BYTES: Final = 24
BROKER_COUNTER: Final = "$SYS/broker/publish/messages/dropped"
"""What mosquitto says itself of messages that it dropped."""
PASSWORDS: Final = "passwords"
ACL: Final = "acl"
"""The files that mosquitto reads."""
FIXED_PASSWORDS: Final = "fixed-passwords"
FIXED_ACL: Final = "fixed-acl"
"""What both begin with: whom the broker knows whatever devices there are."""
SESSIONS_SOCKET: Final = "sessions.sock"
"""The listener at which a client id is free to choose, so that sessions can be ended."""
_VERIFIER: Final = re.compile(r"\$7\$[0-9]+\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*")


class BrokerUserError(ValueError):
    """A name or a verifier that would break the broker's files."""


class Grant(NamedTuple):
    """One right. ``topic`` may hold wildcards where it is the platform's."""

    access: Literal["read", "write", "readwrite"]
    topic: str


class BrokerUser(NamedTuple):
    """Somebody who may sign in. ``verifier`` is what ``verifier_of`` makes of the secret."""

    name: str
    verifier: str
    grants: tuple[Grant, ...]


class PlatformRole(NamedTuple):
    """A kind of connection of the platform; ``name`` is a pattern of user names. A user name is a client id, too."""

    name: re.Pattern[str]
    grants: tuple[Grant, ...]


PLATFORM_ROLES: Final[tuple[PlatformRole, ...]] = (
    # It writes where devices speak to clear what one of them has left there with the retain flag.
    PlatformRole(
        re.compile(r"ingest-[0-9]+"),
        (Grant("readwrite", f"hb/v1/+/+/{UP.leaf}"), Grant("read", f"hb/v1/+/+/{STATUS.leaf}")),
    ),
    PlatformRole(
        re.compile(r"ingest-[0-9]+-acks"),
        (Grant("write", f"hb/v1/+/+/{ACK.leaf}"), Grant("write", f"hb/v1/+/{MARKER_DEVICE}/{UP.leaf}")),
    ),
    PlatformRole(re.compile(r"commands-[0-9]+"), (Grant("write", f"hb/v1/+/+/{COMMANDS.leaf}"),)),
    PlatformRole(re.compile(r"watch-[0-9]+"), (Grant("read", BROKER_COUNTER),)),
    PlatformRole(
        re.compile(r"trace-[0-9]+"),
        tuple(Grant("read", f"hb/v1/+/+/{topic.leaf}") for topic in (UP, STATUS, ACK, COMMANDS)),
    ),
    # It ends sessions by taking their client id, on a listener of its own, and neither says nor hears anything.
    PlatformRole(re.compile(r"sessions-[0-9]+"), ()),
)


def new_secret() -> str:
    """A secret for a device or a connection: 192 random bits."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def verifier_of(secret: str) -> str:
    """What the broker keeps of a secret: ``$7$iterations$salt$hash`` (PBKDF2 with SHA-512, as mosquitto writes it)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, ITERATIONS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def device_user(device: str, shard: int, verifier: str) -> BrokerUser:
    """A device: it writes what it measures and how it is, and reads its acks and commands, on its own shard alone.

    Raises BrokerUserError.
    """
    if not DEVICE_ID.fullmatch(device) or RESERVED_DEVICE.fullmatch(device):
        raise BrokerUserError(f"{device!r} is not the name of a device")
    if not 0 <= shard < SHARDS:
        raise BrokerUserError(f"{device}: there is no shard {shard}")
    says = [Grant("write", topic.of(shard, device)) for topic in (UP, STATUS)]
    hears = [Grant("read", topic.of(shard, device)) for topic in (ACK, COMMANDS)]
    return BrokerUser(device, verifier, (*says, *hears))


def platform_user(name: str, verifier: str) -> BrokerUser:
    """A connection of the platform, with the rights of its role. Raises BrokerUserError."""
    role = role_of(name)
    if role is None:
        raise BrokerUserError(f"{name!r} is no connection of the platform")
    return BrokerUser(name, verifier, role.grants)


def role_of(name: str) -> PlatformRole | None:
    """The role of a user of that name; None where it is none of the platform's."""
    return next((role for role in PLATFORM_ROLES if role.name.fullmatch(name)), None)


def access_files(users: Iterable[BrokerUser], *, after: tuple[str, str] = ("", "")) -> dict[str, str]:
    """Mosquitto's ``password_file`` and ``acl_file``, by name. The one place that writes what the broker may let in.

    ``after``: the beginning of both, which stands as it is. Raises BrokerUserError for a verifier that is none.
    """
    users = list(users)
    passwords = "".join(f"{user.name}:{_checked(user)}\n" for user in users)
    # A block for each user. Whoever has none may neither say nor hear anything.
    blocks = "".join(
        f"user {user.name}\n" + "".join(f"topic {grant.access} {grant.topic}\n" for grant in user.grants)
        for user in users
        if user.grants
    )
    return {PASSWORDS: after[0] + passwords, ACL: after[1] + blocks}


def _checked(user: BrokerUser) -> str:
    if not _VERIFIER.fullmatch(user.verifier):
        raise BrokerUserError(f"{user.name}: what is kept of its secret is not in mosquitto's form")
    return user.verifier
