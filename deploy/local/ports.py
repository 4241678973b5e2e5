"""Free loopback ports, from below the range that the kernel gives to outgoing connections."""

import random
import socket

from deploy.local.errors import UnsupportedMachineError
from deploy.local.settings import LOOPBACK

#: A port of the ephemeral range could be taken by a client while its server is down.
RANGE = range(20000, 32000)
TRIES = 200
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on now, and that was not given out here before.

    Who was given one may not listen on it yet.
    """
    for port in random.SystemRandom().sample(RANGE, TRIES):
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    message = f"no free port in {TRIES} tries between {RANGE.start} and {RANGE.stop}"
    raise UnsupportedMachineError(message)


def is_free(port: int) -> bool:
    """Whether a server could listen on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
