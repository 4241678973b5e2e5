"""The durable side of score's state: what each partition's homes looked like at a position of the log."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.codec import write_json
from schemas.topics import home_key, partition_of
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.score.days import Days
from services.score.home_state import DAYS, HomeState, heard_of, seeded
from services.score.known_rules import KnownRules
from services.score.limit_book import LimitBook
from services.score.log_time import LogTime
from services.score.partition import Partition
from services.score.recent_values import RecentValues
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rule_timeline import RuleTimeline, always
from services.score.rules import RULES
from services.score.rules.fall import FALL
from services.score.rules.silent_device import SILENT_DEVICE
from services.score.rules.sos import SOS
from services.score.stored_days import are_taken, with_stored

_HOMES_A_WRITE: Final = 100
_HOURS_A_WRITE: Final = 500
_NUMBERED: Final = tuple(rule.name for rule in RULES if rule is not SILENT_DEVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Loads and saves partitions. ``partitions`` is how many the topic has.

    ``rules`` evaluate what is loaded, or those of ``versions``, where they change.
    """

    pool: Pool
    sql: Queries
    partitions: int
    rules: RuleBook = RULE_BOOK
    versions: KnownRules | None = None

    async def load(self, partition_no: int, limits: LimitBook) -> Partition:
        """The checkpoint; a partition without one begins with the highest episode numbers that were given out.

        States are read under the rules of their time.
        """
        timeline = await self.timeline() or always(self.rules)
        async with transaction(self.pool) as connection:
            # An insert: it gives a row only where this partition was never scored.
            if await connection.fetchval(self.sql["add_position"], partition_no) is not None:
                await self._seed(connection, partition_no)
            position = await connection.fetchval(self.sql["position"], partition_no)
            rows = await connection.fetch(self.sql["states"], partition_no)
            said = await connection.fetchrow(self.sql["log_time"], partition_no)
            newest = max([_newest_of(said), *(heard_of(row["state"]) for row in rows)])
            rules = timeline.at(newest)
            homes = {row["home_no"]: HomeState.from_plain(row["state"], rules, limits) for row in rows}
            known = [(person_no, one) for home in homes.values() for person_no, one in home.subjects.items()]
            kept = await connection.fetch(self.sql["days_of_people"], [person_no for person_no, _ in known])
        # Whoever knows a person has their days, wherever these were written last.
        days = {row["person_no"]: row for row in kept}
        for person_no, one in known:
            if person_no in days:
                one.recent.days = Days.from_plain(days[person_no]["state"], days[person_no]["revision"])
        log_time = None if said is None else said["log_time"]
        time = LogTime() if log_time is None else LogTime.from_plain(log_time)
        return Partition(
            position=position, saved=position, rules=rules, limits=limits, homes=homes, time=time, timeline=timeline,
            rules_until=timeline.until(newest),
        )  # fmt: skip

    async def _seed(self, connection: Connection, partition_no: int) -> None:
        """Written with the first position, so that a replay after a crash begins from the same numbers."""
        numbers = await self._given_out(connection, partition_no)
        await self._write(connection, partition_no, {home: seeded(people) for home, people in numbers.items()})

    async def _given_out(self, connection: Connection, partition_no: int) -> dict[int, dict[int, dict[str, int]]]:
        """The highest episode number by home, person and rule."""
        numbers: dict[int, dict[int, dict[str, int]]] = {}
        for row in await connection.fetch(self.sql["highest_episodes"], _NUMBERED, FALL.name, SOS.name):
            if partition_of(home_key(row["home_no"]), self.partitions) == partition_no:
                people = numbers.setdefault(row["home_no"], {})
                people.setdefault(row["person_no"], {})[row["rule"]] = row["episode"]
        return numbers

    async def timeline(self) -> RuleTimeline | None:
        """Which rules hold when; None where ``rules`` always do. Raises what ``LOST_CONNECTION`` lists."""
        return None if self.versions is None else await self.versions.look()

    async def positions(self) -> dict[int, int]:
        """Where the checkpoint of each partition stands. Raises what ``LOST_CONNECTION`` lists."""
        return {row["partition_no"]: row["position"] for row in await self.pool.fetch(self.sql["all_positions"])}

    async def jump(self, connection: Connection, partition_no: int, position: int) -> None:
        """Moves a checkpoint on to ``position``, over records that no log has any more.

        Inside the caller's transaction. States stay as they are, whatever the limits. But episode numbers go on beyond
        those of all findings: some of these came of the lost records.
        """
        rows = await connection.fetch(self.sql["states"], partition_no)
        homes = {row["home_no"]: HomeState.from_plain(row["state"], self.rules) for row in rows}
        for home_no, people in (await self._given_out(connection, partition_no)).items():
            for person_no, numbers in people.items():
                homes.setdefault(home_no, HomeState()).subject(person_no).raise_numbers(numbers)
        await self._write(connection, partition_no, homes)
        await connection.execute(self.sql["jump"], partition_no, position)

    async def save(self, partition_no: int, partition: Partition) -> bool:
        """False where the stored position is not the one loaded: another member has moved it."""
        position, dirty = partition.position, partition.dirty
        passed_at = None if partition.passed_at is None else to_datetime(partition.passed_at)
        log_time = write_json(partition.time.to_plain()).decode()
        homes = {home_no: partition.homes[home_no] for home_no in dirty}
        async with transaction(self.pool) as connection:
            moved = await connection.fetchval(
                self.sql["save_position"], partition_no, partition.saved, position, passed_at, log_time
            )
            if moved is None:
                return False
            await self._write(connection, partition_no, homes)
            written = await self._write_days(connection, homes)
            now = partition.now
            await self._write_coverage(connection, partition.homes, now)
        for home in partition.homes.values():
            home.covered_is_written(now)
        # Only what is committed: else the same is written again, by the next checkpoint.
        for recent, days in written:
            days.saved()
            recent.saved(days)
        partition.saved, partition.dirty = position, set()
        return True

    async def _write_days(
        self, connection: Connection, homes: Mapping[int, HomeState]
    ) -> list[tuple[RecentValues, Days]]:
        """Those of people of whom an hour or a day has closed; gives what stands there now, for each."""
        folded = sorted(
            (person_no, home_no, state.recent)
            for home_no, home in homes.items()
            for person_no, state in home.subjects.items()
            if state.recent.is_folded
        )
        written: list[tuple[RecentValues, Days]] = []
        for first in range(0, len(folded), _HOMES_A_WRITE):
            part = folded[first : first + _HOMES_A_WRITE]
            # Whoever has lived in two homes of this partition may stand here twice; one writing takes a row but once.
            once = list({person_no: (person_no, home_no, recent) for person_no, home_no, recent in part}.values())
            days_of = {person_no: recent.days for person_no, _, recent in once}
            filled = await with_stored(connection, days_of)
            days_of |= filled
            saved = {row["person_no"] for row in await self._save_days(connection, once, list(days_of.values()))}
            await are_taken(connection, sorted(saved & filled.keys()))
            as_read = {(person_no, home_no) for person_no, home_no, _ in once if person_no in saved}
            for person_no, home_no, recent in part:
                if (person_no, home_no) in as_read:
                    written.append((recent, days_of[person_no]))
                    continue
                # Another home of theirs has written since: nothing of it is lost, and nothing of ours.
                row = await connection.fetchrow(self.sql["days_of_person"], person_no)
                if row is not None:
                    days = recent.days.onto(Days.from_plain(row["state"], row["revision"]))
                    await self._save_days(connection, [(person_no, home_no, recent)], [days])
                    written.append((recent, days))
        return written

    async def _save_days(
        self, connection: Connection, whose: Sequence[tuple[int, int, RecentValues]], days: Sequence[Days]
    ) -> Sequence[Any]:
        return await connection.fetch(
            self.sql["save_days"],
            [person_no for person_no, _, _ in whose],
            [home_no for _, home_no, _ in whose],
            [one.revision for one in days],
            [write_json(one.to_plain()).decode() for one in days],
        )

    async def _write_coverage(self, connection: Connection, homes: Mapping[int, HomeState], now: int) -> None:
        """The hours that changed, of quiet homes as well: that a minute has passed changes no state of theirs."""
        rows: list[tuple[object, ...]] = []
        for home_no, home in homes.items():
            rows += [
                (person_no, home_no, one.vital, to_datetime(one.hour), *one.bits)
                for person_no, one in home.covered(now)
            ]
            if len(rows) >= _HOURS_A_WRITE:
                await self._save_coverage(connection, rows)
                rows = []
                await asyncio.sleep(0)
        await self._save_coverage(connection, rows)

    async def _save_coverage(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            await connection.execute(self.sql["save_coverage"], *map(list, zip(*rows, strict=True)))

    async def _write(self, connection: Connection, partition_no: int, homes: Mapping[int, HomeState]) -> None:
        numbers = sorted(homes)
        for first in range(0, len(numbers), _HOMES_A_WRITE):
            part = numbers[first : first + _HOMES_A_WRITE]
            plain = [write_json(homes[home_no].to_plain()).decode() for home_no in part]
            await connection.execute(self.sql["save_states"], part, partition_no, plain)
            # Lets heartbeats and other tasks run between two pieces of a long write.
            await asyncio.sleep(0)

    async def registered(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those of these (device, home) whose both are in the register."""
        columns = [device_no for device_no, _ in pairs], [home_no for _, home_no in pairs]
        return [tuple(row) for row in await self.pool.fetch(self.sql["registered"], *columns)]

    async def pass_markers(self, markers: Mapping[tuple[str, int], int]) -> None:
        """Writes down up to which marker (ms, by instance and partition) everything is scored."""
        await self.pool.execute(
            self.sql["pass_markers"],
            [instance for instance, _ in markers],
            [partition_no for _, partition_no in markers],
            [to_datetime(received_at) for received_at in markers.values()],
        )

    async def welcome(self, newcomers: Iterable[tuple[int, int, HomeState]]) -> None:
        """Gives newcomers (person, home, its state) what they bring from earlier homes: episode numbers, and days."""
        listed = list(newcomers)
        rows = await self.pool.fetch(
            self.sql["episodes_elsewhere"],
            [person_no for person_no, _, _ in listed],
            [home_no for _, home_no, _ in listed],
            _NUMBERED,
            FALL.name,
            SOS.name,
        )
        numbers: dict[int, dict[str, int]] = {}
        for row in rows:
            numbers.setdefault(row["person_no"], {})[row["rule"]] = row["episode"]
        for person_no, _, state in listed:
            if person_no in numbers:
                state.subject(person_no).episodes.update(numbers[person_no])
        kept = await self.pool.fetch(self.sql["days_of_people"], [person_no for person_no, _, _ in listed])
        days = {row["person_no"]: row for row in kept}
        for person_no, _, state in listed:
            if person_no in days:
                row = days[person_no]
                state.subject(person_no).recent.days = Days.from_plain(row["state"], row["revision"])

    async def export(self) -> tuple[dict[int, int], dict[str, Any]]:
        """Positions, and every home's state there, with the days of its people; all of one moment."""
        async with transaction(self.pool, snapshot=True) as connection:
            rows = await connection.fetch(self.sql["all_positions"])
            positions = {row["partition_no"]: row["position"] for row in rows}
            states = {str(row["home_no"]): row["state"] for row in await connection.fetch(self.sql["all_states"])}
            for row in await connection.fetch(self.sql["all_days"]):
                states[str(row["home_no"])].setdefault(DAYS, {})[str(row["person_no"])] = row["state"]
        return positions, states


def _newest_of(said: Any) -> int:
    """The newest marker that a checkpoint has seen, in ms; 0 for none."""
    return 0 if said is None or said["passed_at"] is None else to_ms(said["passed_at"])
