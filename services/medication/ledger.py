"""Looks at doses: one transaction reads the events and writes what became of each dose, and what is said of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog

from schemas.doses import JUDGED_FOR_DAYS, OPEN_STATES, REMINDERS_MIN, DoseState, EvidenceRole
from schemas.reasons import NO_TAKING
from services.medication.core import DoseOutcome, Heard, Moment, look, waits_for_missing
from services.medication.evidence import Evidence, evidence_of
from services.medication.machine import DISPENSED, TAKING, Dose, DoseEvent, Needed, Pause, Taking, fold
from services.medication.rows import command_row, dose_row, finding_row, new_dose_row
from services.medication.sayings import DOUBLE_RULE, MISSED_RULE, not_taken_again
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics
from services.runtime.wakeups import WakeUp, wake

_REMINDERS: Final = tuple(timedelta(minutes=minutes) for minutes in REMINDERS_MIN)
_KINDS: Final = (*TAKING, DISPENSED)
_JUDGED_FOR: Final = timedelta(days=JUDGED_FOR_DAYS)
_COUNTED_AGAIN: Final = timedelta(days=8)
"""So far before news all is counted again: a taking of once a week may be one too many."""
_AS_IT_WAS: Final = timedelta(days=10)
"""Doses between this and that are given: their takings are no others' takings, and are not counted again."""
_EVENTS: Final = timedelta(days=18)
"""What was dispensed in the week before, and what reaches the first of the doses, counts."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class _Folded(NamedTuple):
    """Doses whose events were counted again, with what was found; and takings as needed that are none."""

    doses: dict[UUID, Dose]
    takings: Mapping[UUID, Taking]
    known: Mapping[UUID, set[Evidence]]
    gone: Sequence[Dose]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseLedger:
    """A crash before the commit changes nothing; after it, the same look finds nothing new.

    ``resend_after_s`` is what devices are configured with, in real seconds.
    """

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    resend_after_s: float = 60.0

    @property
    def _resend_after(self) -> timedelta:
        """By the platform's clock."""
        return timedelta(seconds=self.resend_after_s * self.clock.rate)

    async def settle(self) -> int:
        """One look; says 0, as whatever is left has to wait. Raises LOST_CONNECTION: nothing was changed."""
        await self.look()
        return 0

    async def look(self) -> datetime | None:
        """Settles what was received up to the watermark, and says where that was; None: not its turn, or not known yet.

        Raises LOST_CONNECTION: nothing was changed.
        """
        now = to_datetime(self.clock.now_ms())
        async with transaction(self.pool) as connection:
            if not await connection.fetchval(self.sql["try_turn"]):
                return None
            # Before the events: what was received up to it is visible to the queries after it.
            watermark = await connection.fetchval(self.sql["watermark"])
            news = await connection.fetch(self.sql["devices_with_news"], _KINDS, int(NO_TAKING), now, now - _JUDGED_FOR)
            folded = await self._fold(connection, news, now)
            doses = await self._open(connection, now, watermark) | folded.doses
            settled = {dose.dose_id for dose in doses.values() if dose.state not in OPEN_STATES}
            if doses or folded.gone:
                moment = await self._moment(connection, doses.values(), now, watermark)
                outcome = _and_gone(look(list(doses.values()), folded.takings, moment), folded.gone)
                await self._write(connection, outcome, folded, now)
            else:
                outcome = DoseOutcome(doses=(), commands=(), findings=())
            if watermark is not None and news:
                await connection.execute(self.sql["looked_at"], watermark)
                await connection.execute(self.sql["plans_looked_at"])
        if outcome.findings:
            await wake(self.pool, WakeUp.FINDINGS, metrics=self.metrics)
        self._report(outcome, settled)
        settled_through: datetime | None = watermark
        return settled_through

    async def _open(self, connection: Connection, now: datetime, watermark: datetime | None) -> dict[UUID, Dose]:
        oldest = now - _JUDGED_FOR
        waited = waits_for_missing(self._resend_after)
        rows = await connection.fetch(self.sql["doses_to_look_at"], now, watermark, _REMINDERS, oldest, waited)
        return {row["dose_id"]: _dose_of(row) for row in rows}

    async def _fold(self, connection: Connection, news: Sequence[asyncpg.Record], now: datetime) -> _Folded:
        if not news:
            return _Folded({}, {}, {}, ())
        devices, since = [row["device_no"] for row in news], [row["since"] for row in news]
        first = dict(zip(devices, since, strict=True))
        rows = await connection.fetch(
            self.sql["doses_of_devices"], devices, [one - _AS_IT_WAS for one in since], now + timedelta(hours=1)
        )
        doses = [_dose_of(row) for row in rows]
        again = {dose.dose_id: dose for dose in doses if dose.missed_at >= first[dose.device_no] - _COUNTED_AGAIN}
        known = await connection.fetch(self.sql["evidence_of_doses"], [dose.dose_id for dose in doses])
        given = {row["dose_id"]: row["observed_at"] for row in known if row["role"] == EvidenceRole.DECIDED}
        events = await connection.fetch(
            self.sql["events_of_devices"], devices, [one - _EVENTS for one in since], _KINDS, int(NO_TAKING)
        )
        takings = fold(
            _to_fold(doses, again),
            [DoseEvent(**row) for row in events],
            given={
                dose.dose_id: given[dose.dose_id]
                for dose in doses
                if dose.dose_id in given and (dose.dose_id not in again or dose.fixed_at is not None)
            },
            needed=[Needed(**row) for row in await connection.fetch(self.sql["needed_of_devices"], devices)],
            pauses=await self._pauses(connection, doses, devices),
        )
        found = _found(takings, doses, again, first)
        evidence: dict[UUID, set[Evidence]] = {}
        for row in known:
            evidence.setdefault(row["dose_id"], set()).add(Evidence(*tuple(row)[1:6]))
        return _Folded(
            {one: again.get(one) or taking.dose for one, taking in found.items()},
            found,
            evidence,
            [dose for dose in again.values() if dose.as_needed and dose.dose_id not in found],
        )

    async def _pauses(self, connection: Connection, doses: Iterable[Dose], devices: Sequence[int]) -> list[Pause]:
        plans = list({dose.plan_id for dose in doses})
        rows = await connection.fetch(self.sql["pauses"], plans, list(devices))
        return [Pause(**row) for row in rows]

    async def _moment(
        self, connection: Connection, doses: Iterable[Dose], now: datetime, watermark: datetime | None
    ) -> Moment:
        doses = list(doses)
        people, devices = list({dose.person_no for dose in doses}), list({dose.device_no for dose in doses})
        heard = await connection.fetch(self.sql["heard"], devices)
        episodes = await connection.fetch(self.sql["next_episodes"], people, [MISSED_RULE, DOUBLE_RULE])
        return Moment(
            now=now,
            watermark=watermark,
            heard={row["device_no"]: Heard(row["at"], row["is_whole"]) for row in heard},
            pauses=await self._pauses(connection, doses, ()),
            next_episode={(row["person_no"], row["rule"]): row["episode"] for row in episodes},
            resend_after=self._resend_after,
        )

    async def _write(self, connection: Connection, outcome: DoseOutcome, folded: _Folded, now: datetime) -> None:
        taken = [taking.dose for taking in folded.takings.values() if taking.dose.as_needed]
        await connection.execute(self.sql["remove_doses"], [dose.dose_id for dose in folded.gone])
        await connection.executemany(self.sql["save_dose"], [new_dose_row(dose) for dose in taken])
        await connection.executemany(self.sql["settle_dose"], [dose_row(dose) for dose in outcome.doses])
        anew, counted = evidence_of(folded.takings, folded.known)
        await connection.execute(self.sql["uncount_events"], anew)
        await connection.executemany(self.sql["count_event"], counted)
        await connection.executemany(
            self.sql["add_command"], [command_row(device_no, command, now) for device_no, command in outcome.commands]
        )
        await connection.executemany(
            self.sql["add_finding"], [finding_row(finding, now) for finding in outcome.findings]
        )

    def _report(self, outcome: DoseOutcome, settled: set[UUID]) -> None:
        for dose in outcome.doses:
            if dose.state not in OPEN_STATES and dose.dose_id not in settled:
                self.metrics.count("hb_medication_doses_total", state=dose.state)
        for finding in outcome.findings:
            self.metrics.count("hb_medication_findings_total", level=str(finding.level))
            self.log.info("finding", finding_id=str(finding.finding_id), level=finding.level)


def _dose_of(row: asyncpg.Record) -> Dose:
    return Dose(**(dict(row) | {"state": DoseState(row["state"])}))


def _to_fold(doses: Iterable[Dose], again: Mapping[UUID, Dose]) -> list[Dose]:
    """Takings as needed that are counted again are made by the fold; what is not counted again is as it was."""
    return [
        dose if dose.dose_id in again else replace(dose, fixed_at=_NEVER)
        for dose in doses
        if not (dose.as_needed and dose.dose_id in again)
    ]


def _found(
    takings: Mapping[UUID, Taking], doses: Iterable[Dose], again: Mapping[UUID, Dose], first: Mapping[int, datetime]
) -> dict[UUID, Taking]:
    """What was counted again; of takings as needed, those that are not older than that."""
    before = {dose.dose_id for dose in doses} - set(again)
    return {
        one: taking
        for one, taking in takings.items()
        if one in again or (one not in before and taking.dose.due_at >= first[taking.dose.device_no] - _COUNTED_AGAIN)
    }


def _and_gone(outcome: DoseOutcome, gone: Sequence[Dose]) -> DoseOutcome:
    """Where a taking too many was found, and there was none, that is said."""
    disproved = [not_taken_again(dose).finding for dose in gone if dose.double_said]
    return replace(outcome, findings=[*outcome.findings, *disproved])
