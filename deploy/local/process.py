"""One server as a process of this machine: start, stop, kill, freeze, thaw, each by its own pid."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local import proc
from deploy.local.errors import AlreadyRunningError, NotReadyError
from deploy.local.proc import ProcessRef

STOP_S = 60.0
KILLED_S = 10.0
APPEARS_S = 10.0
LOG_TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server needs to run; the names say when each part is used."""

    name: str
    command: list[str]
    #: Whether the command is a wrapper (``unshare`` of a jail) whose child is the server.
    wrapped: bool
    log: Path
    before_start: Callable[[], None]
    answers: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM


class ServerProcess:
    """The handle of one server; it may have been started by another Python process."""

    def __init__(self, server: Server, found: ProcessRef | None, changed: Callable[[], None]) -> None:
        self._server = server
        self._process = found
        self._child: int | None = None
        self._changed = changed

    @property
    def name(self) -> str:
        """Its name within the stack."""
        return self._server.name

    @property
    def reference(self) -> ProcessRef | None:
        """The process started last, dead or alive."""
        return self._process

    @property
    def pid(self) -> int | None:
        """The host's pid of the server itself (not of a wrapper), None when it isn't running."""
        return self._process.pid if self._process is not None and self._process.alive else None

    @property
    def alive(self) -> bool:
        """Whether the server runs (a frozen one does)."""
        return self.pid is not None

    def start(self) -> None:
        """Start it; returns before it answers, see `wait_ready`."""
        if self.alive:
            message = f"{self.name} runs already, as {self.pid}"
            raise AlreadyRunningError(message)
        self._collect()
        self._server.before_start()
        self._child = _spawn(self._server.command, self._server.log)
        self._process = self._find_server(self._child)
        self._changed()

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until it answers; a server that ended meanwhile is reported with the end of its log."""
        deadline = time.monotonic() + timeout_s
        while not self._server.answers():
            if not self.alive:
                raise NotReadyError(self._report("ended"))
            if time.monotonic() > deadline:
                raise NotReadyError(self._report(f"did not answer within {timeout_s:.0f} s"))
            time.sleep(0.05)

    def stop(self, timeout_s: float = STOP_S) -> None:
        """End it in good order, or with SIGKILL when it takes too long."""
        if self._process is None:
            return
        # Listed while its children can still be found through it.
        everyone = self._everyone()
        # A frozen process would not hear the signal.
        self.thaw()
        self._process.send(self._server.stop_signal)
        for late in proc.wait_gone(everyone, timeout_s):
            late.send(signal.SIGKILL)
        self._collect()

    def kill(self) -> None:
        """SIGKILL the server itself; returns when it and whatever it had started are gone."""
        if self._process is None:
            return
        everyone = self._everyone()
        self._process.send(signal.SIGKILL)
        # PostgreSQL's children notice by themselves that it is gone, and end; these did not.
        for orphan in proc.wait_gone(everyone, KILLED_S):
            orphan.send(signal.SIGKILL)
        proc.wait_gone(everyone, KILLED_S)
        self._collect()

    def freeze(self) -> None:
        """Stop the server and its children in their tracks; connections stay open and nobody answers."""
        for process in self._everyone():
            process.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for process in reversed(self._everyone()):
            process.send(signal.SIGCONT)

    def reload(self) -> None:
        """Make it read its files again (SIGHUP)."""
        if self._process is not None:
            self._process.send(signal.SIGHUP)

    def _everyone(self) -> list[ProcessRef]:
        if self._process is None or not self._process.alive:
            return []
        return [self._process, *proc.descendants(self._process.pid)]

    def _find_server(self, child: int) -> ProcessRef:
        deadline = time.monotonic() + APPEARS_S
        spawned = proc.reference(child)
        while spawned is not None and spawned.alive and time.monotonic() < deadline:
            found = next(iter(proc.descendants(child)), None) if self._server.wrapped else spawned
            if found is not None:
                return found
            time.sleep(proc.POLL_S)
        self._collect()
        raise NotReadyError(self._report("did not start"))

    def _collect(self) -> None:
        if self._child is not None:
            # A child that nobody waits for stays as a zombie, and keeps its pid.
            os.waitpid(self._child, 0)
            self._child = None

    def _report(self, what: str) -> str:
        lines = self._server.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return os.linesep.join([f"{self.name} {what}; the end of {self._server.log}:", *lines])


def _spawn(command: list[str], log: Path) -> int:
    """Start a session of its own, so that a Ctrl-C meant for us doesn't end the servers; returns the pid."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(command[0], command, environment, file_actions=files, setsid=True)
