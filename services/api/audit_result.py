"""What the newest comparison of the audit with its seals has found: a command writes it, consoles show it."""

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

FILE: Final = "audit-verified.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``verified_at`` is real time; ``faults`` are rows that were changed, are missing or were added, and anchors."""

    verified_at: datetime
    faults: int


def write_result(directory: Path, result: Result) -> None:
    """Puts it in the place of the one before, in the folder of the anchors. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = directory / f"{FILE}.{os.getpid()}"
    said = {"verified_at": result.verified_at.isoformat(), "faults": result.faults}
    fresh.write_text(json.dumps(said) + "\n", "ascii")
    fresh.replace(directory / FILE)


def read_result(directory: Path) -> Result | None:
    """The newest; None where there is none that can be read: then it counts as never."""
    try:
        said = json.loads((directory / FILE).read_text("ascii"))
        return Result(verified_at=datetime.fromisoformat(said["verified_at"]), faults=int(said["faults"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
