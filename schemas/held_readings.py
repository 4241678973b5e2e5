"""What became of a reading that another unit or a room-mate explains better than that it is the person's."""

from enum import StrEnum


class HeldState(StrEnum):
    """How it stands. ``KEPT``: it is the person's own; ``MOVED``: it is another's; ``DISMISSED``: nobody's."""

    OPEN = "open"
    KEPT = "kept"
    MOVED = "moved"
    DISMISSED = "dismissed"
