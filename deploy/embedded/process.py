"""One embedded server as a child process; its pid is the server's own."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.embedded.errors import NotReadyError

STOP_S = 30.0
KILLED_S = 10.0
POLL_S = 0.02
LOG_TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a server needs to run."""

    name: str
    command: list[str]
    log: Path
    answers: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    #: The account to run as, None for our own.
    user: str | None = None


class ChildProcess:
    """Start, stop, kill, freeze and thaw one server."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self._program.name

    @property
    def pid(self) -> int | None:
        """The server's pid, None when it isn't running."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def alive(self) -> bool:
        return self.pid is not None

    def start(self) -> None:
        """Start it unless it runs; returns before it answers, see `wait_ready`."""
        if self.alive:
            return
        self._collect()
        end_left_over(self._record)
        with self._program.log.open("wb") as log:
            self._child = subprocess.Popen(
                self._program.command,
                # Never written to: the broker reads it to notice that we are gone (see broker.py).
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # So that a Ctrl-C meant for us does not end the server before we do.
                start_new_session=True,
                user=self._program.user,
            )
        self._record.write_text(f"{self._child.pid} {psutil.Process(self._child.pid).create_time()}")

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Wait until it answers; a server that ended meanwhile is reported with the end of its log."""
        deadline = time.monotonic() + timeout_s
        while not self._program.answers():
            if not self.alive:
                raise NotReadyError(self._report("ended"))
            if time.monotonic() > deadline:
                raise NotReadyError(self._report(f"did not answer within {timeout_s:.0f} s"))
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End it in good order, or with SIGKILL when it takes too long."""
        self.thaw()
        self._end(self._program.stop_signal, STOP_S)

    def kill(self) -> None:
        """SIGKILL the server; returns when it and whatever it had started are gone."""
        self._end(signal.SIGKILL, KILLED_S)

    def freeze(self) -> None:
        for process in self._everyone():
            process.suspend()

    def thaw(self) -> None:
        for process in reversed(self._everyone()):
            process.resume()

    @property
    def _record(self) -> Path:
        return self._program.log.with_suffix(".pid")

    def _everyone(self) -> list[psutil.Process]:
        if self.pid is None:
            return []
        server = psutil.Process(self.pid)
        return [server, *server.children(recursive=True)]

    def _end(self, number: signal.Signals, patience_s: float) -> None:
        everyone = self._everyone()
        if self._child is not None:
            self._child.send_signal(number)
        _, late = psutil.wait_procs(everyone, patience_s)
        for process in late:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(late, KILLED_S)
        self._collect()

    def _collect(self) -> None:
        if self._child is not None:
            self._child.wait(KILLED_S)
            if self._child.stdin is not None:
                self._child.stdin.close()
            self._child = None
            self._record.unlink(missing_ok=True)

    def _report(self, what: str) -> str:
        lines = self._program.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return os.linesep.join([f"{self.name} {what}; the end of {self._program.log}:", *lines])


def end_left_over(record: Path) -> None:
    """End the server that a killed run left behind, if the recorded pid still is that very process."""
    if not record.exists():
        return
    pid, created = record.read_text().split()
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(pid))
        # Otherwise the pid belongs to somebody else by now.
        if process.create_time() == float(created):
            everyone = [process, *process.children(recursive=True)]
            # PostgreSQL's fast shutdown; the broker has nothing to save.
            process.send_signal(signal.SIGINT)
            _, late = psutil.wait_procs(everyone, KILLED_S)
            for each in late:
                each.kill()
    record.unlink()
