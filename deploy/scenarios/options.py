"""What can be asked of a run of scenarios."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

CHECKOUT: Final = Path(__file__).resolve().parents[2]
HIGHEST_SPEED: Final = 600.0
STEPPED_RATE: Final = 60.0
"""Platform seconds a real second that limits between the two are reckoned with where time is stepped."""
SOON_S: Final = 5.0
"""What must happen may come so much later, real seconds."""
DUE_S: Final = 15.0
"""The same for what a due row decides."""
STEP_MS: Final = 1000
"""Where time is stepped it stands still meanwhile; this is what the steps of the clock themselves may take."""


class PlayError(RuntimeError):
    """The platform could not be played on."""


class NotReadyError(PlayError):
    """A busy machine took longer to start the platform than its running clock waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``speed`` is platform seconds a real second, 0 for stepped time. ``at_once``: so many platforms run at a time."""

    speed: float
    stack: Literal["embedded", "full"]
    directory: Path
    at_once: int = 2

    @property
    def rate(self) -> float:
        """The rate of the platform's clock."""
        return self.speed or STEPPED_RATE

    @property
    def is_stepped(self) -> bool:
        return not self.speed

    def allowance_ms(self, *, due: bool) -> int:
        """How much later, in platform time, something that must happen may come."""
        return STEP_MS if self.is_stepped else round(1000 * self.speed * (DUE_S if due else SOON_S))
