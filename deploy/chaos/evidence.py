"""What is kept of a red run: the logs of its services and servers, which are erased otherwise, and what it did when."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT

LOGS: Final = CHECKOUT / ".local" / "reports" / "chaos-logs"
_DIARY: Final = "chaos.log"

Say = Callable[[str], None]


def keep_logs(services: Path, servers: Path, to: Path = LOGS) -> None:
    """Copies the logs in these two directories and one below; whatever was kept before goes.

    Not those further down: there Kafka's data has that ending, too.
    """
    shutil.rmtree(to, ignore_errors=True)
    for name, source in (("services", services), ("servers", servers)):
        for log in (*source.glob("*.log*"), *source.glob("*/*.log*")):
            kept = to / name / log.relative_to(source)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, kept)


def with_diary(say: Say, logs: Path) -> Say:
    """Says it, and writes it down beside the services' logs, with the time they would give."""
    logs.mkdir(parents=True, exist_ok=True)
    diary = logs / _DIARY

    def both(text: str) -> None:
        say(text)
        with diary.open("a", encoding="utf-8") as lines:
            lines.write(f"{datetime.now(UTC).isoformat()} {text}\n")

    return both
