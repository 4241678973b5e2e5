"""Mutations that change nothing anybody can see, and why: they are not drawn. Pure."""

from collections.abc import Mapping
from typing import Final

_SPREAD: Final = "Each person's hours close at a moment of their own; within an hour, any is as good."
_NOTHING_SO_OLD: Final = "A moment of 1970: no sample is so old."
EQUIVALENTS: Final[Mapping[tuple[str, str, str], str]] = {
    ("services/score/recent_values.py", "_SPREAD_S: Final = 3_600", "_SPREAD_S: Final = 3601"): _SPREAD,
    ("services/score/recent_values.py", "_SPREAD_S: Final = 3_600", "_SPREAD_S: Final = 3599"): _SPREAD,
    ("services/score/evaluation.py", "return 0", "return 1"): _NOTHING_SO_OLD,
    ("services/score/evaluation.py", "return 0", "return (-1)"): _NOTHING_SO_OLD,
    (
        "services/score/person.py",
        "self._forget(vital, min(reading, default=0))",
        "self._forget(vital, min(reading, default=1))",
    ): _NOTHING_SO_OLD,
    (
        "services/score/person.py",
        "self._forget(vital, min(reading, default=0))",
        "self._forget(vital, min(reading, default=(-1)))",
    ): _NOTHING_SO_OLD,
    (
        "services/score/person.py",
        "if len(samples) > 2 * MOST_SAMPLES:",
        "if len(samples) <= 2 * MOST_SAMPLES:",
    ): "It trims at each sample: that costs time, and leaves what the rules look back over.",
    (
        "services/score/person.py",
        "moved_before = min((begins[name] for name, one in self.evaluations.items() if one.needs_rest), default=0)",
        "moved_before = min((begins[name] for name, one in self.evaluations.items() if one.needs_rest), default=1)",
    ): _NOTHING_SO_OLD,
    (
        "services/score/beyond.py",
        "if not lowest < low <= high < highest or len(moments) < len(values) or samples[0][0] <= track.at:",
        "if not lowest < low <= high < highest or len(moments) < len(values) or samples[0][0] < track.at:",
    ): "A first one of the moment of the last one before adds no gap: taken at once, they leave the same.",
    (
        "services/score/circumstances.py",
        "if spans and spans[-1][0] <= first:",
        "if spans and spans[-1][1] <= first:",
    ): "What is not joined by the short way is joined by the long one below it.",
    (
        "services/score/circumstances.py",
        "return self.shown_at > at >= said + WORN_AGAIN_MS",
        "return self.shown_at >= at >= said + WORN_AGAIN_MS",
    ): "When something first shows at that very moment that the device is worn, it is worn either way.",
    (
        "services/medication/recurrence.py",
        "if before and after is not None:",
        "if before and after is None:",
    ): "It looks further than it needs to: that costs time, and the nearest are the same.",
    (
        "services/medication/sayings.py",
        "return replace(finding, episode=dose.double_episode or 0, level=level, severity=severity)",
        "return replace(finding, episode=dose.double_episode or 1, level=level, severity=severity)",
    ): "A dose of which this is said has its episode.",
    (
        "services/medication/sayings.py",
        "return replace(finding, episode=dose.double_episode or 0, level=level, severity=severity)",
        "return replace(finding, episode=dose.double_episode or (-1), level=level, severity=severity)",
    ): "A dose of which this is said has its episode.",
}
"""By the file, and by the line as it is and as it becomes."""
