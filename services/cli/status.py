"""How the platform is: what is registered, how far everything has come, what watch has found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.cli.session import Session
from services.cli.why import STILL_S
from services.runtime.database import load_queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``counts`` by what is counted. ``behind_s``: real seconds since the watermark; None where there is none."""

    now: datetime
    counts: dict[str, int]
    heard_at: datetime | None
    behind_s: float | None
    incidents: list[tuple[str, str]]

    @property
    def troubles(self) -> list[str]:
        """What somebody should look at, a sentence each; empty where all is well."""
        found = []
        if self.behind_s is None:
            found.append("nothing has ever come through: do all services run?")
        elif self.behind_s > STILL_S:
            found.append(f"nothing has come through for {self.behind_s:.0f} s")
        if count := self.counts["without_recipient"]:
            found.append(f"{count} monitored people without a recipient: hearthbeat without-recipient lists them")
        if count := self.counts["unsigned_webhooks"]:
            found.append(f"{count} webhooks without a secret, called without a signature: hearthbeat receiver rotate")
        found += [
            f"watch: {kind.replace('_', ' ')}{f' ({subject})' if subject else ''}" for kind, subject in self.incidents
        ]
        return found

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "platform_time": self.now.isoformat(),
            "last_heard_at": self.heard_at and self.heard_at.isoformat(),
            "behind_s": self.behind_s,
            "troubles": self.troubles,
            **self.counts,
        }


async def look(session: Session) -> Status:
    """Asks the database."""
    sql = load_queries("services.cli", "status.sql")
    now = session.now
    row = dict(await session.pool.fetchrow(sql["counted"], now) or {})
    heard_at, watermark = row.pop("heard_at"), row.pop("watermark")
    incidents = [(one["kind"], one["subject"]) for one in await session.pool.fetch(sql["incidents"])]
    behind_s = None if watermark is None else (now - watermark).total_seconds() / session.clock.rate
    return Status(now=now, counts=row, heard_at=heard_at, behind_s=behind_s and round(behind_s, 1), incidents=incidents)
