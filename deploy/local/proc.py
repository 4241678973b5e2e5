"""Processes as /proc shows them: who still is who, and who came from whom."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class ProcessRef:
    """A pid with its start time (clock ticks since boot), so that a pid used again is not mistaken for it."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether this very process runs or is stopped; a zombie does not count."""
        found = _stat(self.pid)
        return found is not None and found.started == self.started and found.state not in "ZX"

    def send(self, number: signal.Signals) -> None:
        """Signal it if it is still the same process."""
        if self.alive:
            os.kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int
    started: int


def reference(pid: int) -> ProcessRef | None:
    """The process that has this pid now."""
    found = _stat(pid)
    return None if found is None else ProcessRef(pid, found.started)


def descendants(pid: int) -> list[ProcessRef]:
    """Children, their children and so on, parents first."""
    children: dict[int, list[ProcessRef]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))) is not None:
            children.setdefault(found.parent, []).append(ProcessRef(int(entry.name), found.started))
    line = list(children.get(pid, []))
    for process in line:
        # Grows while it is walked through: so grandchildren come, too.
        line.extend(children.get(process.pid, []))
    return line


def wait_gone(processes: list[ProcessRef], timeout_s: float) -> list[ProcessRef]:
    """Wait for processes to end; returns those that did not."""
    deadline = time.monotonic() + timeout_s
    while left := [process for process in processes if process.alive]:
        if time.monotonic() > deadline:
            return left
        time.sleep(POLL_S)
    return []


def _stat(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, the name in brackets, may itself hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent=int(fields[1]), started=int(fields[19]))
