"""Takes morning lists to a channel, until each is sent or can never be."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from schemas.alerts import Severity
from services.alert.channels.port import (
    AttemptOutcome,
    AttemptResult,
    Channel,
    ConfiguredChannel,
    MessageKind,
    Notification,
)
from services.alert.core import list_key, list_link, retry_after_s
from services.alert.morning import EntryKind, SaidEntry, held_text, list_words
from services.alert.sending import LEASE_S, STATE_AFTER, attempt, record_within_lease, send_due
from services.alert.words import words_of
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries
from services.runtime.metrics import Metrics
from services.sentences.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDelivery:
    """One channel's share of the lists that are to be sent."""

    kind: ConfiguredChannel
    channel: Channel
    pool: Pool
    sql: Queries
    base_url: str
    clock: Clock
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def run(self, stop: asyncio.Event, *, every_s: float, wake: asyncio.Event | None = None) -> None:
        """Until ``stop``; what is under way then is finished first. ``wake``: there may be a list."""
        await send_due(self, stop, every_s=every_s, clock=self.clock, metrics=self.metrics, log=self.log, wake=wake)

    async def claim(self, most: int) -> Sequence[asyncpg.Record]:
        """Takes lists that are due under a lease. Raises LOST_CONNECTION."""
        now = to_datetime(self.real.now_ms())
        until = now + timedelta(seconds=LEASE_S)
        return await self.pool.fetch(self.sql["claim_sendings"], self.kind.name, now, until, most)

    async def deliver(self, row: asyncpg.Record) -> None:
        """Tries a claimed list once and records how that went."""
        result = await attempt(self.kind, self.channel, self.message_of(row))
        await self._record(row, result)
        self.metrics.count(
            "hb_alert_list_attempts_total", channel=self.kind.name, outcome=result.outcome, reason=result.reason
        )
        speak = self.log.info if result.outcome is AttemptOutcome.SENT else self.log.warning
        speak("morning list", list_no=row["list_no"], outcome=result.outcome, reason=result.reason)

    def message_of(self, row: asyncpg.Record) -> Notification | None:
        """What to send; None where the doctor can't be reached that way any more."""
        if row["address"] is None:
            return None
        link, catalogue = list_link(self.base_url), words_of(row["language"])
        entries = [_said(one, row["zone"], catalogue) for one in row["entries"]]
        words = list_words(row["day"], entries, catalogue, details=row["details"], link=link)
        counted = Counter(one.kind for one in entries)
        return Notification(
            kind=MessageKind.LIST,
            key=list_key(row["doctor_no"], row["day"], self.kind.name),
            subject=words.subject,
            text=words.text,
            link=link,
            address=row["address"],
            possible_duplicate=row["possible_duplicate"],
            facts={"day": str(row["day"]), **{kind: counted[kind] for kind in EntryKind}},
            sealed_secrets=tuple(row["sealed_secrets"]),
        )

    async def _record(self, row: asyncpg.Record, result: AttemptResult) -> None:
        ended_ms = self.real.now_ms()
        retry_ms = ended_ms + 1000 * retry_after_s(row["attempts"]) if result.outcome is AttemptOutcome.RETRY else None
        arguments = (
            row["list_no"],
            self.kind.name,
            row["attempts"],
            STATE_AFTER[result.outcome],
            None if retry_ms is None else to_datetime(retry_ms),
            to_datetime(self.clock.now_ms()) if result.outcome is AttemptOutcome.SENT else None,
            result.reason,
        )
        await record_within_lease(lambda: self.pool.fetchrow(self.sql["record_sending"], *arguments), self.log)


def _said(entry: dict[str, Any], zone: str, catalogue: Catalogue) -> SaidEntry:
    text, held = str(entry["text"]), entry["held"]
    if held is not None:
        text = held_text(**held, zone=zone, catalogue=catalogue)
    return SaidEntry(
        kind=EntryKind(str(entry["kind"])),
        severity=Severity(int(entry["severity"])),
        name=str(entry["name"]),
        text=text,
    )
