"""What the keeper of a stack's services has left: which process it is, and where the console answers."""

import json
from pathlib import Path
from typing import Any

from deploy.local.proc import ProcessRef


def record_of(run_directory: Path) -> Path:
    """Where a keeper writes down what it keeps."""
    return run_directory / "services.json"


def keeper_of(run_directory: Path) -> ProcessRef | None:
    """The keeper that runs; None where none does."""
    found = _read(run_directory)
    keeper = ProcessRef(found["pid"], found["started"]) if found else None
    return keeper if keeper is not None and keeper.alive else None


def console_of(run_directory: Path) -> str:
    """The address of the doctor's console; empty where no services were started."""
    return str(_read(run_directory).get("console", ""))


def _read(run_directory: Path) -> dict[str, Any]:
    path = record_of(run_directory)
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
