"""Limits and conditions as rows: written by defaults and register files, read by score, in force in their time."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from schemas.default_limits import DEFAULT_BY_CONDITION, DEFAULT_LIMITS, usual_of, worse_by_of
from schemas.limits import CONCERNS, Condition, Limits
from schemas.metrics import METRICS
from schemas.registry import Doctor, Home, LevelEntry, LimitsEntry, Person, RegionLimitsEntry, Register
from services.api.limit_rows import write_defaults
from services.api.registration import RegisterError, register
from services.runtime.clock import FakeClock
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.known_limits import KnownLimits, read_limits
from services.score.limit_book import ALWAYS, NEVER
from services.score.rule_book import RULE_BOOK

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LEAD = timedelta(seconds=10)
SQL = load_queries("services.score")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


def entry(on: float, *, off: float = 94, kind: type[LimitsEntry] = LimitsEntry, **more: Any) -> LimitsEntry:
    levels = (
        LevelEntry(on=on, inclusive=True, persist_min=3, severity="medium"),
        LevelEntry(on=on - 1, inclusive=True, persist_min=3, severity="high"),
    )
    return kind(concern="spo2", levels=levels, off=off, clear_min=5, source="a letter of 2026-11-20", **more)


def file(person_id: UUID, **said: Any) -> Register:
    """A home of its own for one person, of whom this is ``said``."""
    person = Person(person_id=person_id, name="Somebody", born_on=date(1940, 1, 1), **said)
    home = Home(home_id=uuid4(), label="a home", time_zone="Europe/Berlin", people=(person,))
    return Register(homes=(home,), no_recipient=(person_id,))


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


async def number_of(pool: Pool, person_id: UUID) -> int:
    number: int = await pool.fetchval("select person_no from people where person_id = $1", person_id)
    return number


async def held_at(pool: Pool, person_id: UUID, at: datetime, concern: str = "spo2") -> Limits:
    """The limits that hold for a person."""
    return (await read_limits(pool, SQL)).in_force(concern, await number_of(pool, person_id), ms(at))


async def on_at(pool: Pool, person_id: UUID, at: datetime) -> float:
    """Level 1 of oxygen that holds for a person."""
    return (await held_at(pool, person_id, at)).levels[0].on


async def test_the_defaults_are_rows_and_writing_them_again_adds_none(pool: Pool) -> None:
    await write_defaults(pool, NOW)
    assert await write_defaults(pool, NOW + LEAD) == 0
    rows = await pool.fetch("select concern, condition, source, author from limits where author = 'hearthbeat'")
    assert len(rows) == len(DEFAULT_LIMITS)
    assert {(row["condition"], row["concern"]) for row in rows} == {
        (one.condition, one.limits.concern) for one in DEFAULT_LIMITS
    }
    assert all(row["source"] for row in rows)


async def test_the_defaults_in_the_table_begin_nothing(pool: Pool) -> None:
    """Or no person would ever be calm, and each sample would be folded twice."""
    await write_defaults(pool, NOW)
    found = await read_limits(pool, SQL)
    whole = [found.folds(rule, 7) for rule in RULE_BOOK.folded]
    assert {(one.begins_at, one.ends_at) for one in whole} == {(ALWAYS, NEVER)}


async def test_the_limits_of_a_person_begin_after_the_lead_and_end_with_an_empty_list(pool: Pool) -> None:
    ruth = uuid4()
    done = await register(pool, file(ruth, limits=(entry(89),)), NOW)
    assert (done.limits, await on_at(pool, ruth, NOW), await on_at(pool, ruth, NOW + LEAD)) == (1, 92, 89)

    again = await register(pool, file(ruth, limits=(entry(89),)), NOW + 2 * LEAD)
    left_out = await register(pool, file(ruth), NOW + 3 * LEAD)
    assert (again.limits, left_out.limits, await on_at(pool, ruth, NOW + 9 * LEAD)) == (0, 0, 89)

    changed = await register(pool, file(ruth, limits=(entry(88),)), NOW + 4 * LEAD)
    ended = await register(pool, file(ruth, limits=()), NOW + 8 * LEAD)
    assert (changed.limits, ended.limits) == (1, 1)
    held = [await on_at(pool, ruth, NOW + number * LEAD) for number in (4, 5, 8, 9)]
    assert held == [89, 88, 88, 92]


async def set_by_doctor(pool: Pool, person_id: UUID, on: float, at: datetime) -> None:
    """As the console writes it: the newest limits of the person, of which level 1 is at ``on``, from ``at`` on."""
    email = f"{uuid4().hex}@example.org"
    await register(pool, Register(doctors=(Doctor(email=email, name="Dr. Ada", without_people=True),)), NOW)
    await pool.execute(
        "insert into limits (person_no, concern, levels, off, clear_min, worse_by, source, author, doctor_no,"
        " valid_from, written_at) select person_no, concern, jsonb_set(levels, '{0,on}', to_jsonb($2::float)), off,"
        " clear_min, worse_by, source, 'Dr. Ada', (select doctor_no from doctors where email = $3), $4, $4 from limits"
        " where person_no = $1 order by valid_from desc limit 1",
        await number_of(pool, person_id), on, email, at,
    )  # fmt: skip


async def test_what_a_doctor_sets_stays_until_the_file_says_something_else(pool: Pool) -> None:
    ruth = uuid4()
    await register(pool, file(ruth, limits=(entry(89),)), NOW)
    await set_by_doctor(pool, ruth, 90, NOW + 2 * LEAD)
    again = await register(pool, file(ruth, limits=(entry(89),)), NOW + 3 * LEAD)
    other = await register(pool, file(ruth, limits=(entry(88),)), NOW + 5 * LEAD)
    assert (again.limits, other.limits) == (0, 1)
    assert [await on_at(pool, ruth, NOW + number * LEAD) for number in (1, 2, 5, 6)] == [89, 90, 90, 88]
    await set_by_doctor(pool, ruth, 91, NOW + 7 * LEAD)
    ended = [await register(pool, file(ruth, limits=()), NOW + number * LEAD) for number in (8, 10)]
    assert [one.limits for one in ended] == [1, 0]
    assert [await on_at(pool, ruth, NOW + number * LEAD) for number in (8, 9, 12)] == [91, 92, 92]
    await set_by_doctor(pool, ruth, 91, NOW + 13 * LEAD)
    assert (await register(pool, file(ruth, limits=()), NOW + 14 * LEAD)).limits == 0


async def test_a_prescribed_target_holds_while_the_register_has_it(pool: Pool) -> None:
    ruth = uuid4()
    target = (Condition.COPD, Condition.SPO2_88_92)
    done = await register(pool, file(ruth, conditions=target), NOW)
    again = await register(pool, file(ruth, conditions=target), NOW + LEAD)
    assert (done.conditions, again.conditions) == (2, 0)
    ended = await register(pool, file(ruth, conditions=(Condition.COPD,)), NOW + 2 * LEAD)
    assert ended.conditions == 1
    assert [await on_at(pool, ruth, NOW + number * LEAD) for number in (0, 1, 2, 3)] == [92, 87, 87, 92]


async def test_a_condition_that_comes_back_before_it_has_ended_goes_on_from_its_end(pool: Pool) -> None:
    """The second file has a longer lead than the third, as on a clock that runs faster."""
    ruth, target = uuid4(), (Condition.SPO2_88_92,)
    await register(pool, file(ruth, conditions=target), NOW)
    await register(pool, file(ruth, conditions=()), NOW + 2 * LEAD, lead_s=600)
    await register(pool, file(ruth, conditions=target), NOW + 3 * LEAD)
    assert [await on_at(pool, ruth, NOW + number * LEAD) for number in (2, 5, 61, 62, 99)] == [87, 87, 87, 87, 87]


async def test_the_profile_of_the_region_holds_for_everybody_but_a_person_with_limits_of_their_own(pool: Pool) -> None:
    ruth, karl = uuid4(), uuid4()
    profile = (entry(90, kind=RegionLimitsEntry),)
    await register(pool, Register(region_limits=profile), NOW)  # type: ignore[arg-type]
    try:
        await register(pool, file(ruth, limits=(entry(89),)), NOW)
        await register(pool, file(karl), NOW)
        assert (await on_at(pool, ruth, NOW + LEAD), await on_at(pool, karl, NOW + LEAD)) == (89, 90)
    finally:
        await register(pool, Register(region_limits=()), NOW + LEAD)
    assert (await on_at(pool, ruth, NOW + 2 * LEAD), await on_at(pool, karl, NOW + 2 * LEAD)) == (89, 92)


async def test_two_limits_of_one_concern_are_refused_and_nothing_is_written(pool: Pool) -> None:
    ruth = uuid4()
    with pytest.raises(RegisterError, match="limits of one person listed twice: spo2"):
        await register(pool, file(ruth, limits=(entry(89), entry(88))), NOW)
    assert await pool.fetchval("select count(*) from people where person_id = $1", ruth) == 0


def full_entry(limits: Limits) -> LimitsEntry:
    """One that names all that can be named, and differs in it from the defaults."""
    levels = tuple(
        LevelEntry(
            on=one.on,
            inclusive=one.inclusive,
            persist_min=one.persist_min + 0.1,
            severity="high",
            level=one.level,
            least=one.least + 1,
            moving=one.moving,
        )
        for one in reversed(limits.levels)
    )
    return LimitsEntry(
        concern=limits.concern,
        levels=levels,
        off=limits.off,
        clear_min=7.5,
        worse_by=0.1,
        source="x",
        signed_off_by="y",
    )


async def test_what_a_file_says_of_each_concern_is_read_back_the_same(pool: Pool) -> None:
    ruth = uuid4()
    entries = tuple(full_entry(usual_of(concern.name)) for concern in CONCERNS)
    done = await register(pool, file(ruth, limits=entries), NOW)
    again = await register(pool, file(ruth, limits=entries), NOW + LEAD)
    assert (done.limits, again.limits) == (len(CONCERNS), 0)
    for one in entries:
        assert await held_at(pool, ruth, NOW + LEAD, one.concern) == one.limits()


async def test_a_file_that_only_changes_by_how_much_worse_is_a_version_of_its_own(pool: Pool) -> None:
    ruth = uuid4()
    await register(pool, file(ruth, limits=(entry(89),)), NOW)
    changed = await register(pool, file(ruth, limits=(entry(89, worse_by=2),)), NOW + LEAD)
    held = [(await held_at(pool, ruth, NOW + number * LEAD)).worse_by for number in (1, 2)]
    assert (changed.limits, held) == (1, [worse_by_of("spo2"), 2])


MAKE_OLDER = """
update limits set worse_by = null, levels = (
    select jsonb_agg(level - '{level,least,moving}'::text[] order by place)
    from jsonb_array_elements(levels) with ordinality as each (level, place) where place <= 2
)
where person_no is not distinct from $1 and concern = any ($2::text[]) and not region and condition is null
"""
"""Makes rows as they were written before 2026-11-29: two levels, which say no more."""


async def test_limits_of_a_person_from_before_levels_were_numbered_still_hold_and_can_end(pool: Pool) -> None:
    ruth = uuid4()
    await register(pool, file(ruth, limits=(entry(89),)), NOW)
    before = await held_at(pool, ruth, NOW + LEAD)
    await pool.execute(MAKE_OLDER, await number_of(pool, ruth), ["spo2"])
    assert await held_at(pool, ruth, NOW + LEAD) == before
    assert (before.worse_by, [one.level for one in before.levels]) == (worse_by_of("spo2"), [1, 2])

    ended = await register(pool, file(ruth, limits=()), NOW + 2 * LEAD)
    assert (ended.limits, await on_at(pool, ruth, NOW + 2 * LEAD), await on_at(pool, ruth, NOW + 3 * LEAD)) == (
        1,
        89,
        92,
    )


async def test_defaults_of_before_levels_were_numbered_hold_until_those_of_this_code_begin(pool: Pool) -> None:
    await write_defaults(pool, NOW)
    concerns = ["heart_rate.fast", "heart_rate.slow"]
    try:
        await pool.execute(MAKE_OLDER, None, concerns)
        assert await write_defaults(pool, NOW) == 2
        assert await write_defaults(pool, NOW + 2 * LEAD) == 0
        book = await read_limits(pool, SQL)
        for concern in concerns:
            default = DEFAULT_BY_CONDITION[None, concern]
            before, after = (book.in_force(concern, 0, ms(at)) for at in (NOW, NOW + LEAD))
            assert (before.levels, before.worse_by) == (default.levels[:2], default.worse_by)
            assert after == default
    finally:
        await pool.execute("delete from limits where person_no is null and concern = any ($1::text[])", concerns)


@pytest.mark.parametrize(
    "wrong",
    [
        "update limits set off = 80 where person_no = $1",
        "update limits set worse_by = 0 where person_no = $1",
        "update limits set worse_by = 'nan' where person_no = $1",
        "update limits set levels = levels - 1 where person_no = $1",
        """update limits set levels = levels || '[{"level": 1}]' where person_no = $1""",
    ],
)
async def test_a_row_that_contradicts_itself_is_counted_and_not_used(pool: Pool, wrong: str) -> None:
    """Written by hand, past every check: the defaults hold."""
    ruth, metrics = uuid4(), Metrics(METRICS)
    await register(pool, file(ruth, limits=(entry(89),)), NOW)
    number = await number_of(pool, ruth)
    known = KnownLimits(pool=pool, sql=SQL, clock=FakeClock(), metrics=metrics, log=logger("test"))
    assert (await known.look()).in_force("spo2", number, ms(NOW + 5 * LEAD)).levels[0].on == 89
    await pool.execute(wrong, number)
    known = KnownLimits(pool=pool, sql=SQL, clock=FakeClock(), metrics=metrics, log=logger("test"))
    try:
        assert (await known.look()).in_force("spo2", number, ms(NOW + 5 * LEAD)).levels[0].on == 92
        assert metrics.registry.get_sample_value("hb_score_limits_refused_total") == 1
    finally:
        await pool.execute("delete from limits where person_no = $1", number)


async def test_whoever_moves_lives_in_the_other_home_ten_seconds_later_and_in_one_at_a_time(pool: Pool) -> None:
    person_id = uuid4()
    homes = [file(person_id) for _ in range(3)]
    # Registered again where they live; moved on before they have arrived; and back.
    story = [(0, 0), (60, 0), (120, 1), (125, 2), (600, 0)]
    for second, home in story:
        await register(pool, homes[home], NOW + timedelta(seconds=second))
        if second <= 60:
            assert not await pool.fetchval("select count(*) from residences join people using (person_no)"
                                           " where person_id = $1", person_id)  # fmt: skip
    number, lives_in = await number_of(pool, person_id), (await read_limits(pool, SQL)).residences.lives_in
    home_nos = [
        await pool.fetchval("select home_no from homes where home_id = $1", one.homes[0].home_id) for one in homes
    ]
    lived = [
        [index for index, home_no in enumerate(home_nos) if lives_in(number, home_no, ms(NOW) + 1000 * second)]
        for second in (-1_000, 129, 130, 134, 135, 609, 610, 10_000)
    ]
    assert lived == [[0], [0], [1], [1], [2], [2], [0], [0]]
