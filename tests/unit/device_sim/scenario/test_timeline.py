"""A story becomes uplinks: measured when, sent when, by whose clock, in which order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.scenario.offsets import parse_offset, say_offset
from device_sim.scenario.scenario import Scenario, read_scenario
from device_sim.scenario.timeline import Transmission, transmissions

MINUTE = 60_000


@pytest.fixture
def of(tmp_path: Path) -> "Reader":
    return Reader(tmp_path)


class Reader:
    """Makes a scenario of the entries of a story."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *entries: str, heartbeat: str = "") -> tuple[Scenario, list[Transmission]]:
        file = self._folder / "one.yaml"
        story = "".join(f"  - {{{entry}}}\n" for entry in entries)
        file.write_text(
            "scenario: one\nlasts: 1h\npeople: {ruth: {born: 1941-03-02}}\n"
            f"devices:\n  band: {{type: wearable_band, of: ruth{heartbeat}}}\n"
            f"story:\n{story}expect:\n  - {{no_alert: any, of: ruth}}\n"
        )
        scenario = read_scenario(file)
        return scenario, transmissions(scenario)


def test_a_value_is_a_number_a_straight_line_or_a_cycle(of: Reader) -> None:
    every = "from: 0m, to: 4m, every: 1m, device: band"
    for said, values in {"72": [72] * 4, "[60, 100]": [60, 70, 80, 90], "{cycle: [1, 2, 3]}": [21, 22, 23, 21]}.items():
        written = said.replace("1, 2, 3", "21, 22, 23")
        _, planned = of(f"{every}, heart_rate: {written}")
        assert [one.readings[0].value for one in planned] == values
        assert [one.sent for one in planned] == [one.measured for one in planned] == [n * MINUTE for n in range(4)]


def test_what_is_sent_together_goes_oldest_first_unless_the_story_says_newest_first(of: Reader) -> None:
    backlog = "from: -10m, to: -7m, every: 1m, device: band, spo2: 95, sent: 3m"
    assert [one.measured // MINUTE for one in of(backlog)[1]] == [-10, -9, -8]
    _, newest = of(f"{backlog}, order: newest_first", "at: -20m, device: band, spo2: 95, sent: 3m, order: newest_first")
    assert [one.measured // MINUTE for one in newest] == [-8, -9, -10, -20]
    assert {one.sent for one in newest} == {3 * MINUTE}


def test_the_order_of_entries_does_not_matter(of: Reader) -> None:
    entries = [
        "at: 5m, device: band, spo2: 95",
        "at: 5m, device: band, heart_rate: 70",
        "at: 1m, device: band, steps: 0",
    ]
    assert of(*entries)[1] == of(*reversed(entries))[1]


def test_a_clock_that_is_ahead_stamps_ahead_and_is_sent_when_it_happened(of: Reader) -> None:
    scenario, (one,) = of("at: 5m, device: band, spo2: 95, clock_off: 7m, clock: unsynced")
    assert (one.sent, one.at - scenario.starts_ms, one.readings[0].at) == (5 * MINUTE, 12 * MINUTE, one.at)
    assert (one.clock, one.clock_off) == ("unsynced", 7 * MINUTE)


def test_a_device_without_power_measures_nothing_or_sends_it_all_when_power_is_back(of: Reader) -> None:
    every = "from: 0m, to: 5m, every: 1m, device: band, spo2: 95"
    _, lost = of(every, "offline: band, from: 1m, to: 3m")
    assert [one.measured // MINUTE for one in lost] == [0, 3, 4]
    _, kept = of(every, "offline: band, from: 1m, to: 3m, keeps: true")
    assert [(one.measured // MINUTE, one.sent // MINUTE) for one in kept] == [(0, 0), (1, 3), (2, 3), (3, 3), (4, 4)]


def test_a_heartbeat_is_an_uplink_without_items_and_needs_power(of: Reader) -> None:
    _, beats = of("offline: band, from: 15m, to: 35m, keeps: true", heartbeat=", heartbeat: 10m")
    assert [one.sent // MINUTE for one in beats] == [0, 10, 40, 50, 60]
    assert not any(one.readings or one.events for one in beats)


def test_an_event_carries_its_details_and_raw_bytes_are_as_written(of: Reader) -> None:
    _, (fall,) = of("at: 1m, device: band, event: fall_suspected, method: imu, peak_g: 3.5")
    assert (fall.events[0].event, dict(fall.events[0].details)) == ("fall_suspected", {"method": "imu", "peak_g": 3.5})
    _, (raw,) = of("at: 1m, device: band, raw: '{\"epoch\":', repeat: 3, retain: true")
    assert (raw.raw, raw.repeat, raw.retain) == (b'{"epoch":', 3, True)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("0m", 0),
        ("0m 30s", 30_000),
        ("1d 2h 30m", 95_400_000),
        ("-20d", -1_728_000_000),
        ("-1d 2h", -93_600_000),
        ("2h 1m", 7_260_000),
    ],
)
def test_offsets_are_read_as_the_format_says(text: str, ms: int) -> None:
    assert parse_offset(text) == ms


@pytest.mark.parametrize(
    "text", ["", "-", "5", "m", "5 m", "1h  2m", " 5m", "5m ", "2m 1h", "1h 1h", "1.5h", "+5m", "1w"]
)
def test_anything_else_is_no_offset(text: str) -> None:
    assert parse_offset(text) is None


@given(st.integers(-(10**8), 10**8))
def test_an_offset_of_whole_seconds_is_read_as_it_is_said(seconds: int) -> None:
    assert parse_offset(say_offset(1000 * seconds)) == 1000 * seconds
