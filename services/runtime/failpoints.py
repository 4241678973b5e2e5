"""Places between two steps at which the fault matrix lets a process die; without HB_FAILPOINT nothing happens."""

import os
import signal
from enum import StrEnum
from pathlib import Path
from typing import Final


class Failpoint(StrEnum):
    """What has just been done there, and what has not."""

    STORE_WRITTEN = "store_written"
    """The database has a batch; nothing was published to the devices, the bus's offset not moved."""
    SCORE_WRITING = "score_writing"
    """What follows from a batch is inserted, not committed."""
    SCORE_WRITTEN = "score_written"
    """It is committed; no checkpoint knows of it."""
    ALERT_SENT = "alert_sent"
    """A channel has taken a notification; the database does not know."""
    API_ACKNOWLEDGING = "api_acknowledging"
    """An acknowledgement is made, not committed."""
    API_ACKNOWLEDGED = "api_acknowledged"
    """It is committed; the doctor has no answer yet."""


def _armed() -> Failpoint | None:
    name = os.environ.get("HB_FAILPOINT")
    return Failpoint(name) if name else None


_ARMED: Final = _armed()


def reach(place: Failpoint) -> None:
    """Kills this process where HB_FAILPOINT names the place, once: HB_FAILPOINT_MARKER is the file that says it did."""
    if place is not _ARMED:
        return
    try:
        Path(os.environ["HB_FAILPOINT_MARKER"]).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
