"""A whole home that is silent, on a real database: one finding, whatever devices it has."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Range

from tests.integration.score_bench import Bench, at, bench_on

MINUTE = 60
DEVICES = {"pills": "pill_dispenser", "more_pills": "pill_dispenser", "robot": "fall_robot", "band": "wearable_band"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home of several devices, the person's."""

    bench: Bench
    numbers: Mapping[str, int]

    async def hear(self, seconds: float, *names: str) -> None:
        """The newest uplink of these devices (none named: of all) is stored."""
        for name in names or self.numbers:
            await self.bench.pool.execute(
                "insert into device_cursor values ($1, 1, '{}', 0, '[]', $2)"
                " on conflict (device_no, epoch) do update set last_received_at = excluded.last_received_at",
                self.numbers[name],
                at(seconds),
            )

    async def look(self, seconds: float) -> list[tuple[str, int]]:
        """What is said when the watermark has come so far, without an outage of ours: message, and of whom."""
        known = len(await self.bench.found("silent_device"))
        await self.bench.pool.execute("update silence_watch set watermark_at = $1", at(seconds) - timedelta(seconds=1))
        await self.bench.pass_watermark(seconds)
        self.bench.clock.advance(seconds=60)
        await self.bench.silence.look()
        rows = sorted(await self.bench.found("silent_device"), key=lambda one: (one["raised_at"], one["person_no"]))
        return [(one["message"].removeprefix("silent_device."), one["person_no"]) for one in rows[known:]]


@pytest.fixture
async def home(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    async with bench_on(dsn, monkeypatch) as bench:
        pool, world = bench.pool, bench.world
        await pool.execute("update devices set device_type = 'scale'")
        numbers = {}
        for name, device_type in (*DEVICES.items(), ("cuff", "pressure_cuff")):
            numbers[name] = await pool.fetchval(
                "insert into devices (device, device_type, home_no, shard, registered_at)"
                " values ($1, $2, $3, 0, $4) returning device_no",
                f"{world.device}-{name}".replace("_", "-"),
                device_type,
                world.home_no,
                datetime(2020, 1, 1, tzinfo=UTC),
            )
            await pool.execute(
                "insert into bindings (device_no, person_no, valid) values ($1, $2, $3)",
                numbers[name],
                world.person_no,
                Range(datetime(2020, 1, 1, tzinfo=UTC), None),
            )
        await bench.pass_watermark(-20 * MINUTE)
        await bench.silence.look()
        one = Home(bench=bench, numbers=numbers)
        await one.hear(0)
        yield one


async def test_a_home_of_which_nothing_is_heard_is_silent_once_and_not_each_of_its_devices(home: Home) -> None:
    assert await home.look(30 * MINUTE) == []
    assert await home.look(31 * MINUTE) == [("home", 0)]
    assert await home.look(5 * 60 * MINUTE) == []
    (said,) = await home.bench.found("silent_device")
    assert (said["observed_at"], said["facts"]) == (at(30 * MINUTE), {"hours": 0.5, "devices": 4})


async def test_devices_that_report_in_turn_fall_silent_together(home: Home) -> None:
    await home.hear(4 * MINUTE, "more_pills", "band")
    assert await home.look(31 * MINUTE) == [("home", 0)]
    assert await home.look(35 * MINUTE) == []


async def test_a_device_is_silent_by_itself_while_anything_else_of_its_home_is_heard(home: Home) -> None:
    """A cuff that somebody used says that the gateway works."""
    person = home.bench.world.person_no
    await home.hear(20 * MINUTE, "cuff")
    assert await home.look(31 * MINUTE) == [("silent", person)] * 2
    assert await home.look(61 * MINUTE) == [("home", 0)], "nothing was heard since, so the robot is not said as well"


async def test_a_gateway_that_comes_back_with_a_backlog_ends_one_finding_and_begins_none(home: Home) -> None:
    assert await home.look(40 * MINUTE) == [("home", 0)]
    await home.hear(50 * MINUTE, "robot")
    assert await home.look(51 * MINUTE) == [("home_ended", 0)]
    await home.hear(55 * MINUTE)
    assert await home.look(66 * MINUTE) == []


async def test_what_stays_silent_when_the_home_is_heard_again_is_said_by_itself(home: Home) -> None:
    person = home.bench.world.person_no
    await home.look(40 * MINUTE)
    await home.hear(50 * MINUTE, "pills", "robot", "band")
    assert await home.look(51 * MINUTE) == [("home_ended", 0)]
    assert await home.look(64 * MINUTE) == []
    await home.hear(65 * MINUTE, "pills", "robot", "band")
    assert await home.look(66 * MINUTE) == [("silent", person)]
    said = [one for one in await home.bench.found("silent_device") if one["person_no"] == person]
    assert [one["observed_at"] for one in said] == [at(65 * MINUTE)], "when the time to come back was over"


async def test_who_was_silent_before_stays_so_and_is_not_said_again(home: Home) -> None:
    person = home.bench.world.person_no
    await home.hear(25 * MINUTE, "more_pills", "robot", "band")
    assert await home.look(31 * MINUTE) == [("silent", person)]
    assert await home.look(56 * MINUTE) == [("home", 0)]
    await home.hear(80 * MINUTE, "more_pills", "robot", "band")
    assert await home.look(81 * MINUTE) == [("home_ended", 0)]
    assert await home.look(96 * MINUTE) == []
    await home.hear(97 * MINUTE, "pills")
    assert await home.look(98 * MINUTE) == [("ended", person)]


async def test_a_device_alone_or_one_beside_others_that_charge_is_no_home(home: Home) -> None:
    person = home.bench.world.person_no
    await home.bench.pool.execute(
        "update devices set removed_at = $1 where device_no = any ($2::integer[])",
        at(0),
        [home.numbers["more_pills"], home.numbers["robot"]],
    )
    await home.bench.pool.execute(
        "insert into device_events values ($1, 1, 5, 0, $2, 0, 9, $3, $3, 0, '{}')",
        home.numbers["band"],
        home.bench.world.home_no,
        at(0),
    )
    assert await home.look(31 * MINUTE) == [("silent", person)]
