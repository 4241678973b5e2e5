"""The proxy of the fault matrix does to real connections what its modes say."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.local.ports import free_port
from tests.proving.faults.proxy import Mode, Proxy, open_proxy

SHORT_S = 0.3


class Echo:
    """A server that says back what it hears, and notes it."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while chunk := connection.recv(4096):
                self.heard += chunk
                connection.sendall(chunk)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with open_proxy(free_port(), echo.port) as opened:
        yield opened


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), 5)


def hears(client: socket.socket, *, within_s: float = 5) -> bytes:
    client.settimeout(within_s)
    try:
        return client.recv(4096)
    except TimeoutError:
        return b"nothing"


def has_ended(client: socket.socket) -> bool:
    try:
        return hears(client) == b""
    except ConnectionResetError:
        return True


def test_what_is_said_comes_back(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert hears(client) == b"hello"


def test_what_is_held_comes_through_afterwards(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        proxy.switch(Mode.HOLD)
        client.sendall(b"hello")
        assert hears(client, within_s=SHORT_S) == b"nothing"
        assert echo.heard == b""
        proxy.switch(Mode.THROUGH)
        assert hears(client) == b"hello"


def test_what_is_swallowed_never_comes_and_a_new_connection_is_whole(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        proxy.switch(Mode.SWALLOW)
        client.sendall(b"hello")
        assert hears(client, within_s=SHORT_S) == b"nothing"
        proxy.switch(Mode.THROUGH)
        client.sendall(b"again")
        assert hears(client, within_s=SHORT_S) == b"nothing"
        assert echo.heard == b""
    with connect(proxy) as client:
        client.sendall(b"anew")
        assert hears(client) == b"anew"


def test_one_way_the_server_hears_and_the_answer_waits(proxy: Proxy, echo: Echo) -> None:
    with connect(proxy) as client:
        proxy.switch(Mode.ONE_WAY)
        client.sendall(b"hello")
        assert hears(client, within_s=SHORT_S) == b"nothing"
        assert echo.heard == b"hello"
        proxy.switch(Mode.THROUGH)
        assert hears(client) == b"hello"


def test_a_cut_ends_connections_and_takes_no_new_one(proxy: Proxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"hello")
        assert hears(client) == b"hello"
        proxy.switch(Mode.CUT)
        assert has_ended(client)
        with connect(proxy) as another:
            assert has_ended(another)
        proxy.switch(Mode.THROUGH)
        with connect(proxy) as another:
            another.sendall(b"back")
            assert hears(another) == b"back"


def test_a_delay_is_for_each_way(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.delay_s = 0.1
        began = time.monotonic()
        client.sendall(b"hello")
        assert hears(client) == b"hello"
        assert time.monotonic() - began >= 0.2


def test_a_narrow_line_takes_its_time(proxy: Proxy) -> None:
    with connect(proxy) as client:
        proxy.bytes_per_s = 10_000
        began = time.monotonic()
        client.sendall(bytes(2_000))
        got = 0
        while got < 2_000:
            got += len(hears(client))
        assert time.monotonic() - began >= 0.4
