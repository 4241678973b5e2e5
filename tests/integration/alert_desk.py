"""All of alert's work on a database, round by round, with both clocks moved by hand."""

from datetime import UTC, datetime, time
from uuid import UUID

import asyncpg

from schemas.metrics import METRICS
from services.alert.channels.port import ConfiguredChannel
from services.alert.claims import FindingClaims
from services.alert.delivery import NotificationDelivery
from services.alert.escalation import Escalation
from services.alert.held import HeldNotifications
from services.alert.list_delivery import ListDelivery
from services.alert.mornings import MorningLists
from services.alert.notifications import NotificationQueue
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from tests.integration.care_world import World

_QUIET = """
insert into quiet_hours (doctor_no, begins, ends, zone, valid) values ($1, $2, $3, $4, '[2020-01-01,)')
"""


class AlertDesk:
    """As a process of alert that has just started. Doctors are notified over ``kinds``."""

    def __init__(self, pool: Pool, *kinds: ConfiguredChannel, at_ms: int, real: FakeClock | None = None) -> None:
        self._pool, self._kinds, self._log = pool, kinds, logger("test")
        self._sql, self._list_sql = load_queries("services.alert"), load_queries("services.alert", "lists.sql")
        self.clock, self.real, self.metrics = FakeClock(at_ms=at_ms), real or FakeClock(), Metrics(METRICS)
        self._names = [kind.name for kind in kinds]

    async def clear(self) -> None:
        """Forgets what tests before have left in the queues."""
        await self._pool.execute(
            "update notifications set state = 'failed' where state in ('pending', 'sending', 'held')"
        )
        await self._pool.execute("update escalation_steps set state = 'cancelled' where state = 'pending'")
        await self._pool.execute("update morning_list_sendings set state = 'failed' where state <> 'sent'")
        await self._pool.execute("delete from morning_looks")

    async def claim(self) -> None:
        """Takes every finding, and every step that is due."""
        queue = NotificationQueue(sql=self._sql, channels=self._names, clock=self.clock, real=self.real)
        claims, escalation = (
            work(
                pool=self._pool,
                sql=self._sql,
                notifications=queue,
                clock=self.clock,
                metrics=self.metrics,
                log=self._log,
            )
            for work in (FindingClaims, Escalation)
        )
        assert isinstance(claims, FindingClaims)
        assert isinstance(escalation, Escalation)
        while await claims.claim() + await escalation.repeat():
            pass

    async def release(self) -> int:
        """Lets go what quiet hours have held."""
        held = HeldNotifications(
            pool=self._pool, sql=self._sql, clock=self.clock, real=self.real, metrics=self.metrics, log=self._log
        )
        return await held.release()

    async def look(self) -> None:
        """Makes the lists that are due."""
        mornings = MorningLists(
            pool=self._pool,
            sql=self._list_sql,
            channels=self._names,
            clock=self.clock,
            real=self.real,
            metrics=self.metrics,
            log=self._log,
        )
        while await mornings.make():
            pass

    async def send(self, kind: ConfiguredChannel | None = None) -> int:
        """One round of each channel's notifications; says how many it tried."""
        tried = 0
        for one in [kind] if kind else self._kinds:
            async with one.open() as channel:
                delivery = NotificationDelivery(
                    kind=one,
                    channel=channel,
                    pool=self._pool,
                    sql=self._sql,
                    base_url="https://console.example",
                    clock=self.clock,
                    real=self.real,
                    metrics=self.metrics,
                    log=self._log,
                )
                rows = await delivery.claim(8)
                for row in rows:
                    await delivery.deliver(row)
                tried += len(rows)
        return tried

    async def send_lists(self, kind: ConfiguredChannel | None = None, *, dies_before_recording: bool = False) -> int:
        """Likewise of the lists, until none is due. Dying leaves what a kill between sending and recording leaves."""
        tried = 0
        for one in [kind] if kind else self._kinds:
            async with one.open() as channel:
                delivery = ListDelivery(
                    kind=one,
                    channel=channel,
                    pool=self._pool,
                    sql=self._list_sql,
                    base_url="https://console.example",
                    clock=self.clock,
                    real=self.real,
                    metrics=self.metrics,
                    log=self._log,
                )
                while rows := await delivery.claim(8):
                    tried += len(rows)
                    for row in rows:
                        message = delivery.message_of(row)
                        if dies_before_recording and message is not None:
                            await channel.send(message)
                        else:
                            await delivery.deliver(row)
        return tried

    def counted(self, name: str, **labels: str) -> float:
        """What a metric of this process says."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def at(self, text: str) -> None:
        """Sets the platform's clock to a moment in UTC."""
        self.clock.at_ms = ms(text)


def ms(text: str) -> int:
    """A moment in UTC as platform milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


async def settle_quiet_hours(pool: Pool, doctor_no: int, begins: str, ends: str, zone: str = "Europe/Berlin") -> None:
    """As the doctor sets them at the console."""
    await pool.execute(_QUIET, doctor_no, time.fromisoformat(begins), time.fromisoformat(ends), zone)


async def end_quiet_hours(pool: Pool, doctor_no: int, at_ms: int) -> None:
    """As the doctor gives them up at the console."""
    await pool.execute(
        "update quiet_hours set valid = tstzrange(lower(valid), $2) where doctor_no = $1 and upper_inf(valid)",
        doctor_no,
        to_datetime(at_ms),
    )


async def alert_of(pool: Pool, world: World) -> asyncpg.Record:
    """The only alert of that home."""
    (row,) = await pool.fetch("select * from alerts where home_no = $1", world.home_no)
    assert isinstance(row, asyncpg.Record)
    return row


async def states_of(pool: Pool, alert_id: UUID) -> list[tuple[int, str, str]]:
    """Of its notifications: step, why, state."""
    rows = await pool.fetch(
        "select n.step, s.reason, n.state from notifications n join escalation_steps s using (alert_id, step)"
        " where alert_id = $1 order by n.step, n.doctor_no, n.channel",
        alert_id,
    )
    return [tuple(row) for row in rows]
