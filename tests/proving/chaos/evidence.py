"""What is kept of a red run: the logs of its services and servers, which are erased otherwise, and what it did when."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.local.prepare import Say
from deploy.local.settings import CHECKOUT

LOGS: Final = CHECKOUT / ".local" / "reports" / "chaos-logs"
_DIARY: Final = "chaos.log"
_OF_SERVERS: Final = ("*.log*", "kafka/*.log*", "postgresql/log/*.log*")
"""Not all that ends so: Kafka's records do, too."""


def keep_logs(services: Path, servers: Path, to: Path) -> None:
    """Copies the logs of a platform and of its stack; whatever was kept before goes.

    A server's first words after its last start are in a file of its own name, what it says later in its directory.
    """
    shutil.rmtree(to, ignore_errors=True)
    found = {
        "services": (services, services.glob("*.log*")),
        "servers": (servers, (log for pattern in _OF_SERVERS for log in servers.glob(pattern))),
    }
    for name, (source, logs) in found.items():
        for log in logs:
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
