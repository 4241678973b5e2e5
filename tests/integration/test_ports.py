"""Free ports: below the kernel's own range, and never the same one twice, listened on or not."""

import socket

from deploy.local.ports import RANGE, free_port, is_free


def test_no_port_is_given_twice() -> None:
    """Nobody listens on any of them yet, and a service of a platform must not find another there."""
    ports = [free_port() for _ in range(400)]
    assert len(set(ports)) == len(ports)
    assert set(ports) <= set(RANGE)


def test_a_port_where_somebody_listens_is_not_free() -> None:
    port = free_port()
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        assert not is_free(port)
    assert is_free(port)
