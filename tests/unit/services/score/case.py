"""What a case of a rule shows, and a line of a case table."""

from collections.abc import Sequence
from enum import StrEnum

from schemas.records import DeviceWord, JudgedUplink


class Kind(StrEnum):
    """What a case shows about its rule."""

    FIRES = "fires"
    DOES_NOT = "does not"
    BOUNDARY = "boundary"
    MISSING_DATA = "missing data"


Row = tuple[Kind, str, Sequence[JudgedUplink | DeviceWord], list[tuple[int, float]]]
"""Kind, story, records, and the level and minute of each finding that follows."""
