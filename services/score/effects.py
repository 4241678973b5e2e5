"""Writes what follows from records: findings, suspected falls with their question, presses of SOS, asks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import uuid5

import structlog

from schemas.alerts import FINDING_NAMESPACE, Finding, Variant
from schemas.codec import write_json
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.messages import CommandKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.vitals import STEPS, VITALS
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction
from services.runtime.failpoints import Failpoint, reach
from services.runtime.metrics import Metrics
from services.runtime.wakeups import WakeUp, wake
from services.score.age import URGENT_FOR_MS, is_looked_back_on
from services.score.ask_rows import add_ask
from services.score.asks import Ask
from services.score.followups import DoubtedMeasurement, Effect, FallCheck, LookBack, QuarterLook, SosCall
from services.score.held_rows import add_doubted
from services.score.look_back import LOOKED_AT_WITHIN_MS
from services.score.news2 import PARAMETERS, Look
from services.score.news2_points import News2Score, Parameter
from services.score.rule import Subject
from services.score.rules.fall import RECOVERY_STEPS
from services.score.rules.sos import SOS

LOOK_BACK_SQL: Final = load_queries("services.score", "look_back.sql")
_LOOKED_AT_WITHIN: Final = timedelta(milliseconds=LOOKED_AT_WITHIN_MS)
_FINDINGS: Final = "hb_score_findings_total"
_SHADOW_FINDINGS: Final = "hb_score_shadow_findings_total"
_SIGNS_OF_RECOVERY: Final = (
    STEPS.number,
    int(Flag.LYING),
    int(Flag.UPRIGHT),
    int(NOT_SCORED),
    RECOVERY_STEPS,
    [EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.FALL_ANSWERED, EventKind.CHECK_IN_ANSWERED)],
    int(Flag.RETAINED),
    [vital.number for vital in VITALS],
)
"""What ``well_after`` asks for besides the person and the moment, in its order."""
_CONFLICTS: Final = "hb_score_finding_conflicts_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectWriter:
    """Every write may be repeated: what is there already stays as it is."""

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def write(self, effects: Sequence[Effect]) -> None:
        """All or nothing. Raises LOST_CONNECTION."""
        async with transaction(self.pool) as connection:
            well = [one for one in effects if isinstance(one, SosCall) and await self._is_well(connection, one)]
            findings = [_aged(one, well) for one in effects if isinstance(one, Finding)]
            await self.add_findings(connection, [one for one in findings if one.variant is Variant.LIVE])
            await self.add_shadow_findings(connection, [one for one in findings if one.variant is Variant.SHADOW])
            for effect in effects:
                if isinstance(effect, FallCheck):
                    await self._add_fall_check(connection, effect)
                elif isinstance(effect, SosCall):
                    await self._add_sos_press(connection, effect)
                elif isinstance(effect, Ask):
                    await add_ask(connection, effect, now_ms=self.clock.now_ms(), metrics=self.metrics)
                elif isinstance(effect, DoubtedMeasurement):
                    await add_doubted(connection, effect, metrics=self.metrics)
            await self.ask_look_backs(connection, [one for one in effects if isinstance(one, LookBack)])
            await self._save_looks(connection, [one for one in effects if isinstance(one, QuarterLook)])
            reach(Failpoint.SCORE_WRITING)
        reach(Failpoint.SCORE_WRITTEN)
        if any(isinstance(one, Finding) and one.variant is Variant.LIVE for one in effects):
            await self.announce()

    async def announce(self) -> None:
        """Wakes alert, once findings are committed."""
        await wake(self.pool, WakeUp.FINDINGS, metrics=self.metrics)

    async def add_findings(self, connection: Connection, findings: Sequence[Finding]) -> None:
        """A replay finds them there. The same id with other content is a bug of ours, reported loudly."""
        await self._add(connection, findings, add="add_findings", same="same_finding", counter=_FINDINGS)

    async def add_shadow_findings(self, connection: Connection, findings: Sequence[Finding]) -> None:
        """The same, of variants that are only tried: where alert does not look."""
        await self._add(
            connection, findings, add="add_shadow_findings", same="same_shadow_finding", counter=_SHADOW_FINDINGS
        )

    async def _add(
        self,
        connection: Connection,
        findings: Sequence[Finding],
        *,
        add: str,
        same: str,
        counter: str,
    ) -> None:
        if not findings:
            return
        now = to_datetime(self.clock.now_ms())
        columns = [list(column) for column in zip(*map(row_of, findings), strict=True)]
        added = await connection.fetch(self.sql[add], now, *columns)
        new = {row["finding_id"] for row in added}
        for finding in findings:
            # Taken out, so that a second finding of that id in one batch is looked at as a known
            # one.
            if finding.finding_id in new:
                new.discard(finding.finding_id)
                self.metrics.count(counter, rule=finding.rule, level=str(finding.level))
                self.log.info("finding", finding_id=str(finding.finding_id), rule=finding.rule, level=finding.level)
            else:
                await self._look_at_known(connection, finding, self.sql[same])

    async def _look_at_known(self, connection: Connection, finding: Finding, sql: str) -> None:
        observed_at, evidence = to_datetime(finding.observed_at), [asdict(one) for one in finding.evidence]
        same = await connection.fetchval(sql, finding.finding_id, observed_at, finding.severity, evidence)
        if not same:
            self.metrics.count(_CONFLICTS)
            self.log.error("another finding has this id", finding_id=str(finding.finding_id), rule=finding.rule)

    async def ask_look_backs(self, connection: Connection, asked: Iterable[LookBack]) -> None:
        """Each is done once the watermark has passed its reception; those of one person and rule together."""
        once: dict[tuple[int, str], LookBack] = {}
        for one in asked:
            key = one.subject.person_no, one.rule
            once[key] = one.with_all_of(once[key]) if key in once else one
        if once:
            columns = zip(*map(_look_back_row, once.values()), strict=True)
            worn = [{str(device_no): at for device_no, at in one.worn_since.items()} for one in once.values()]
            await connection.execute(LOOK_BACK_SQL["ask_look_backs"], *map(list, columns), _LOOKED_AT_WITHIN, worn)

    async def _save_looks(self, connection: Connection, looks: Sequence[QuarterLook]) -> None:
        """The last one of each person and quarter hour is what counts."""
        newest = {(one.person_no, one.look.at): one.look for one in looks}
        scored = [(person_no, look, look.score) for (person_no, _), look in newest.items()]
        gone = [(person_no, to_datetime(look.at)) for person_no, look, known in scored if known is None]
        if gone:
            await connection.executemany(self.sql["drop_news2"], gone)
        rows = [_news2_row(person_no, look, known) for person_no, look, known in scored if known is not None]
        if rows:
            await connection.execute(self.sql["save_news2"], *(list(column) for column in zip(*rows, strict=True)))

    async def _add_fall_check(self, connection: Connection, check: FallCheck) -> None:
        sample, due_at, received_at = check.sample, to_datetime(check.due_at), to_datetime(check.received_at)
        await connection.execute(self.sql["add_fall_check"], *_key(check), *_source(check), due_at, received_at)
        if not is_looked_back_on(sample.at, check.received_at):
            # The id follows from the event, so a replay asks the person no second time.
            asked = f"check_in|{sample.device_no}|{sample.epoch}|{sample.seq}|{sample.item}"
            await connection.execute(
                self.sql["add_check_in"],
                uuid5(FINDING_NAMESPACE, asked),
                sample.device_no,
                CommandKind.CHECK_IN,
                received_at,
                due_at,
            )

    async def _is_well(self, connection: Connection, call: SosCall) -> bool:
        """Whether somebody whose press is no longer current has been seen well since. Nobody is, of a home's."""
        if call.received_at - call.sample.at <= URGENT_FOR_MS or not call.subject.person_no:
            return False
        pressed_at = to_datetime(call.sample.at)
        return bool(
            await connection.fetchval(self.sql["well_after"], call.subject.person_no, pressed_at, *_SIGNS_OF_RECOVERY)
        )

    async def _add_sos_press(self, connection: Connection, call: SosCall) -> None:
        await connection.execute(
            self.sql["add_sos_press"], *_key(call), *_source(call), to_datetime(call.due_at), call.said
        )


def _aged(finding: Finding, well: Sequence[SosCall]) -> Finding:
    """A call for help that somebody has long got over is no news."""
    calls = [(one.subject, one.episode, one.said) for one in well]
    which = Subject(finding.person_no, finding.home_no), finding.episode, finding.said
    return replace(finding, retrospective=True) if finding.rule == SOS.name and which in calls else finding


def _key(effect: FallCheck | SosCall) -> tuple[int, int, int]:
    return effect.subject.home_no, effect.subject.person_no, effect.episode


def _source(effect: FallCheck | SosCall) -> tuple[object, ...]:
    sample = effect.sample
    return sample.device_no, sample.epoch, sample.seq, sample.item, to_datetime(sample.at)


def _look_back_row(one: LookBack) -> tuple[object, ...]:
    moments = one.first_at, one.last_at, one.received_at
    return one.subject.person_no, one.subject.home_no, one.rule, *map(to_datetime, moments)


def _news2_row(person_no: int, look: Look, scored: News2Score) -> tuple[object, ...]:
    """In the order of ``save_news2``. Oxygen that is assumed is not known."""
    points = {parameter: scored.points.get(parameter) for parameter in Parameter}
    if scored.is_air_assumed:
        points[Parameter.OXYGEN] = None
    inputs = {PARAMETERS[one.vital]: {"value": one.value, "at": one.at} for one in look.last or ()}
    return (
        person_no, to_datetime(look.at), scored.total, *points.values(), 2 if scored.scale_2 else 1,
        write_json(inputs).decode(),
    )  # fmt: skip


def row_of(finding: Finding) -> tuple[object, ...]:
    """In the order of ``add_findings``: every column but when it was raised and what alert writes there."""
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
        write_json([asdict(one) for one in finding.evidence]).decode(),
        finding.doctor_text,
        finding.caregiver_text,
        finding.rationale,
        finding.unverified,
        finding.message,
        write_json(dict(finding.facts)).decode(),
        finding.end_reason,
        finding.retrospective,
        finding.concern,
        finding.looked_back,
        finding.artefact,
        to_datetime(finding.known_by) if finding.known_by else None,
    )
