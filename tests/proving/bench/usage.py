"""What each process of a run costs: CPU seconds and resident memory, read from /proc by psutil."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from deploy.platform.platform import Platform

_SERVER_NAMES: Final = ("mosquitto", "kafka", "postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU seconds since a process began, children included, and its resident megabytes."""

    cpu_s: float
    rss_mb: float


NOTHING: Final = Usage(cpu_s=0.0, rss_mb=0.0)


def pids_of(platform: Platform) -> dict[str, int]:
    """Every service and server by name."""
    servers = {name: platform.stack.process(name).pid or 0 for name in _SERVER_NAMES}
    return {name: process.pid for name, process in platform.processes.items()} | servers


def measure(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Now. Shared memory counts once, for the parent."""
    return {name: _measure_one(pid) for name, pid in pids.items()}


def _measure_one(pid: int) -> Usage:
    parent = psutil.Process(pid)
    cpu = 0.0
    for process in (parent, *parent.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu += times.user + times.system
    ended = parent.cpu_times()
    return Usage(cpu_s=cpu + ended.children_user + ended.children_system, rss_mb=parent.memory_info().rss / 2**20)


def spent(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    """CPU seconds between two measurements."""
    return {name: after[name].cpu_s - before[name].cpu_s for name in after}
