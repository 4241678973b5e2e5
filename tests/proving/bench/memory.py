"""Resident memory of processes over a run: sampled beside it, judged for its height and for growth."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psutil

FLAT_WITHIN: Final = 0.10
"""The last third's mean may be that much above the second third's."""
SAMPLE_EVERY_S: Final = 2.0
_FEWEST: Final = 6
"""With fewer samples nothing can be said of growth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Megabytes of one process. ``growth``: the last third's mean over the second third's, less 1; None: unknown."""

    most_mb: float
    growth: float | None
    samples_mb: tuple[float, ...]

    @property
    def flat(self) -> bool:
        """Whether it does not grow any more."""
        return self.growth is not None and self.growth <= FLAT_WITHIN


def judge_memory(samples_mb: Sequence[float]) -> Memory:
    """What the samples of one process say, in their order."""
    third = len(samples_mb) // 3
    growth = None
    if len(samples_mb) >= _FEWEST:
        middle, last = samples_mb[third : 2 * third], samples_mb[-third:]
        growth = (sum(last) / len(last)) / (sum(middle) / len(middle)) - 1
    return Memory(most_mb=max(samples_mb, default=0.0), growth=growth, samples_mb=tuple(samples_mb))


@contextmanager
def sampled(pids: Mapping[str, int]) -> Iterator[dict[str, list[float]]]:
    """Samples every two seconds while the block runs; a process that has ended adds no more."""
    samples: dict[str, list[float]] = {name: [] for name in pids}
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_EVERY_S):
            for name, process in processes.items():
                try:
                    samples[name].append(process.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()
