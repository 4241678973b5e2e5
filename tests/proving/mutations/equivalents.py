"""Mutations that change nothing anybody can see, and why: they are not drawn. Pure."""

from collections.abc import Mapping
from typing import Final

_SPREAD: Final = "Each person's hours close at a moment of their own; within an hour, any is as good."
EQUIVALENTS: Final[Mapping[tuple[str, str, str], str]] = {
    ("services/score/recent_values.py", "_SPREAD_S: Final = 3_600", "_SPREAD_S: Final = 3601"): _SPREAD,
    ("services/score/recent_values.py", "_SPREAD_S: Final = 3_600", "_SPREAD_S: Final = 3599"): _SPREAD,
    (
        "services/score/circumstances.py",
        "return self.shown_at > at >= said + WORN_AGAIN_MS",
        "return self.shown_at >= at >= said + WORN_AGAIN_MS",
    ): "When something first shows at that very moment that the device is worn, it is worn either way.",
}
"""By the file, and by the line as it is and as it becomes."""
