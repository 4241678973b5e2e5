"""Platform time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.platform.clock import SharedClock
from deploy.scenarios.clock import StepClock
from services.runtime.clock import FakeClock, PlatformClock, WallClock, pause, rest, to_datetime, to_ms
from services.runtime.settings import ClockSettings

ORIGIN = 1_795_348_800_000
MILLISECONDS = st.integers(min_value=0, max_value=4_102_444_800_000)


@given(milliseconds=MILLISECONDS)
def test_milliseconds_survive_a_moment_and_back(milliseconds: int) -> None:
    assert to_ms(to_datetime(milliseconds)) == milliseconds
    assert to_datetime(milliseconds).tzinfo is UTC


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert to_ms(noon) == to_ms(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's monotonic seconds, which the test moves."""
    seconds = [500.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


def test_platform_time_runs_at_its_rate(monotonic: list[float]) -> None:
    clock = PlatformClock(origin_ms=ORIGIN, origin_monotonic=500.0, rate=60)
    assert clock.now_ms() == ORIGIN
    monotonic[0] += 2.5
    assert clock.now_ms() == ORIGIN + 150_000


def test_before_its_origin_platform_time_is_earlier(monotonic: list[float]) -> None:
    monotonic[0] = 499.0
    assert PlatformClock(origin_ms=ORIGIN, origin_monotonic=500.0, rate=10).now_ms() == ORIGIN - 10_000


def test_a_frozen_clock_stops_and_stays(monotonic: list[float]) -> None:
    clock = PlatformClock.starting_now(rate=60, origin_ms=ORIGIN, runs_for_s=10)
    monotonic[0] += 9.999
    assert clock.now_ms() == ORIGIN + 599_940
    monotonic[0] += 100
    assert clock.now_ms() == ORIGIN + 600_000


def test_a_process_that_starts_later_reads_the_same_time(
    monotonic: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = SharedClock(origin_ms=ORIGIN, origin_monotonic=500.25, rate=60, frozen_at_ms=ORIGIN + 9_000_000)
    for name, value in shared.environment().items():
        monkeypatch.setenv(name, value)
    monotonic[0] = 530.0
    assert ClockSettings().clock().now_ms() == shared.now_ms() == ORIGIN + 1_785_000
    monotonic[0] = 5_000.0
    assert ClockSettings().clock().now_ms() == shared.now_ms() == ORIGIN + 9_000_000


def test_left_alone_the_clock_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HB_CLOCK_ORIGIN_MS", raising=False)
    clock = ClockSettings().clock()
    assert isinstance(clock, WallClock)
    assert clock.rate == 1.0
    assert abs(clock.now_ms() - time.time() * 1000) < 5_000


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        ClockSettings(rate=0)


def test_a_fake_clock_moves_by_hand() -> None:
    clock = FakeClock(ORIGIN)
    clock.advance(seconds=1.5)
    assert clock.now_ms() == ORIGIN + 1_500


async def test_a_pause_ends_early_only_when_it_is_asked_to() -> None:
    stop = asyncio.Event()
    assert await pause(stop, 0.001) is False
    asyncio.get_running_loop().call_soon(stop.set)
    assert await pause(stop, 60) is True
    assert await pause(stop, 60) is True


def test_a_stepped_clock_stands_where_another_process_has_set_it_and_never_goes_back(tmp_path: Path) -> None:
    steps = StepClock(tmp_path / "clock", ORIGIN, 60.0)
    settings = {name.removeprefix("HB_CLOCK_").lower(): value for name, value in steps.environment().items()}
    clock = ClockSettings.model_validate(settings).clock()
    assert (clock.now_ms(), clock.rate, clock.beat) == (ORIGIN, 60.0, 1)
    steps.set(ORIGIN + 90_000)
    steps.set(ORIGIN + 10_000)
    steps.beat()
    assert (clock.now_ms(), steps.now_ms(), clock.beat) == (ORIGIN + 90_000, ORIGIN + 90_000, 2)


async def test_a_rest_ends_at_a_beat_and_at_a_stop_and_else_when_it_is_over() -> None:
    clock, stop = FakeClock(beat=1), asyncio.Event()
    assert not await rest(clock, stop, 0.02, since=1)
    resting = asyncio.create_task(rest(clock, stop, 30, since=1))
    await asyncio.sleep(0.02)
    clock.beat = 2
    assert not await asyncio.wait_for(resting, 5)
    assert not await asyncio.wait_for(rest(clock, stop, 30, since=1), 5)
    resting = asyncio.create_task(rest(clock, stop, 30, since=2))
    stop.set()
    assert await asyncio.wait_for(resting, 5)
