"""Hypoglycaemia episodes counted straight from a trace, written independently of the rule, for comparing."""

from collections.abc import Sequence
from itertools import pairwise

Trace = Sequence[tuple[float, float]]
"""(minute, mg/dL) in order of time."""


def episodes(trace: Trace, limit: float) -> list[tuple[float, float]]:
    """First low minute and the minute at which it had lasted 15 min, of each episode below ``limit``."""
    found = []
    for piece in _without_gaps(trace):
        rest = piece
        while lows := [minute for minute, value in rest if value < limit]:
            rest = [sample for sample in rest if sample[0] >= lows[0]]
            over = _end(rest)
            low = [minute for minute, value in rest if value < limit and minute < over]
            counted = [minute for minute in low if minute - low[0] >= 15]
            if counted:
                found.append((low[0], counted[0]))
            rest = [sample for sample in rest if sample[0] >= over]
    return found


def _without_gaps(trace: Trace) -> list[Trace]:
    cuts = [0, *(n for n in range(1, len(trace)) if trace[n][0] - trace[n - 1][0] > 30), len(trace)]
    return [trace[start:end] for start, end in pairwise(cuts)]


def _end(samples: Trace) -> float:
    """The first minute by which every value of 15 min or more was at or above 70."""
    for number, (minute, _) in enumerate(samples):
        back = number
        while back >= 0 and samples[back][1] >= 70:
            if minute - samples[back][0] >= 15:
                return minute
            back -= 1
    return float("inf")
