"""One service as a process: its environment, its log with a cap, start, kill, stop."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from logging import Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

SERVICES: Final = ("ingest", "store", "score", "medication", "alert", "api", "watch")
_LOG_BYTES: Final = 4 * 1024 * 1024
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


class ServiceProcess:
    """A child process ``python -m MODULE``. What it writes to stderr goes to a log of at most 8 MB."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = dict(environment)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """Of the child started last, 0 before the first."""
        return self._child.pid if self._child else 0

    @property
    def exit_code(self) -> int | None:
        """Of the child started last; None while it runs."""
        return self._child.poll() if self._child else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether it has ended and was not killed."""
        return self.exit_code not in {None, -signal.SIGKILL}

    def start(self, **once: str) -> None:
        """Starts it, with settings that hold for this one life; does not wait until it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._child = subprocess.Popen(
            [sys.executable, "-m", *self._arguments],
            cwd=_CHECKOUT,
            env=self._environment | once,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A Ctrl-C meant for us must not end the services before we stop them in order.
            start_new_session=True,
        )
        assert self._child.stdout is not None  # noqa: S101 - stdout is a pipe, see above
        # Read all the time: a full pipe would block the service at its next line.
        threading.Thread(target=_keep_log, args=(self._child.stdout, self.log), daemon=True).start()

    def kill(self) -> None:
        """SIGKILL."""
        self._send(signal.SIGKILL)
        self.wait()

    def stop(self, timeout_s: float = 15.0) -> int:
        """SIGTERM, then SIGKILL when it takes too long; its exit code."""
        self._send(signal.SIGTERM)
        try:
            return self.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait()

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        self._send(signal.SIGTERM)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        return self._child.wait(timeout_s) if self._child else 0

    def tail(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _send(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is None:
            os.kill(self._child.pid, number)


def _keep_log(stream: IO[bytes], path: Path) -> None:
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, delay=True)
    handler.setFormatter(Formatter("%(message)s"))
    with stream:
        for line in stream:
            handler.emit(LogRecord("", 0, "", 0, line.decode(errors="replace").rstrip("\n"), None, None))
    handler.close()
