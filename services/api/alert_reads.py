"""What is read beside an alert: who was notified, what doctors said of it, how often the same came before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Record

from services.api.console import Console
from services.api.nights import LOOKED_BACK, Recurrence, recurrence_of

SHOWN: Final = 8
"""Episodes on the page; the REST interface gives all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcernHistory:
    """How often a concern of a person (or of a home) has come in the 30 days up to its newest episode.

    ``episodes`` and ``earlier`` (its other alerts, however old) stand the newest first.
    """

    episodes: Sequence[Record]
    earlier: Sequence[Record]
    recurrence: Recurrence

    @property
    def shown(self) -> Sequence[Record]:
        """The newest episodes."""
        return self.episodes[:SHOWN]


async def history_of(console: Console, alert: Record) -> ConcernHistory:
    """Of an alert that the doctor was admitted to. What is known now counts, not only what was known by the alert."""
    concern = (alert["home_no"], alert["person_no"], alert["concern"])
    now = console.now()
    episodes = await console.pool.fetch(console.sql["episodes_of_concern"], *concern, now - LOOKED_BACK, now)
    return ConcernHistory(
        episodes=episodes,
        earlier=await console.pool.fetch(console.sql["alerts_of_concern"], *concern, alert["alert_id"]),
        recurrence=recurrence_of([row["began_at"] for row in episodes], ZoneInfo(alert["time_zone"])),
    )


async def notified_of(console: Console, alert_id: UUID) -> Sequence[Record]:
    """Each notification of an alert, the newest first; and the times when nobody was notified."""
    rows: Sequence[Record] = await console.pool.fetch(console.sql["notified_of_alert"], alert_id)
    return rows


async def outcomes_of(console: Console, alert_id: UUID) -> Sequence[Record]:
    """What doctors have said of an alert, in order."""
    rows: Sequence[Record] = await console.pool.fetch(console.sql["outcomes_of_alert"], alert_id)
    return rows
