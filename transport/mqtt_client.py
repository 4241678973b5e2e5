"""A paho client that reads all there is in one go and gives the packets it knows a short way.

paho makes four ``recv`` calls, six objects and six locks for each packet. Connecting, subscribing,
keep-alive and errors stay paho's, and so does every packet that a subclass does not know.
"""

import socket
import ssl
from time import monotonic
from typing import Any, ClassVar, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

DONE: Final = MQTTErrorCode.MQTT_ERR_SUCCESS
_SHORTEST_PACKET: Final = 2
_CONTINUES: Final = 0x80
_LOW_BITS: Final = 0x7F
_NOTHING_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ShortcutClient(paho.Client):
    """A subclass takes in ``take_packet`` what it is faster at than paho; all else it passes on."""

    read_bytes: ClassVar[int] = 65_536

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rest = b""
        self._context: ssl.SSLContext | None = None
        self._server_name: str | None = None

    def use_tls(self, context: ssl.SSLContext, server_name: str | None = None) -> None:
        """Every connection from now on is by TLS. ``server_name``: of the certificate, where it is not the host's."""
        self.tls_set_context(context)
        self._context, self._server_name = context, server_name

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """As paho's, for a server that has another name; and a handshake that fails leaves no socket behind."""
        assert self._context is not None  # noqa: S101 - paho asks only then
        name = self._server_name or self.host
        wrapped = self._context.wrap_socket(tcp_sock, server_hostname=name, do_handshake_on_connect=False)
        try:
            wrapped.settimeout(self.connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped

    def take_packet(self, command: int, data: bytes, start: int, end: int) -> MQTTErrorCode:
        """A packet, whose body is ``data`` from ``start`` to ``end``. By paho's own way."""
        return self.take_slowly(command, data[start:end])

    def end_read(self) -> None:
        """Called once the packets of a read were taken, before paho hears what is wrong with one."""

    def reconnect(self) -> MQTTErrorCode:
        """Forgets half a packet of the connection before."""
        self._rest = b""
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Reads what is there in one go."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            data = self.receive(self._sock)
        except _NOTHING_YET:
            return DONE
        except OSError:
            data = b""
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        self._last_bytes_received = monotonic()  # without paho's lock: one store, nothing to tear
        problem = self._take_packets(self._rest + data if self._rest else data)
        self.end_read()
        if problem is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        return self._loop_rc_handle(problem) if problem else DONE

    def receive(self, sock: Any) -> bytes:
        """What is there, ``read_bytes`` or little more; nothing at the end. Raises OSError."""
        data: bytes = sock.recv(self.read_bytes)
        if not isinstance(sock, ssl.SSLSocket) or not data:
            return data
        # A read gives one record of TLS, and brokers make a record of each packet.
        records, size = [data], len(data)
        while size < self.read_bytes:
            try:
                data = sock.recv(self.read_bytes)
            except OSError:
                break  # nothing more, or what the next read will say again
            if not data:
                break
            records.append(data)
            size += len(data)
        return b"".join(records)

    def _take_packets(self, data: bytes) -> MQTTErrorCode | None:
        """What is wrong with a packet, if anything; None where one has ended the connection."""
        start, end = 0, len(data)
        while end - start >= _SHORTEST_PACKET:
            length, body, shift = data[start + 1], start + 2, 7
            if length >= _CONTINUES:
                length -= _CONTINUES
                # MQTT's variable length: seven bits a byte, the lowest first, the high bit says
                # that more follow.
                while body < end and data[body - 1] >= _CONTINUES:
                    length |= (data[body] & _LOW_BITS) << shift
                    shift += 7
                    body += 1
                if data[body - 1] >= _CONTINUES:
                    break
            if end - body < length:
                break
            problem = self.take_packet(data[start], data, body, body + length)
            if problem:
                return problem
            # A callback has closed the connection: the rest of the data is nobody's.
            if self._sock is None:
                return None
            start = body + length
        # The beginning of a packet whose rest has not arrived.
        self._rest = data[start:]
        return DONE

    def take_slowly(self, command: int, body: bytes) -> MQTTErrorCode:
        """Hands a packet to paho as if paho had read it."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(body),
            "packet": bytearray(body),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()
