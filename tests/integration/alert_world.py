"""The alert service's work on a database, a round at a time, with a clock that tests move."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from schemas.metrics import METRICS
from services.alert.channels import CHANNELS
from services.alert.claims import FindingClaims
from services.alert.escalation import Escalation
from services.alert.notifications import NotificationQueue
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from tests.integration import care_world
from tests.integration.care_world import START_MS, World


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertService:
    """Claims and escalation over one clock."""

    pool: Pool
    clock: FakeClock
    claims: FindingClaims
    escalation: Escalation

    async def alerts(self, world: World) -> list[asyncpg.Record]:
        """The alerts of a home, the oldest first."""
        return await self.pool.fetch(
            "select * from alerts where home_no = $1 order by first_at, concern", world.home_no
        )

    async def alert(self, world: World) -> asyncpg.Record:
        """The only alert of a home."""
        (alert,) = await self.alerts(world)
        return alert

    async def notified(self, alert: asyncpg.Record) -> list[tuple[int, str]]:
        """At which minute after the start people were notified of an alert, and why."""
        rows = await self.pool.fetch(
            "select distinct n.created_at, s.reason from notifications n join escalation_steps s using (alert_id, step)"
            " where alert_id = $1 order by 1",
            alert["alert_id"],
        )
        start = to_datetime(START_MS)
        return [(round((row["created_at"] - start).total_seconds() / 60), row["reason"]) for row in rows]

    async def story(self, alert: asyncpg.Record) -> list[str]:
        """The trail of an alert."""
        rows = await self.pool.fetch(
            "select what from alert_audit where alert_id = $1 order by audit_no", alert["alert_id"]
        )
        return [row["what"] for row in rows]

    async def pending(self, alert: asyncpg.Record) -> int:
        """How many steps of an alert are planned."""
        count: int = await self.pool.fetchval(
            "select count(*) from escalation_steps where alert_id = $1 and state = 'pending'", alert["alert_id"]
        )
        return count

    async def acknowledge(self, alert: asyncpg.Record, world: World) -> None:
        """Their doctor takes an alert on."""
        now = await self.pool.fetchval("select version from alerts where alert_id = $1", alert["alert_id"])
        at = to_datetime(self.clock.now_ms())
        assert await care_world.acknowledge(self.pool, alert["alert_id"], world.doctor_no, version=now, at=at)

    async def pass_minutes(self, minutes: int) -> None:
        """Platform time passes, and what falls due each minute is taken."""
        for _ in range(minutes):
            self.clock.advance(seconds=60)
            while await self.escalation.repeat():
                pass


async def serve_alerts(pool: Pool, channels: Sequence[str] | None = None) -> AlertService:
    """An alert service whose clock stands at the start; nothing of other tests is planned any more."""
    await pool.execute("update escalation_steps set state = 'cancelled' where state = 'pending'")
    await pool.execute("update findings set claimed_at = raised_at where claimed_at is null")
    clock, sql, log, metrics = (
        FakeClock(at_ms=START_MS),
        load_queries("services.alert"),
        logger("test"),
        Metrics(METRICS),
    )
    names = [one.name for one in CHANNELS] if channels is None else channels
    queue = NotificationQueue(sql=sql, channels=names, clock=clock, real=FakeClock())
    return AlertService(
        pool=pool,
        clock=clock,
        claims=FindingClaims(pool=pool, sql=sql, notifications=queue, clock=clock, metrics=metrics, log=log),
        escalation=Escalation(pool=pool, sql=sql, notifications=queue, clock=clock, metrics=metrics, log=log),
    )
