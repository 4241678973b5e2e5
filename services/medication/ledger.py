"""Looks at the open doses: one transaction reads the events and writes what became of each dose."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from schemas.alerts import Finding
from schemas.doses import REMINDERS_MIN, SAME_TAKING_MIN, DoseState
from schemas.reasons import NO_TAKING
from services.medication.core import OPEN_STATES, RULE, TAKING, Decided, Dose, DoseEvent, DoseOutcome, look
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics
from services.runtime.wakeups import WakeUp, wake

_REMINDERS: Final = tuple(timedelta(minutes=minutes) for minutes in REMINDERS_MIN)
_SAME_TAKING: Final = timedelta(minutes=SAME_TAKING_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseLedger:
    """A crash before the commit changes nothing; after it, the same look finds nothing new."""

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def settle(self) -> int:
        """One look; says 0, as whatever is left has to wait. Raises LOST_CONNECTION: nothing was changed."""
        now = to_datetime(self.clock.now_ms())
        async with transaction(self.pool) as connection:
            if not await connection.fetchval(self.sql["try_turn"]):
                return 0
            # Before the events: what was received up to it is visible to the queries after it.
            watermark = await connection.fetchval(self.sql["watermark"])
            doses = await self._doses(connection, now, watermark)
            if not doses:
                return 0
            outcome = look(
                doses,
                await self._events(connection, doses),
                await self._decided(connection, doses),
                now=now,
                watermark=watermark,
                next_episode=await self._next_episodes(connection, doses),
            )
            await self._write(connection, outcome, now)
        if outcome.findings:
            await wake(self.pool, WakeUp.FINDINGS, metrics=self.metrics)
        self._report(outcome)
        return 0

    async def _doses(self, connection: Connection, now: datetime, watermark: datetime | None) -> list[Dose]:
        rows = await connection.fetch(self.sql["doses_to_settle"], now, watermark, _REMINDERS, TAKING, int(NO_TAKING))
        return [Dose(**(dict(row) | {"state": DoseState(row["state"])})) for row in rows]

    async def _events(self, connection: Connection, doses: Sequence[Dose]) -> list[DoseEvent]:
        rows = await connection.fetch(
            self.sql["events"],
            [dose.device_no for dose in doses],
            [dose.early_after for dose in doses],
            [dose.missed_at for dose in doses],
            TAKING,
            int(NO_TAKING),
        )
        return [DoseEvent(**row) for row in rows]

    async def _decided(self, connection: Connection, doses: Sequence[Dose]) -> list[Decided]:
        since = min(dose.early_after for dose in doses) - _SAME_TAKING
        rows = await connection.fetch(self.sql["decided"], list({dose.device_no for dose in doses}), since)
        return [Decided(**row) for row in rows]

    async def _next_episodes(self, connection: Connection, doses: Sequence[Dose]) -> dict[int, int]:
        people = list({dose.person_no for dose in doses})
        rows = await connection.fetch(self.sql["next_episodes"], people, RULE)
        return dict.fromkeys(people, 1) | {row["person_no"]: row["episode"] for row in rows}

    async def _write(self, connection: Connection, outcome: DoseOutcome, now: datetime) -> None:
        await connection.executemany(
            self.sql["settle_dose"],
            [(dose.dose_id, dose.state, dose.reminders, dose.episode, dose.settled_at) for dose in outcome.doses],
        )
        await connection.executemany(
            self.sql["count_event"],
            [
                (
                    event.device_no,
                    event.epoch,
                    event.seq,
                    event.item,
                    dose_id,
                    event.compartment,
                    event.kind,
                    event.observed_at,
                    decisive,
                )
                for event, dose_id, decisive in outcome.takings
            ],
        )
        await connection.executemany(
            self.sql["add_command"],
            [
                (
                    UUID(command.id),
                    device_no,
                    command.kind,
                    dict(command.details),
                    now,
                    to_datetime(command.expires_at),
                )
                for device_no, command in outcome.commands
            ],
        )
        await connection.executemany(self.sql["add_finding"], [_row(finding, now) for finding in outcome.findings])

    def _report(self, outcome: DoseOutcome) -> None:
        for dose in outcome.doses:
            if dose.state not in OPEN_STATES:
                self.metrics.count("hb_medication_doses_total", state=dose.state)
        for finding in outcome.findings:
            self.metrics.count("hb_medication_findings_total", level=str(finding.level))
            self.log.info("finding", finding_id=str(finding.finding_id), level=finding.level)


def _row(finding: Finding, now: datetime) -> tuple[object, ...]:
    return (
        finding.finding_id,
        finding.person_no,
        finding.home_no,
        finding.rule,
        finding.rule_version,
        finding.episode,
        finding.level,
        finding.severity,
        to_datetime(finding.observed_at),
        now,
        [asdict(one) for one in finding.evidence],
        finding.doctor_text,
        finding.caregiver_text,
        finding.rationale,
        finding.unverified,
        finding.message,
        dict(finding.facts),
        finding.end_reason,
    )
