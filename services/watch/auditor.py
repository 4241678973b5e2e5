"""One round: probe everything, derive the incidents, notify the operators."""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import structlog

from services.runtime.clock import Clock
from services.runtime.database import LOST_CONNECTION
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics
from services.watch.core import (
    OUTAGES,
    Condition,
    Incident,
    Kind,
    Suspicions,
    fold,
    notification_text,
    notified,
    rise,
    to_notify,
)
from services.watch.database import DatabaseProbe
from services.watch.ledger import Ledger
from services.watch.operator_channels import Heartbeat, OperatorNotifier
from services.watch.probe import Counted, Probe


@dataclass(slots=True, kw_only=True)
class Auditor:
    """Goes on when a server is away. What can't be probed keeps its state.

    That the database can't be probed is an incident of its own.
    """

    probes: Sequence[Probe]
    ledger: Ledger
    notifier: OperatorNotifier
    heartbeat: Heartbeat
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    _suspicions: Suspicions = field(default_factory=Suspicions)

    async def audit(self) -> int:
        """One round. Gives 0: there is never more to do at once."""
        now = self.real.now_ms()
        # Does nothing once it has succeeded; at first the database may be away.
        await self._with_database(self.ledger.load())
        seen, unseen = await self._see(now)
        ripe = self._suspicions.ripe(seen, now)
        # What is only suspected keeps an open incident open, as does what can't be probed.
        still = [*seen, *(_again(one) for one in self.ledger.live if one.kind in unseen)]
        before = {one.incident_id for one in self.ledger.live}
        self.ledger.replace(fold(self.ledger.live, ripe, still, now, _fresh()))
        for one in self.ledger.live:
            if one.incident_id not in before:
                self.metrics.count("hb_watch_incidents_total", kind=one.kind)
                self.log.error("incident", kind=one.kind, subject=one.subject, detail=one.detail)
        open_kinds = {one.kind for one in self.ledger.live if one.ended_at is None}
        for kind in Kind:
            self.metrics.set("hb_watch_incident_state", kind in open_kinds, kind=kind)
        reached = await self._notify(now, outage_suspected=any(one.kind in OUTAGES for one in seen))
        await self._with_database(self.ledger.save())
        self.metrics.count("hb_watch_audits_total")
        if reached:
            await self.heartbeat.beat()
        return 0

    async def _see(self, now: int) -> tuple[list[Condition], set[Kind]]:
        seen: list[Condition] = []
        unseen: set[Kind] = set()
        for probe in self.probes:
            try:
                result = await probe.probe(now)
            except (*LOST_CONNECTION, RetryLaterError) as error:
                unseen |= probe.kinds
                # That the database is away is itself a condition; other probes only keep what was
                # known.
                if isinstance(probe, DatabaseProbe):
                    seen.append(Condition(kind=Kind.DATABASE_AWAY, detail=f"{type(error).__name__}."))
                continue
            seen += result.conditions
            seen += [found for counted in result.counted if (found := self._risen(counted)) is not None]
        return seen, unseen

    def _risen(self, counted: Counted) -> Condition | None:
        counters, birth = self.ledger.counters, f"{counted.counter} born"
        # A counter of a process that began anew began from 0: all that it shows is new.
        is_known = not counted.born or counters.get(birth) == counted.born
        by = rise(counters.get(counted.counter) if is_known else 0, counted.value)
        counters[counted.counter] = counted.value
        if counted.born:
            counters[birth] = counted.born
        return Condition(kind=counted.kind, subject=counted.subject, detail=f"{by} more.") if by else None

    async def _notify(self, now: int, *, outage_suspected: bool) -> bool:
        """Whether operators can be reached, as far as is known."""
        due = to_notify(self.ledger.live, now, outage_suspected=outage_suspected)
        if not due:
            return True
        reached = await self.notifier.notify(*notification_text(due, self.ledger.live))
        # No heartbeat while operators can't be reached: whoever listens outside then speaks for us.
        if reached:
            ids = {one.incident_id for one in due}
            self.ledger.replace([notified(one, now) if one.incident_id in ids else one for one in self.ledger.live])
        return reached

    async def _with_database(self, work: Awaitable[None]) -> None:
        """What can't be written now is written at a later look."""
        try:
            await work
        except LOST_CONNECTION as error:
            self.log.warning("database away", error=type(error).__name__)


def _again(incident: Incident) -> Condition:
    return Condition(kind=incident.kind, subject=incident.subject, detail=incident.detail)


def _fresh() -> Iterator[UUID]:
    while True:
        yield uuid4()
