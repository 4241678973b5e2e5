"""A Docker engine of one's own: unpacked packages, data of its own, a socket that nobody else asks. For tests."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.containers.engine import Engine, NoEngineError
from deploy.local import docker
from deploy.local.prepare import locked, prepare_docker
from deploy.local.stack import say_nothing

_STARTS_S: Final = 120.0
_ENDS_S: Final = 60.0


@contextmanager
def own_engine(local: Path) -> Iterator[Engine]:
    """Runs one for as long as the block lasts; images stay for the next time.

    Raises NoEngineError, and what ``prepare_docker`` raises where its packages can't be had.
    """
    prepare_docker(local, say_nothing)
    root = docker.directory(local)
    # One at a time may use the data; and a socket's path has to be short.
    with locked(local / "docker" / "engine.lock"), tempfile.TemporaryDirectory(prefix="hb-docker-") as folder:
        socket = f"unix://{folder}/docker.sock"
        environment = docker.environment(root, os.environ) | {"DOCKER_HOST": socket}
        # It ends with us, however we end, and ends its containers then.
        command = [
            "setpriv", "--pdeathsig", "TERM", "--", "dockerd",
            "--data-root", str(local / "docker" / "data"), "--exec-root", f"{folder}/exec",
            "--pidfile", f"{folder}/pid", "--host", socket,
        ]  # fmt: skip
        log = local / "docker" / "dockerd.log"
        with log.open("wb") as file:
            daemon = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            engine = Engine("docker", environment)
            _wait_for(engine, daemon, log)
            yield engine
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(_ENDS_S)


def _wait_for(engine: Engine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _STARTS_S
    while why := engine.why_unusable():
        if daemon.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise NoEngineError(f"{why}; the end of {log}:\n{tail}")
        time.sleep(0.2)
