"""How fast this machine is at what score does: a fixed loop, so that a cost of one machine can be judged on another."""

import time
from typing import Final, NamedTuple

_TURNS: Final = 200_000
_BEST_OF: Final = 7


class _Sample(NamedTuple):
    at: int
    value: float
    home_no: int


def loop_us() -> float:
    """Microseconds of CPU a turn, the best of several: a tuple made, looked up by its home, compared, and kept."""
    return min(_once() for _ in range(_BEST_OF)) * 1e6 / _TURNS


def _once() -> float:
    began = time.process_time()
    newest: dict[int, _Sample] = {}
    above = 0.0
    for number in range(_TURNS):
        sample = _Sample(number, float(number & 63), number & 1_023)
        before = newest.get(sample.home_no)
        if before is not None and before.at < sample.at:
            above += sample.value - before.value
        newest[sample.home_no] = sample
    return time.process_time() - began
