"""What the scorecard makes of falls and silence without a database is what the queries say of the same drawn rows."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from asyncpg import Range

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from services.ingest.registry import BoundPerson, RegisteredDevice
from services.runtime.clock import to_ms
from services.score.followups import FallCheck
from services.score.rule import NEVER
from tests.integration.care_world import START_MS
from tests.integration.score_bench import MINUTE_MS, OTHER, Bench, at, bench_on
from tests.proving.scorecard.due_falls import DueFalls
from tests.proving.scorecard.due_silence import DueSilence

_TYPES: Final = {"pills": "pill_dispenser", "robot": "fall_robot", "band": "wearable_band"}
_MINUTE_S: Final = 60
Said = tuple[int, int, str]


@pytest.fixture
async def bench(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    async with bench_on(dsn, monkeypatch) as opened:
        yield opened


def record(bench: Bench, seconds: float, device_no: int, seq: int, **items: Any) -> JudgedUplink:
    """An uplink that was received at once."""
    moment = START_MS + round(seconds * 1000)
    return JudgedUplink(device_no, "drawn", bench.world.home_no, 0, 1, seq, 0, moment, moment, **items)


async def something(bench: Bench, dice: random.Random, seconds: float, seq: int) -> JudgedUplink:
    """Stored, and as the uplink it came in: an answer, a posture or steps, by the device of the fall or another."""
    elsewhere, moment = dice.random() < 0.4, START_MS + round(seconds * 1000)
    device_no, person_no = bench.world.device_no + OTHER * elsewhere, bench.world.person_no
    what = dice.choice(("ok", "ok", "help", "lying", "upright", "upright", "steps", "steps"))
    if what in {"ok", "help"}:
        kind = EventKind.FALL_ANSWERED if dice.random() < 0.6 else EventKind.CHECK_IN_ANSWERED
        await bench.report(seconds, kind, seq=seq, answer=what, elsewhere=elsewhere)
        event = JudgedEvent(0, person_no, EVENT_TYPE_BY_KIND[kind].number, moment, 0, {"answer": what})
        return record(bench, seconds, device_no, seq, events=(event,))
    code, value = ("steps", float(dice.randint(5, 30))) if what == "steps" else ("heart_rate", 80.0)
    flags = {"lying": Flag.LYING, "upright": Flag.UPRIGHT}.get(what, Flag(0))
    await bench.measure(seconds, code, value, flags, seq=seq, elsewhere=elsewhere)
    reading = JudgedReading(0, person_no, VITAL_BY_CODE[code].number, value, moment, int(flags))
    return record(bench, seconds, device_no, seq, readings=(reading,))


@pytest.mark.parametrize("seed", range(8))
async def test_a_drawn_fall_comes_to_the_same(bench: Bench, seed: int) -> None:
    dice, falls = random.Random(seed), DueFalls()
    await bench.suspect_fall()
    due_at = START_MS + MINUTE_MS
    falls.begin(FallCheck(subject=bench.subject, episode=1, sample=bench.event(0), due_at=due_at, received_at=START_MS))
    moments = sorted(dice.sample(range(3, 59), 3) + dice.sample(range(61, 2400), 4))
    mirrored: list[Said] = []
    for seq, seconds in enumerate(sorted([*moments, 60, 1500, 5000, 25 * 3600]), start=1):
        if seconds in moments:
            falls.hear(await something(bench, dice, seconds, seq))
        await bench.pass_watermark(seconds)
        await bench.due.settle()
        await bench.due.end_falls()
        found = falls.follow(START_MS + seconds * 1000)
        mirrored += [(one.level, one.observed_at, one.message) for one in found]
    stored = [(one["level"], to_ms(one["observed_at"]), one["message"]) for one in await bench.found("fall")]
    assert sorted(mirrored) == sorted(stored)
    assert stored


async def settle_devices(bench: Bench) -> list[RegisteredDevice]:
    """The person's devices, of kinds that are watched for silence."""
    await bench.pool.execute("update devices set device_type = 'scale'")
    devices = []
    for name, code in _TYPES.items():
        number = await bench.pool.fetchval(
            "insert into devices (device, device_type, home_no, shard, registered_at) values ($1, $2, $3, 0, $4)"
            " returning device_no",
            f"{bench.world.device}-{name}", code, bench.world.home_no, datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        await bench.pool.execute(
            "insert into bindings (device_no, person_no, valid) values ($1, $2, $3)",
            number, bench.world.person_no, Range(datetime(2020, 1, 1, tzinfo=UTC), None),
        )  # fmt: skip
        person = BoundPerson(person_no=bench.world.person_no, home_no=bench.world.home_no, from_ms=0, to_ms=NEVER)
        devices.append(
            RegisteredDevice(
                device_no=number, device=name, home_no=bench.world.home_no, shard=0,
                type=DEVICE_TYPE_BY_CODE[code], people={1: (person,)},
            )
        )  # fmt: skip
    return devices


async def hear(bench: Bench, seconds: float, device_no: int) -> None:
    await bench.pool.execute(
        "insert into device_cursor values ($1, 1, '{}', 0, '[]', $2)"
        " on conflict (device_no, epoch) do update set last_received_at = excluded.last_received_at",
        device_no, at(seconds),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_a_drawn_silence_comes_to_the_same(bench: Bench, seed: int) -> None:
    """One device after the other is away for hours: what is said of each, and when it is over."""
    dice, devices = random.Random(seed), await settle_devices(bench)
    numbers = [one.device_no for one in devices]
    await bench.pass_watermark(-20 * _MINUTE_S)
    await bench.silence.look()
    silence = DueSilence(devices, START_MS)
    for number in numbers:
        await hear(bench, 0, number)
    away = {
        number: (begins := 60 + 400 * place, begins + dice.randint(20, 350)) for place, number in enumerate(numbers)
    }
    mirrored = []
    for minute in range(10, 1300, 10):
        now = START_MS + minute * MINUTE_MS
        for number in numbers:
            if not away[number][0] <= minute < away[number][1]:
                await hear(bench, minute * _MINUTE_S, number)
                mirrored += list(silence.hear(record(bench, minute * _MINUTE_S, number, minute)))
        mirrored += list(silence.look(now))
        await bench.pool.execute(
            "update silence_watch set watermark_at = $1", at(minute * _MINUTE_S) - timedelta(seconds=1)
        )
        await bench.pass_watermark(minute * _MINUTE_S)
        bench.clock.advance(seconds=600)
        await bench.silence.look()
    stored = [(one["level"], to_ms(one["observed_at"]), one["episode"]) for one in await bench.found("silent_device")]
    assert sorted((one.level, one.observed_at, one.episode) for one in mirrored) == sorted(stored)
    assert stored
