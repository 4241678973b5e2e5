"""The undisturbed replay of the log, and the checkpoint as it stands: two texts that must be the same."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from schemas.alerts import Finding, Variant
from schemas.bus_access import REPLAY_GROUP
from schemas.codec import decode_uplink_record, parse_json, write_json
from schemas.records import DeviceWord, UplinkRecord, WatermarkMarker
from schemas.topics import UPLINKS_JUDGED, home_key, partition_of
from services.runtime.bus.open import open_bus
from services.runtime.bus.port import Bus
from services.runtime.clock import pause, to_ms
from services.runtime.database import load_queries, open_pool
from services.runtime.errors import HearthBeatError
from services.score.checkpoint import Checkpoints
from services.score.core import with_answers
from services.score.days import Days
from services.score.followups import Tally
from services.score.home_state import DAYS, HomeState
from services.score.known_limits import read_limits
from services.score.known_rules import read_versions
from services.score.learned import catalogue_of
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.partition import Partition
from services.score.quarters import SETTLED
from services.score.recent_values import RecentValues
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rule_timeline import RuleTimeline, Timelines
from services.score.rules import RULES
from services.score.rules.fall import FALL
from services.score.rules.silent_device import SILENT_DEVICE
from services.score.rules.sos import SOS
from services.score.settings import ScoreSettings

_OF_READINGS: Final = {rule.name for rule in RULES} - {FALL.name, SOS.name, SILENT_DEVICE.name}
"""The others also rest on what did not happen in time, which a replay of the log can't see."""
_POSITIONS: Final = "positions"
_SAVED_WITHIN_S: Final = 30.0
_READ_WITHIN_S: Final = 60.0


class UnsavedError(HearthBeatError):
    """Score has not written its checkpoint; it may not be running."""


class ShortLogError(HearthBeatError):
    """The log ends before the checkpoint."""


@dataclass(slots=True)
class Replay:
    """All partitions as they are after the records taken so far, each one's in their order, from nothing or states."""

    partitions: dict[int, Partition] = field(default_factory=dict)
    findings: dict[UUID, Finding] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    limits: LimitBook = DEFAULT_BOOK
    rules: RuleBook = RULE_BOOK
    timeline: RuleTimeline | None = None

    @classmethod
    def after(
        cls,
        states: Mapping[str, Any],
        limits: LimitBook = DEFAULT_BOOK,
        rules: RuleBook = RULE_BOOK,
        *,
        partitions: int = 1,
    ) -> "Replay":
        """Of the records that come after these ``states``, under ``limits``; the topic has so many ``partitions``."""
        homes: dict[int, dict[int, HomeState]] = {number: {} for number in range(partitions)}
        for home_no, plain in states.items():
            number = partition_of(home_key(int(home_no)), partitions)
            homes[number][int(home_no)] = HomeState.from_compared(plain, limits, rules)
        held = {number: Partition(rules=rules, limits=limits, homes=those) for number, those in homes.items()}
        return cls(partitions=held, limits=limits, rules=rules)

    def take(self, record: UplinkRecord, partition_no: int = 0) -> None:
        """The next one of a partition's log."""
        partition = self.partitions.get(partition_no)
        if partition is None:
            partition = self.partitions[partition_no] = Partition(rules=self.rules, limits=self.limits)
        if self.timeline is not None:
            partition.follow(self.timeline)
        if record.received_at >= partition.rules_until:
            partition.turn(record.received_at)
        if isinstance(record, WatermarkMarker):
            effects = partition.mark(record)
        elif isinstance(record, DeviceWord):
            effects = partition.hear(record)
        elif record.device_no:
            effects = partition.take(record, self.tally)
        else:
            return
        for effect in with_answers(effects, partition.homes.__getitem__):
            if isinstance(effect, Finding) and effect.rule in _OF_READINGS and effect.variant is Variant.LIVE:
                self.findings[effect.finding_id] = effect

    def states(self) -> dict[str, Any]:
        """As the checkpoint has them."""
        return {
            str(home_no): state.to_compare()
            for partition in self.partitions.values()
            for home_no, state in partition.homes.items()
        }

    def reported(self) -> str:
        """What the rules that rest on readings say: a finding a line."""
        return _lines(_plain(one) for one in self.findings.values())


def replay(
    records: Iterable[UplinkRecord], before: Mapping[str, Any] = MappingProxyType({}), rules: RuleBook = RULE_BOOK
) -> dict[str, Any]:
    """The states of all homes after the ``records`` of a log of one partition, from nothing or from ``before``."""
    done = Replay.after(before, rules=rules)
    for record in records:
        done.take(record)
    return done.states()


def _plain(one: Finding) -> list[Any]:
    evidence = [asdict(sample) for sample in one.evidence]
    return [
        str(one.finding_id), one.person_no, one.home_no, one.rule, one.rule_version, one.episode, one.level,
        int(one.severity), one.observed_at, evidence, one.doctor_text, one.caregiver_text, one.rationale,
    ]  # fmt: skip


def _lines(findings: Iterable[list[Any]]) -> str:
    return "\n".join(sorted(write_json(_ordered(one)).decode() for one in findings))


def canonical(states: dict[str, Any]) -> str:
    """One text for one value: names sorted, a home a line."""
    return "\n".join(f"{home} {write_json(_ordered(states[home])).decode()}" for home in sorted(states, key=int))


def as_of(positions: Mapping[int, int], states: dict[str, Any]) -> str:
    """What is exported: the positions up to which the states hold, and these.

    Time moves states, so only what is of the same positions can be compared.
    """
    numbers = {str(number): positions[number] for number in sorted(positions)}
    return f"{_POSITIONS} {write_json(numbers).decode()}\n{canonical(states)}"


def parsed(text: str) -> tuple[dict[int, int], dict[str, Any]]:
    """The positions and states of which ``as_of`` made a text; none of an empty one."""
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    positions = parse_json(lines.pop(_POSITIONS, "{}").encode())
    states = {home: parse_json(plain.encode()) for home, plain in lines.items()}
    return {int(number): position for number, position in positions.items()}, states


def whatever_the_time(text: str) -> str:
    """An exported text without what time alone changes.

    An hour's values are with their days, whether it has closed; a quarter hour may have been looked at or not.
    """
    _, states = parsed(text)
    for plain in states.values():
        days = plain.pop(DAYS, {})
        for person, subject in plain["subjects"].items():
            kept = Days.from_plain(days[person]) if person in days else Days()
            recent = RecentValues(int(person), kept)
            recent.read_plain(subject.pop("recent"))
            counted = recent.counted().to_plain()
            # When a gap is looked at is a matter of time alone.
            subject.pop("gaps", None)
            subject[DAYS] = {part: counted[part] for part in ("open", "closed")}
            for rule in subject["rules"].values():
                rule.pop(SETTLED, None)
    return canonical(states)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_ordered(one) for one in value]
    return value


async def export_state(settings: ScoreSettings, *, as_it_stands: bool = False) -> str:
    """The checkpoint, once it has come as far as score had when asked, or ``as_it_stands``. Raises UnsavedError."""
    sql = load_queries("services.score")
    async with open_pool(settings.database, application="hb-score-export") as pool:
        passed = await pool.fetch(sql["score_watermarks"])
        marks = [row["partition_no"] for row in passed], [row["received_at"] for row in passed]
        try:
            async with asyncio.timeout(_SAVED_WITHIN_S):
                while not as_it_stands and await pool.fetchval(sql["unsaved_partitions"], *marks):
                    await pause(asyncio.Event(), 0.2)
        except TimeoutError as error:
            raise UnsavedError from error
        return as_of(*await Checkpoints(pool=pool, sql=sql, partitions=settings.bus.partitions).export())


async def export_findings(settings: ScoreSettings) -> str:
    """The findings that rest on readings, as ``Replay.reported`` says them, from the database."""
    sql = load_queries("services.score")
    async with open_pool(settings.database, application="hb-score-export") as pool:
        rows = await pool.fetch(sql["findings_of_readings"], sorted(_OF_READINGS))
    return _lines([str(row[0]), *row[1:8], to_ms(row[8]), *row[9:]] for row in map(tuple, rows))


async def replay_to(settings: ScoreSettings, ends: dict[int, int], before: str = "") -> Replay:
    """An undisturbed replay of the log up to positions ``ends``. Raises ShortLogError.

    ``before``: what was exported where the log begins, if that is not the beginning of everything.
    """
    sql, catalogue = load_queries("services.score"), catalogue_of(settings.artefacts)
    async with (
        open_pool(settings.database, application="hb-score-replay") as pool,
        open_bus(settings.bus, pool) as bus,
    ):
        limits = await read_limits(pool, sql)
        timeline = Timelines(catalogue.shipped.book, catalogue.models).of(await read_versions(pool))
        done = Replay.after(parsed(before)[1], limits, timeline.at(0), partitions=settings.bus.partitions)
        done.timeline = timeline
        await bus.prepare({}, {UPLINKS_JUDGED.name: [REPLAY_GROUP]})
        await _read_log(bus, ends, done.take)
    return done


async def _read_log(bus: Bus, ends: dict[int, int], take: Callable[[UplinkRecord, int], None]) -> None:
    firsts = {partition_no: first for partition_no, (first, _) in (await bus.held(UPLINKS_JUDGED.name)).items()}

    async def from_the_start(_partitions: frozenset[int]) -> dict[int, int]:
        return firsts

    subscription = await bus.subscribe(UPLINKS_JUDGED.name, REPLAY_GROUP, on_assigned=from_the_start)
    left = {partition_no for partition_no, position in ends.items() if position > firsts[partition_no]}
    try:
        while left:
            async with asyncio.timeout(_READ_WITHIN_S):
                while not (messages := await subscription.fetch(most=5000, wait_s=0.5)):
                    pass
            for message in messages:
                # The log goes on beyond the checkpoint, and a batch may reach over its end.
                if message.offset < ends.get(message.partition, 0):
                    take(decode_uplink_record(message.value), message.partition)
                if message.offset + 1 >= ends.get(message.partition, 0):
                    left.discard(message.partition)
    except TimeoutError as error:
        raise ShortLogError from error
