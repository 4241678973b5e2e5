"""What became of a reading that another unit or a room-mate explains better than that it is the person's."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

WAITS_LONG: Final = timedelta(hours=24)
"""What is held for longer than this, counted from its reception, is named on lists of doctors; nobody is notified.

Until then the person may answer, and what comes next may show whose it is. A scale that is switched to pounds is held
every time, and nobody would ever look for what is missing.
"""


class HeldState(StrEnum):
    """How it stands. ``KEPT``: it is the person's own; ``MOVED``: it is another's; ``DISMISSED``: nobody's."""

    OPEN = "open"
    KEPT = "kept"
    MOVED = "moved"
    DISMISSED = "dismissed"
