"""The path of a record: from the bus through the step; what follows is committed before anything depends on it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

import structlog

from schemas.codec import decode_uplink_record
from schemas.reasons import Flag
from schemas.records import DeviceWord, JudgedUplink, UplinkRecord, WatermarkMarker
from schemas.topics import UPLINKS_JUDGED
from services.runtime.bus.port import Bus, Message, Subscription
from services.runtime.consumer import GroupMember
from services.runtime.database import LOST_CONNECTION
from services.runtime.errors import HearthBeatError, RetryLaterError
from services.runtime.metrics import Metrics, Server
from services.runtime.pacing import Gather
from services.runtime.retry import GaveUpError, Retry
from services.score.checkpoint import Checkpoints
from services.score.core import with_answers
from services.score.effects import EffectWriter
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from services.score.input_watch import InputWatch
from services.score.known_limits import KnownLimits
from services.score.partition import Partition

T = TypeVar("T")
GROUP: Final = "score"
_NOT_OF_HERE: Final = int(Flag.NOBODY | Flag.OTHER_HOME)
_WAIT_S: Final = 0.2
GATHER_S: Final = 0.1
_RETRY_S: Final = 0.25


class LogGapError(HearthBeatError):
    """The log goes on further than the checkpoint: records between them would never be scored."""


Held = Mapping[int, Partition]
"""The partitions of an assignment. It is empty from a move until the checkpoints are loaded:
records of that time are dropped, and come again, since reading then begins at the checkpoint."""


@dataclass(slots=True)
class _Batch:
    """What follows from the records of one fetch."""

    effects: list[Effect] = field(default_factory=list)
    homes: dict[int, HomeState] = field(default_factory=dict)
    markers: dict[tuple[str, int], int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    uplinks: int = 0


class Consumer:
    """One member of the group: fetch, step, commit what follows, pass the markers; checkpoint now and then."""

    def __init__(
        self,
        *,
        bus: Bus,
        checkpoints: Checkpoints,
        writer: EffectWriter,
        limits: KnownLimits,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
        stop: asyncio.Event,
        inputs: InputWatch | None = None,
    ) -> None:
        """``inputs``: counts what models are asked, where any does."""
        self._inputs = inputs
        self._bus, self._checkpoints, self._writer = bus, checkpoints, writer
        self._limits, self._metrics, self._log, self._stop = limits, metrics, log, stop
        self._held: Held = {}
        self._left: Held = {}
        self._save_at: dict[int, float] = {}
        self._registered: dict[tuple[int, int], bool] = {}
        self._all_are_registered = True
        self._to_load: frozenset[int] | None = None
        self._retry = Retry(
            every_s=_RETRY_S,
            log=log,
            metrics=metrics,
            on=Server.DATABASE,
            counter="hb_score_retries_total",
            says="database away",
        )

    async def run(self, *, instance: str, most: int, checkpoint_every_s: float) -> None:
        """Until stopped; then the batch under way is finished and the checkpoint written, if the database is there."""
        gather = Gather(least_s=GATHER_S, most_s=GATHER_S, full=most)
        member = GroupMember(
            bus=self._bus,
            topic=UPLINKS_JUDGED.name,
            group=GROUP,
            instance=instance,
            log=self._log,
            metrics=self._metrics,
            finish=self._save_all,
            forget=self._forget,
            on_assigned=self._on_assigned,
        )

        async def step(subscription: Subscription, _stop: asyncio.Event) -> None:
            await self._load(member, subscription, checkpoint_every_s)
            messages, _ = await member.fetch(subscription, most=most, wait_s=_WAIT_S)
            await self._take(member, self._held, messages)
            await asyncio.sleep(gather.after(len(messages)))
            await self._save_due(member, subscription, checkpoint_every_s)

        try:
            await member.run(step, self._stop)
        except GaveUpError:
            self._log.warning("stopped while the database was away")  # the next start replays

    async def _save_all(self, subscription: Subscription, _stop: asyncio.Event) -> None:
        """Writes the checkpoints at which the partitions' next owner begins."""
        await self._save(subscription, self._held)

    def _forget(self) -> None:
        """What was held stays within reach: most of it comes back where a server was away, or a member has joined."""
        self._held, self._left, self._to_load = {}, self._held or self._left, None

    async def _on_assigned(self, partitions: frozenset[int]) -> Mapping[int, int]:
        """Notes only what is ours: no heartbeat is sent until it returns, and loading is slow."""
        self._held, self._left, self._to_load = {}, self._held or self._left, partitions
        return {}

    async def _load(self, member: GroupMember, subscription: Subscription, checkpoint_every_s: float) -> None:
        """Has the homes of what is ours now, and begins to read after the last record that each partition has taken.

        A partition that was ours before is kept as it is where its checkpoint is still the one that we know: nobody
        has gone on from there, or none who has wrote more than follows from the same records again.
        """
        if self._to_load is None:
            return
        async with member.at_work:
            partitions = self._to_load
            stood_at = await self._persist(self._checkpoints.positions) if self._left else {}
            kept = {
                number: one for number, one in self._left.items()
                if number in partitions and stood_at.get(number) == one.saved
            }  # fmt: skip
            self._left = kept  # what is held by nobody has to go before more is loaded
            held, limits = dict(kept), await self._persist(self._limits.look)
            for partition_no in sorted(partitions - kept.keys()):
                held[partition_no] = await self._persist(partial(self._checkpoints.load, partition_no, limits))
            # Partitions have moved again while these were loaded; the next step loads the right
            # ones.
            if partitions is not self._to_load:
                return
            self._held, self._left, self._to_load = held, {}, None
            self._save_at = in_turn(held, asyncio.get_running_loop().time(), checkpoint_every_s)
            await subscription.rewind({partition_no: partition.position for partition_no, partition in held.items()})
        homes = sum(len(one.homes) for one in held.values())
        self._log.info("assigned", partitions=len(held), kept=len(kept), homes=homes)

    async def _take(self, member: GroupMember, held: Held, messages: Sequence[Message]) -> None:
        """``held`` as it was when ``messages`` were fetched. Where it has changed since, the records come again."""
        async with member.at_work:
            # Compared by identity: every assignment and every reload puts a new mapping there.
            if held is not self._held:
                return
            try:
                await self._score(held, messages)
            except BaseException:
                # Ahead of what is written: no checkpoint may be made of it, nor may it come back.
                self._held = self._left = {}
                raise

    async def _score(self, held: Held, messages: Sequence[Message]) -> None:
        records = [
            (held[message.partition], message, decode_uplink_record(message.value))
            for message in messages
            if message.partition in held and message.offset >= held[message.partition].position
        ]
        # Looked at after the records were fetched: no limits that were in force when they came are missing.
        limits, timeline = await self._persist(self._limits.look), await self._persist(self._checkpoints.timeline)
        for partition in held.values():
            partition.use(limits)
            if timeline is not None:
                partition.follow(timeline)
        await self._look_up_unregistered([record for _, _, record in records])
        await self._welcome_newcomers([(partition, record) for partition, _, record in records])
        batch, state_of = _Batch(), partial(_home_among, held.values())
        for partition, message, record in records:
            # What lies below was filtered out above; a gap would mean readings that nobody has
            # scored.
            if message.offset != partition.position:
                raise LogGapError(f"partition {message.partition}: {partition.position} to {message.offset}")
            partition.position += 1
            if record.received_at >= partition.rules_until:
                batch.effects = with_answers(batch.effects, state_of)
                partition.turn(record.received_at)
            if isinstance(record, WatermarkMarker):
                batch.effects += partition.mark(record)
                batch.markers[record.instance, message.partition] = record.received_at
            elif not self._is_registered(record):
                continue
            elif isinstance(record, DeviceWord):
                batch.effects += partition.hear(record)
            else:
                batch.effects += partition.take(record, batch.tally)
                batch.homes[record.home_no] = partition.homes[record.home_no]
                batch.uplinks += 1
        if self._inputs is not None:
            self._inputs.see([record for _, _, record in records], batch.homes, batch.effects)
        # Not of the batch's homes alone: a marker asks of homes that are quiet.
        batch.effects = with_answers(batch.effects, state_of)
        # In this order: a passed marker lets due rows be judged, so what rests on the records
        # before it has to be there first.
        if batch.effects:
            await self._persist(lambda: self._writer.write(batch.effects))
        if batch.markers:
            await self._persist(lambda: self._checkpoints.pass_markers(batch.markers))
        self._count(batch)

    async def _look_up_unregistered(self, records: Sequence[UplinkRecord]) -> None:
        """Asks, once for each, whether a device and its home are registered.

        After a restore the log goes further than the register: what was registered since is not in
        it.
        """
        pairs = {
            (one.device_no, one.home_no) for one in records if not isinstance(one, WatermarkMarker) and one.device_no
        }
        asked = sorted(pairs - self._registered.keys())
        if asked:
            known = set(await self._persist(lambda: self._checkpoints.registered(asked)))
            # Kept for good, a no as well: ``services.restore`` skips numbers, so none is given out
            # twice.
            self._registered.update((pair, pair in known) for pair in asked)
            self._all_are_registered = self._all_are_registered and len(known) == len(asked)
        unregistered = [pair for pair in asked if not self._registered[pair]]
        if unregistered:
            self._metrics.count("hb_score_unregistered_total", len(unregistered))
            self._log.warning("devices that are not registered", devices=len(unregistered))

    def _is_registered(self, record: JudgedUplink | DeviceWord) -> bool:
        if self._all_are_registered:
            return bool(record.device_no)
        return bool(record.device_no) and self._registered[record.device_no, record.home_no]

    async def _welcome_newcomers(self, records: Sequence[tuple[Partition, UplinkRecord]]) -> None:
        """Looks up, once, what people bring whom their home's state does not know yet."""
        newcomers = []
        for partition, record in records:
            if isinstance(record, WatermarkMarker) or not self._is_registered(record):
                continue
            state = partition.homes.get(record.home_no)
            # Nearly always: everybody is known, and no set is made of them.
            if state is not None and isinstance(record, JudgedUplink) and is_of(record, state.subjects.keys()):
                continue
            for person_no in people_of(record).difference(state.subjects if state else ()):
                key = (person_no, record.home_no)
                if key not in partition.looked_up:
                    partition.looked_up.add(key)
                    state = state or partition.home(record.home_no)
                    newcomers.append((*key, state))
        if newcomers:
            await self._persist(lambda: self._checkpoints.welcome(newcomers))

    async def _save_due(self, member: GroupMember, subscription: Subscription, every_s: float) -> None:
        """Writes the partitions whose turn it is: all of them at once would keep everybody's next reading waiting."""
        now_s = asyncio.get_running_loop().time()
        due = [number for number in self._held if now_s >= self._save_at[number]]
        if due:
            # Set before the writing, so that a database that is slow is not asked at every step.
            self._save_at |= dict.fromkeys(due, now_s + every_s)
            async with member.at_work:
                await self._save(subscription, due)

    async def _save(self, subscription: Subscription, numbers: Iterable[int]) -> None:
        """Writes what changed; loads anew, and reads from there, what another member has moved.

        Score itself begins at its checkpoints. The group's offset is committed for watch, which
        compares it with the end of the log.
        """
        held = self._held
        mine = {number: held[number] for number in numbers if number in held}
        try:
            for partition_no, partition in mine.items():
                if partition.position != partition.saved and not await self._checkpoints.save(partition_no, partition):
                    await self._reload(partition_no, held, subscription)
                    return
            await subscription.commit({number: partition.saved for number, partition in mine.items()})
        except (*LOST_CONNECTION, RetryLaterError) as error:
            self._log.warning("no checkpoint", error=type(error).__name__)

    async def _reload(self, partition_no: int, held: Held, subscription: Subscription) -> None:
        self._metrics.count("hb_score_checkpoints_lost_total")
        self._log.error("checkpoint moved by somebody else", partition=partition_no)
        loaded = await self._checkpoints.load(partition_no, await self._limits.look())
        if held is self._held:
            self._held = {**held, partition_no: loaded}
            await subscription.rewind({partition_no: loaded.position})

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Tries until the database has it. Raises GaveUpError where stop came first."""
        return await self._retry.until_done(work, self._stop)

    def _count(self, batch: _Batch) -> None:
        if batch.uplinks:
            self._metrics.count("hb_score_uplinks_total", batch.uplinks)
        if batch.tally.duplicates:
            self._metrics.count("hb_score_duplicates_total", batch.tally.duplicates)
        if batch.tally.late:
            self._metrics.count("hb_score_late_readings_total", batch.tally.late)
        if batch.tally.repeated:
            self._metrics.count("hb_score_repeated_readings_total", batch.tally.repeated)


def _home_among(partitions: Iterable[Partition], home_no: int) -> HomeState:
    return next(one.homes[home_no] for one in partitions if home_no in one.homes)


def is_of(record: JudgedUplink, known: AbstractSet[int]) -> bool:
    """Whether what was measured is of ``known`` people alone, and nothing else is said."""
    return not record[10] and {reading[1] for reading in record[9]} <= known


def people_of(record: JudgedUplink | DeviceWord) -> set[int]:
    """Whom it is about, of those who live there. The home itself (0) brings nothing from elsewhere."""
    if isinstance(record, DeviceWord):
        return {record.person_no} - {0}
    # Unpacked: a field by its name costs more, and this sees every reading.
    found = {person_no for _, person_no, _, _, _, flags in record.readings if not flags & _NOT_OF_HERE}
    if record.events:
        found.update(one.person_no for one in record.events if not one.flags & _NOT_OF_HERE)
    return found


def in_turn(numbers: Collection[int], now_s: float, every_s: float) -> dict[int, float]:
    """When each partition is written first, spread evenly over ``every_s``."""
    return {number: now_s + every_s * turn / len(numbers) for turn, number in enumerate(sorted(numbers), start=1)}
