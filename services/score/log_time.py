"""What time it is by a partition's log: as late as every instance of ingest has marked. Pure."""

from typing import Any, Final

from services.score.rule import HOUR_MS

FORGOTTEN_AFTER_MS: Final = HOUR_MS
"""An instance that is so far behind the foremost one is no more, or will be back with what it held: time goes on."""


class LogTime:
    """Everything received before ``now`` (ms; 0 at first) has passed, and it never goes back.

    Each instance of ingest puts its watermark markers between its uplinks, so only the lowest of their newest ones
    says that nothing older comes.
    """

    __slots__ = ("_markers", "now")

    def __init__(self) -> None:
        self._markers: dict[str, int] = {}
        self.now = 0

    def mark(self, instance: str, received_at: int) -> int:
        """Takes a marker of an instance; gives the time."""
        markers = self._markers
        markers[instance] = max(received_at, markers.get(instance, 0))
        foremost = max(markers.values())
        for one in [one for one, marked in markers.items() if marked < foremost - FORGOTTEN_AFTER_MS]:
            del markers[one]
        self.now = max(self.now, min(markers.values()))
        return self.now

    def to_plain(self) -> dict[str, Any]:
        """As plain values."""
        return {"now": self.now, "markers": dict(sorted(self._markers.items()))}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "LogTime":
        """What ``to_plain`` wrote."""
        found = cls()
        found.now, found._markers = plain["now"], dict(plain["markers"])
        return found
