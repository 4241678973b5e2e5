"""Score's row work over a household on a real database: what the tests of it share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from schemas.alerts import Message
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.metrics import METRICS
from schemas.reasons import Flag
from schemas.vitals import VITAL_BY_CODE
from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.due import DueRows
from services.score.effects import EffectWriter
from services.score.followups import FallCheck
from services.score.rule import Subject
from services.score.sample import Sample
from services.score.silence import SilenceWatch
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.care_world import START_MS, World, settle_in

MINUTE_MS = 60_000
OTHER = 100_000
"""What another device of the home has more in its number."""


def at(seconds: float) -> datetime:
    """So many platform seconds into the story."""
    return to_datetime(START_MS + round(seconds * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Score's row work over a household. Nothing but the tests moves its watermark; what is due is not held back."""

    pool: Pool
    clock: FakeClock
    world: World
    writer: EffectWriter
    due: DueRows
    silence: SilenceWatch
    metrics: Metrics

    @property
    def subject(self) -> Subject:
        """The person of the household."""
        return Subject(self.world.person_no, self.world.home_no)

    def event(self, seconds: float, *, seq: int = 0) -> Sample:
        """The source of an event."""
        return Sample(START_MS + round(seconds * 1000), 0.0, self.world.device_no, 1, seq, 0)

    async def pass_watermark(self, seconds: float) -> None:
        """Store and score have come so far."""
        await self.pool.execute("delete from watermarks")
        for consumer in ("store", "score"):
            await self.pool.execute("insert into watermarks values ($1, '0', 0, $2)", consumer, at(seconds))

    async def report(
        self,
        seconds: float,
        kind: str,
        *,
        seq: int,
        person_no: int | None = None,
        answer: str = "",
        lag: float = 0,
        elsewhere: bool = False,
    ) -> None:
        """An event that store has written, received ``lag`` seconds later; ``elsewhere``: of another device."""
        await self.pool.execute(
            "insert into device_events values ($1, 1, $2, 0, $3, $4, $5, $6, $7, 0, $8)",
            self.world.device_no + OTHER * elsewhere,
            seq,
            self.world.home_no,
            self.world.person_no if person_no is None else person_no,
            EVENT_TYPE_BY_KIND[kind].number,
            at(seconds),
            at(seconds + lag),
            {"answer": answer} if answer else {},
        )

    async def measure(
        self, seconds: float, vital: str, value: float, flags: Flag, *, seq: int, elsewhere: bool = False
    ) -> None:
        """A reading that store has written; ``elsewhere``: of another device."""
        await self.pool.execute(
            "insert into readings values ($1, $2, $3, $4, 1, $5, 0, $6, $7, $3)",
            self.world.person_no,
            VITAL_BY_CODE[vital].number,
            at(seconds),
            self.world.device_no + OTHER * elsewhere,
            seq,
            value,
            int(flags),
        )

    async def hear(self, seconds: float) -> None:
        """The device's newest uplink is stored."""
        await self.pool.execute(
            "insert into device_cursor values ($1, 1, '{}', 0, '[]', $2)"
            " on conflict (device_no, epoch) do update set last_received_at = excluded.last_received_at",
            self.world.device_no,
            at(seconds),
        )

    async def found(self, rule: str) -> list[dict[str, Any]]:
        """The findings of a rule about the household, in order; their sentences can be made again from the rows."""
        rows = await self.pool.fetch(
            "select * from findings where rule = $1 and home_no = $2 order by episode, raised_at, level = 0, level",
            rule,
            self.world.home_no,
        )
        for row in rows:
            message = Message(row["message"], row["facts"])
            assert ENGLISH.say(message, Reader.DOCTOR) == row["doctor_text"]
            assert ENGLISH.say(message, Reader.CAREGIVER) == row["caregiver_text"]
        return [dict(row) for row in rows]

    @property
    def conflicts(self) -> float:
        """How often a finding was another one than stands under its id."""
        return self.metrics.registry.get_sample_value("hb_score_finding_conflicts_total") or 0

    async def suspect_fall(self, *, subject: Subject | None = None, received: float = 0) -> None:
        """A fall is suspected at second 0."""
        check = FallCheck(
            subject=subject or self.subject,
            episode=1,
            sample=self.event(0),
            due_at=START_MS + round(max(received, 0) * 1000) + MINUTE_MS,
            received_at=START_MS + round(received * 1000),
        )
        await self.writer.write([check])


@asynccontextmanager
async def bench_on(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A bench on an emptied database."""
    sql, metrics = load_queries("services.score"), Metrics(METRICS)
    clock = FakeClock(at_ms=START_MS)
    monkeypatch.setattr("services.score.due.answer_hold_s", lambda **_: 0.0)
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        await pool.execute(
            "truncate findings, watermarks, silence_watch, silences, fall_checks, sos_calls, look_backs,"
            " seen_episodes cascade"
        )
        world = await settle_in(pool)
        writer = EffectWriter(pool=pool, sql=sql, clock=clock, metrics=metrics, log=structlog.get_logger())
        yield Bench(
            pool=pool,
            clock=clock,
            world=world,
            writer=writer,
            due=DueRows(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=60),
            silence=SilenceWatch(pool=pool, sql=sql, clock=clock, writer=writer, resend_after_s=60),
            metrics=metrics,
        )
