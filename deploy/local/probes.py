"""The first bytes of MQTT and PostgreSQL: enough to distinguish a server that serves from one that only listens."""

import socket
import ssl
import struct

ANSWER_S = 1.0
CONNACK = b"\x20"
PASSWORD_WANTED = b"R"
PROTOCOL_3 = 3 << 16
PLEASE_TLS = struct.pack(">ii", 8, 80877103)
TLS_YES = b"S"

#: CONNECT of MQTT 5 with a clean start: a broker that is ready answers it, if only with "not authorised".
CONNECT = bytes([0x10, 18, 0, 4]) + b"MQTT" + bytes([5, 2, 0, 5, 0, 0, 5]) + b"probe"


def mqtt_answers(host: str, port: int, context: ssl.SSLContext | None = None) -> bool:
    """Whether the broker answers a CONNECT, by TLS where there is a ``context``."""
    return _first_byte(host, port, CONNECT, context) == CONNACK


def postgres_answers(host: str, port: int, user: str, context: ssl.SSLContext | None = None) -> bool:
    """Whether the database asks for a password; while it starts or recovers it answers with an error instead."""
    names = f"user\0{user}\0database\0postgres\0\0".encode()
    greeting = struct.pack(">ii", 8 + len(names), PROTOCOL_3) + names
    return _first_byte(host, port, greeting, context, PLEASE_TLS) == PASSWORD_WANTED


def _first_byte(
    host: str, port: int, greeting: bytes, context: ssl.SSLContext | None, asks_for_tls: bytes = b""
) -> bytes:
    try:
        with socket.create_connection((host, port), ANSWER_S) as connection:
            if context is None:
                return _answer(connection, greeting)
            if asks_for_tls and _answer(connection, asks_for_tls) != TLS_YES:
                return b""
            with context.wrap_socket(connection, server_hostname=host) as encrypted:
                return _answer(encrypted, greeting)
    except OSError:
        return b""


def _answer(connection: socket.socket, greeting: bytes) -> bytes:
    connection.sendall(greeting)
    return connection.recv(1)
