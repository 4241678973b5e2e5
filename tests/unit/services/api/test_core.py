"""The console's own decisions: throttling, ages, gaps, thinning."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.api.core import (
    MOST_OF_ACCOUNT,
    MOST_OF_ADDRESS,
    MOST_POINTS,
    MOST_TOGETHER,
    TURN,
    PastAttempts,
    Point,
    admits,
    age_text,
    counted_address,
    is_own_request,
    is_sparse,
    lines_of,
    runs_of,
    thin_out,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def past(**changes: object) -> PastAttempts:
    nothing: dict[str, object] = {
        "together": 0,
        "of_address": 0,
        "of_account": 0,
        "newest_of_account": None,
        "familiar": False,
    }
    return PastAttempts(**(nothing | changes))  # type: ignore[arg-type]


def test_a_first_attempt_is_admitted() -> None:
    assert admits(past(), NOW)


@pytest.mark.parametrize(
    ("changes", "admitted"),
    [
        ({"together": MOST_TOGETHER - 1}, True),
        ({"together": MOST_TOGETHER}, False),
        ({"together": MOST_TOGETHER, "familiar": True}, False),
        ({"of_address": MOST_OF_ADDRESS - 1}, True),
        ({"of_address": MOST_OF_ADDRESS}, False),
        ({"of_account": MOST_OF_ACCOUNT - 1, "newest_of_account": NOW}, True),
        ({"of_account": MOST_OF_ACCOUNT, "newest_of_account": NOW}, False),
        ({"of_account": MOST_OF_ACCOUNT, "newest_of_account": NOW - TURN}, True),
        ({"of_account": 10_000, "newest_of_account": NOW, "familiar": True}, True),
        ({"of_device": 0, "together": MOST_TOGETHER, "of_address": MOST_OF_ADDRESS}, True),
        ({"of_device": 0, "of_account": 10_000, "newest_of_account": NOW}, True),
        ({"of_device": MOST_TOGETHER - 1, "together": 10_000, "of_address": 10_000}, True),
        ({"of_device": MOST_TOGETHER}, False),
        ({"of_device": MOST_TOGETHER, "familiar": True}, False),
    ],
)
def test_guessing_is_slowed_but_others_lock_no_doctor_out_of_a_familiar_address_or_browser(
    changes: dict[str, object], *, admitted: bool
) -> None:
    assert admits(past(**changes), NOW) is admitted


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_counts_as_the_network_that_one_customer_has(address: str, counted: str) -> None:
    assert counted_address(address) == counted


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_all_addresses_of_a_64_count_as_one(address: IPv6Address, host: int) -> None:
    if address.ipv4_mapped is None:
        neighbour = IPv6Address(int(address) >> 64 << 64 | host)
        assume(neighbour.ipv4_mapped is None)
        assert counted_address(str(address)) == counted_address(str(neighbour))


@pytest.mark.parametrize(
    ("site", "origin", "own"),
    [
        (None, None, True),
        ("same-origin", "http://127.0.0.1:8080", True),
        ("none", None, True),
        ("same-site", None, False),
        ("cross-site", None, False),
        (None, "https://evil.example", False),
        (None, "null", False),
        (None, "http://127.0.0.1:8081", False),
    ],
)
def test_a_write_sent_by_another_site_is_recognised(site: str | None, origin: str | None, *, own: bool) -> None:
    assert is_own_request(site, origin, "127.0.0.1:8080") is own


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-30, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h 00 min ago"),
        (86_399, "23 h 59 min ago"),
        (90_000, "1 d 1 h ago"),
    ],
)
def test_an_age_is_said_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert age_text(timedelta(seconds=seconds)) == text


def minutes(*numbers: float) -> list[Point]:
    return [Point(60 * number, 70) for number in numbers]


def test_a_gap_breaks_the_line() -> None:
    assert [len(run) for run in runs_of(minutes(0, 1, 2, 3, 60, 61, 62))] == [4, 3]


def test_one_late_reading_breaks_nothing() -> None:
    assert len(runs_of(minutes(0, 1, 2, 4.5, 5, 6))) == 1


def test_cuff_values_stand_alone() -> None:
    assert is_sparse(minutes(0, 720, 1400))
    assert not is_sparse(minutes(*range(0, 300, 5)))


points = st.lists(
    st.tuples(st.integers(0, 86_400), st.floats(20, 250)), min_size=1, max_size=1500, unique_by=lambda pair: pair[0]
).map(lambda pairs: [Point(second, value) for second, value in sorted(pairs)])


@given(points, st.integers(1, 400))
def test_thinning_keeps_the_first_the_last_the_lowest_and_the_highest(run: list[Point], most: int) -> None:
    kept = thin_out(run, most)

    assert (kept[0], kept[-1]) == (run[0], run[-1])
    assert min(point.value for point in kept) == min(point.value for point in run)
    assert max(point.value for point in kept) == max(point.value for point in run)
    assert kept == sorted(kept)
    assert set(kept) <= set(run)
    assert len(kept) <= max(most, 4)


@given(points)
def test_lines_hold_the_extremes_and_no_piece_bridges_a_gap(day: list[Point]) -> None:
    lines = lines_of(day)
    drawn = [point for line in lines for point in line]

    assert {min(p.value for p in drawn), max(p.value for p in drawn)} == {
        min(p.value for p in day),
        max(p.value for p in day),
    }
    assert [(line[0], line[-1]) for line in lines] == [(run[0], run[-1]) for run in runs_of(day)]
    assert len(drawn) <= MOST_POINTS + 4 * len(lines)
