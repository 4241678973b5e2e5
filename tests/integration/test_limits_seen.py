"""Whatever is done with limits, in whichever order: what is muted is seen, and what a doctor mutes is over in a day."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from schemas.alerts import Severity
from schemas.default_limits import usual_of
from schemas.limits import CONCERN_BY_NAME, Condition, LevelLimit, Limits
from schemas.metrics import METRICS
from schemas.registry import Doctor as RegisteredDoctor
from schemas.registry import Home, LevelEntry, LimitsEntry, Person, Register
from services.api.console import Console, Doctor
from services.api.limit_changes import LONGEST_MUTE, MuteRefusedError, mutes
from services.api.person_limits import LimitsWish, give_back, limits_of_person, set_limits
from services.api.registration import register
from services.api.settings import ApiSettings
from services.runtime.clock import FakeClock, to_datetime, to_ms
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.known_limits import read_limits

NOW: Final = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
FAST, SPO2 = "heart_rate.fast", "spo2"
EMAIL = "doctor@example.org"
SCORE_SQL = load_queries("services.score")


def _milder(one: LevelLimit) -> LevelLimit:
    return replace(one, severity=min(one.severity, Severity.MEDIUM))


def _further(by: float) -> Callable[[str, LevelLimit], LevelLimit]:
    return lambda concern, one: replace(one, on=one.on + by * CONCERN_BY_NAME[concern].side)


def _limits(concern: str, how: str) -> Limits:
    """As everybody's, narrower, wider than what is urgent for everybody, or without anything urgent."""
    usual = usual_of(concern)
    change: Callable[[str, LevelLimit], LevelLimit] = {
        "usual": lambda _concern, one: one,
        "narrower": _further(-2),
        "wider": _further(3),
        "mild": lambda _concern, one: _milder(one),
    }[how]
    off = usual.off - 2 * CONCERN_BY_NAME[concern].side if how == "narrower" else usual.off
    return replace(
        usual, levels=tuple(change(concern, one) for one in usual.levels), off=off, source="x", signed_off_by=""
    )


def _entry(limits: Limits) -> LimitsEntry:
    levels = tuple(
        LevelEntry(
            **{name: getattr(one, name) for name in ("on", "inclusive", "persist_min", "level", "least", "moving")},
            severity=cast("Any", one.severity.name.lower()),
        )
        for one in limits.levels
    )
    same = {name: getattr(limits, name) for name in ("concern", "off", "clear_min", "worse_by", "source")}
    return LimitsEntry(levels=levels, **same)


CONCERN = st.sampled_from([FAST, SPO2])
HOW = st.sampled_from(["usual", "narrower", "wider", "mild"])
SET = st.tuples(
    st.just("set"), CONCERN, HOW, st.none() | st.integers(-1, 27), st.sampled_from([True, True, False]),
    st.sampled_from([0, 0, 0, 1]),
)  # fmt: skip
MUTE = st.tuples(
    st.just("set"), CONCERN, st.sampled_from(["wider", "mild"]), st.integers(1, 23), st.just(value=True), st.just(0)
)
GIVE_BACK = st.tuples(st.just("give back"), CONCERN)
FILE = st.tuples(st.just("file"), st.lists(st.tuples(CONCERN, HOW), max_size=2, unique_by=lambda one: one[0]))
CONDITIONS = st.tuples(st.just("conditions"), st.sampled_from([(), (Condition.SPO2_88_92,)]))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1, 12, 600, 40_000, 100_000]))
STORY = st.lists(st.one_of(SET, MUTE, GIVE_BACK, FILE, WAIT, WAIT), max_size=14)
STORY_WITH_CONDITIONS = st.lists(st.one_of(MUTE, SET, FILE, CONDITIONS, WAIT), max_size=14)


@dataclass(slots=True, kw_only=True)
class Story:
    """One person, and what becomes of their limits."""

    console: Console
    clock: FakeClock
    doctor: Doctor
    person_id: UUID = field(default_factory=uuid4)
    home_id: UUID = field(default_factory=uuid4)
    usual_changes: bool = False

    async def begin(self) -> None:
        """The person is registered, and in care."""
        await self.write()

    async def write(self, **said: Any) -> None:
        """A register file says this of the person."""
        person = Person(person_id=self.person_id, name="Somebody", born_on=date(1940, 1, 1), **said)
        home = Home(home_id=self.home_id, label="a home", time_zone="Europe/Berlin", people=(person,))
        doctor = RegisteredDoctor(email=EMAIL, name="Dr. Ada", people=(self.person_id,))
        await register(self.console.pool, Register(homes=(home,), doctors=(doctor,)), self.console.now())

    async def do(self, what: str, *how: Any) -> None:
        """One step. What is refused changes nothing."""
        if what == "wait":
            self.clock.advance(seconds=how[0])
        elif what == "file":
            await self.write(limits=tuple(_entry(_limits(*one)) for one in how[0]))
        elif what == "conditions":
            self.usual_changes = True
            await self.write(conditions=how[0])
        else:
            person = await self.console.pool.fetchrow("select * from people where person_id = $1", self.person_id)
            assert person is not None
            seen = (await limits_of_person(self.console, person["person_no"])).newest.get(how[0], 0)
            if what == "give back":
                assert await give_back(self.console, self.doctor, person, how[0], reason="back", seen=seen)
                return
            concern, change, hours, confirmed, stale = how
            until = None if hours is None else self.console.now() + timedelta(hours=hours)
            wish = LimitsWish(
                limits=_limits(concern, change), reason="because", seen=seen + stale, until=until, confirmed=confirmed
            )
            try:
                await set_limits(self.console, self.doctor, person, wish)
            except MuteRefusedError:
                assert until is None or not confirmed or not 0 < hours <= LONGEST_MUTE / timedelta(hours=1)

    async def check(self) -> None:
        """Now and at each moment at which something will change."""
        pool, now = self.console.pool, self.console.now()
        person_no = await pool.fetchval("select person_no from people where person_id = $1", self.person_id)
        rows = await pool.fetch("select * from limits where person_no = $1 order by valid_from", person_no)
        begun = await pool.fetch("select lower(valid) as at from person_conditions where person_no = $1", person_no)
        book = await read_limits(pool, SCORE_SQL)
        coming = {row["valid_from"] for row in rows} | {row["at"] for row in begun}
        for at in sorted({now, *(one for one in coming if one > now)}):
            self.clock.at_ms = to_ms(at)
            known = await limits_of_person(self.console, person_no)
            shown = {one.concern: one for one in known.muted}
            for concern in (FAST, SPO2):
                limits = book.in_force(concern, person_no, to_ms(at))
                usual = book.less_specific(concern, person_no, to_ms(at))
                assert any(one.severity is Severity.HIGH for one in limits.levels) or concern in shown
                # What the page says is what score goes by.
                assert mutes(usual, limits) is (concern in shown)
                (on_page,) = [one for one in known.in_force if one.limits.concern == concern]
                assert on_page.limits.numbers == limits.numbers
                own = [row for row in rows if row["concern"] == concern and row["valid_from"] <= at]
                if concern in shown and own[-1]["doctor_no"] and not self.usual_changes:
                    self._check_end(own[-1], shown[concern].until)
        self.clock.at_ms = to_ms(now)

    @staticmethod
    def _check_end(row: Any, until: datetime | None) -> None:
        assert row["reason"]
        assert until is not None
        assert until - row["valid_from"] <= LONGEST_MUTE


@asynccontextmanager
async def practice_on(dsn: str) -> AsyncIterator[tuple[Console, FakeClock, Doctor]]:
    database = DatabaseSettings(dsn=SecretStr(dsn))
    async with open_pool(database, application="test") as pool:
        clock = FakeClock(at_ms=to_ms(NOW))
        console = Console(
            settings=ApiSettings(database=database), pool=pool, clock=clock, stop=asyncio.Event(),
            feed=cast("Any", None), metrics=Metrics(METRICS),
        )  # fmt: skip
        doctor_no = await doctor_of(pool)
        doctor = Doctor(
            doctor_no=doctor_no, email=EMAIL, name="Dr. Ada", csrf_token="", session_hash=b"", address="127.0.0.1"
        )
        yield console, clock, doctor


async def doctor_of(pool: Pool) -> int:
    known = RegisteredDoctor(email=EMAIL, name="Dr. Ada", without_people=True)
    await register(pool, Register(doctors=(known,)), NOW)
    number: int = await pool.fetchval("select doctor_no from doctors where email = $1", EMAIL)
    return number


async def live(console: Console, clock: FakeClock, doctor: Doctor, steps: Iterable[tuple[Any, ...]]) -> None:
    """Each begins after all others, on one clock: a register file of before now would be one of the past."""
    clock.advance(seconds=200_000)
    story = Story(console=console, clock=clock, doctor=doctor)
    await story.begin()
    for step in steps:
        await story.do(*step)
        await story.check()
    assert to_datetime(clock.at_ms) == console.now()


def _play(dsn: str, steps: st.SearchStrategy[list[Any]], examples: int) -> None:
    with asyncio.Runner() as runner:
        opened = practice_on(dsn)
        console, clock, doctor = runner.run(opened.__aenter__())
        try:

            @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(steps)
            def lived(steps: list[Any]) -> None:
                runner.run(live(console, clock, doctor, steps))

            lived()
        finally:
            runner.run(opened.__aexit__(None, None, None))


def test_what_is_muted_is_seen_and_what_a_doctor_mutes_is_over_within_a_day(embedded_dsn: str) -> None:
    _play(embedded_dsn, STORY, 25)


def test_what_becomes_a_mute_since_something_else_holds_for_the_person_is_seen(embedded_dsn: str) -> None:
    _play(embedded_dsn, STORY_WITH_CONDITIONS, 12)
