"""The first bytes of MQTT and PostgreSQL: enough to distinguish a server that serves from one that only listens."""

import socket
import struct

ANSWER_S = 1.0
CONNACK = b"\x20"
PASSWORD_WANTED = b"R"
PROTOCOL_3 = 3 << 16

#: CONNECT of MQTT 5 with a clean start: a broker that is ready answers it, if only with "not authorised".
CONNECT = bytes([0x10, 18, 0, 4]) + b"MQTT" + bytes([5, 2, 0, 5, 0, 0, 5]) + b"probe"


def mqtt_answers(host: str, port: int) -> bool:
    """Whether the broker answers a CONNECT."""
    return _first_byte(host, port, CONNECT) == CONNACK


def postgres_answers(host: str, port: int, user: str) -> bool:
    """Whether the database asks for a password; while it starts or recovers it answers with an error instead."""
    names = f"user\0{user}\0database\0postgres\0\0".encode()
    return _first_byte(host, port, struct.pack(">ii", 8 + len(names), PROTOCOL_3) + names) == PASSWORD_WANTED


def _first_byte(host: str, port: int, greeting: bytes) -> bytes:
    try:
        with socket.create_connection((host, port), ANSWER_S) as connection:
            connection.sendall(greeting)
            return connection.recv(1)
    except OSError:
        return b""
