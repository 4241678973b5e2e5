"""Whether an encrypted Kafka serves: asked over its own protocol, since only who signs in (RFC 5802) is answered."""

import base64
import hashlib
import hmac
import secrets
import socket
import struct
from ssl import SSLSocket
from typing import Final

from deploy.local import encryption
from deploy.local.settings import LOOPBACK, StackSettings

ANSWER_S: Final = 2.0
MECHANISM: Final = "SCRAM-SHA-512"
#: Of each request the number and the version: from Kafka's protocol guide.
SASL_HANDSHAKE: Final = (17, 1)
SASL_AUTHENTICATE: Final = (36, 0)
METADATA: Final = (3, 1)
_ERROR: Final = struct.Struct(">h")
_SIZE: Final = struct.Struct(">i")


class RefusedError(Exception):
    """Kafka does not let us in, or not yet."""


def answers(settings: StackSettings, port: int, user: str, secret: str) -> bool:
    """Whether the node lets ``user`` in and lists itself as a broker: before that it takes no records."""
    context = encryption.context(settings)
    assert context is not None  # noqa: S101 - asked of encrypted stacks alone
    try:
        with (
            socket.create_connection((LOOPBACK, port), ANSWER_S) as plain,
            context.wrap_socket(plain, server_hostname=LOOPBACK) as node,
        ):
            _sign_in(node, user, secret)
            # It names no topic; the answer begins with the number of brokers.
            brokers = _SIZE.unpack_from(_ask(node, METADATA, _SIZE.pack(0)))[0]
            return bool(brokers > 0)
    except (OSError, RefusedError):
        return False


def _sign_in(node: SSLSocket, user: str, secret: str) -> None:
    """As RFC 5802 has it. Raises RefusedError, OSError."""
    if _ERROR.unpack_from(_ask(node, SASL_HANDSHAKE, _text(MECHANISM)))[0]:
        raise RefusedError
    first = f"n={user},r={secrets.token_hex(16)}"
    challenge = _authenticate(node, f"n,,{first}")
    asked = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha512", secret.encode(), base64.b64decode(asked["s"]), int(asked["i"]))
    unproven = f"c=biws,r={asked['r']}"
    key = hmac.digest(salted, b"Client Key", "sha512")
    signature = hmac.digest(hashlib.sha512(key).digest(), f"{first},{challenge},{unproven}".encode(), "sha512")
    proof = bytes(ours ^ signed for ours, signed in zip(key, signature, strict=True))
    _authenticate(node, f"{unproven},p={base64.b64encode(proof).decode()}")


def _authenticate(node: SSLSocket, message: str) -> str:
    answer = _ask(node, SASL_AUTHENTICATE, _SIZE.pack(len(message)) + message.encode())
    if _ERROR.unpack_from(answer)[0]:
        raise RefusedError
    # No error and no message to go with it (a length of -1); then the bytes.
    length = _SIZE.unpack_from(answer, 4)[0]
    return answer[8 : 8 + length].decode()


def _ask(node: SSLSocket, request: tuple[int, int], body: bytes) -> bytes:
    """The body of the answer. Raises OSError, also where the node hangs up."""
    whole = struct.pack(">hhi", *request, 1) + _text("probe") + body
    node.sendall(_SIZE.pack(len(whole)) + whole)
    answer = _read(node, _SIZE.unpack(_read(node, _SIZE.size))[0])
    return answer[_SIZE.size :]


def _read(node: SSLSocket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = node.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
