"""What can be asked of a demo."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
HIGHEST_SPEED: Final = 600.0
"""Above this only recorded data is streamed: incidents need real time to be distinguished."""
DRAIN_S: Final = 120.0
EDIT_AT_MS: Final = 15 * 60_000
"""Platform time since the start at which doses are moved: 25 minutes before they were due (device_sim/fleet.py)."""
FASTEST_EDIT: Final = 120.0
"""Up to this speed a registration, of a few real seconds, is done long before then."""
RUNNING: Final = CHECKOUT / ".local" / "demo" / "running.json"
"""Which process the demo that runs is, and its settings, for the command `hearthbeat`."""
DOCTOR: Final = "doctor@example.org"


class DemoError(RuntimeError):
    """The demo can't go on."""


class OptionError(ValueError):
    """These options do not go together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``for_s`` real seconds (0: until Ctrl-C), ``speed`` platform seconds a real second."""

    for_s: float
    speed: float
    homes: int
    seed: int
    replay: Path | None
    people: int

    def __post_init__(self) -> None:
        if self.speed > HIGHEST_SPEED and self.replay is None:
            raise OptionError(f"SPEED above {HIGHEST_SPEED:.0f} only with REPLAY")
        if self.replay is not None and not self.replay.is_file():
            raise OptionError(f"REPLAY: there is no file {self.replay}")

    @property
    def directory(self) -> Path:
        """Everything a demo writes; emptied at its start."""
        return CHECKOUT / ".local" / "demo"

    @property
    def report(self) -> Path:
        """Where the report goes."""
        return CHECKOUT / ".local" / "reports" / "demo.json"
