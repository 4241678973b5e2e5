"""Episodes straight from the data, and the comparison that must name each missed and each extra one."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from deploy.reconcile.episodes import GAP_MS, LASTS_MS, compare_episodes, episodes, expected_episodes

MINUTE = 60_000
STEP = 5 * MINUTE


def every_five_minutes(*values: float, start: int = 0) -> list[tuple[int, float]]:
    return [(start + number * STEP, value) for number, value in enumerate(values)]


def at(place: int) -> int:
    return place * STEP


def test_a_low_of_a_quarter_of_an_hour_counts() -> None:
    assert episodes(every_five_minutes(80, 69, 65, 60, 69, 80), 70) == [(at(1), at(4))]


def test_a_shorter_one_does_not() -> None:
    assert episodes(every_five_minutes(80, 69, 65, 69, 80, 80, 80, 80), 70) == []


def test_the_limit_itself_is_not_below() -> None:
    assert episodes(every_five_minutes(70, 70, 70, 70, 70), 70) == []


def test_a_short_recovery_does_not_end_it() -> None:
    assert episodes(every_five_minutes(60, 60, 75, 75, 75, 60, 60), 70) == [(at(0), at(6))]


def test_a_quarter_of_an_hour_at_or_above_seventy_ends_it() -> None:
    found = episodes(every_five_minutes(60, 60, 60, 60, 70, 70, 70, 70, 60, 60, 60, 60), 70)
    assert found == [(at(0), at(3)), (at(8), at(11))]


def test_a_level_two_episode_goes_on_between_54_and_70() -> None:
    assert episodes(every_five_minutes(50, 60, 60, 60, 60, 50), 54) == [(at(0), at(5))]


def test_a_stretch_below_seventy_starts_the_recovery_again() -> None:
    assert episodes(every_five_minutes(50, 50, 72, 72, 72, 65, 72, 72, 72, 50), 54) == [(at(0), at(9))]


def test_a_gap_above_half_an_hour_closes_it() -> None:
    before = every_five_minutes(60, 60, 60, 60)
    late = every_five_minutes(60, 60, 60, 60, start=at(3) + GAP_MS + 1)
    assert episodes(before + late, 70) == [(at(0), at(3)), (late[0][0], late[-1][0])]


def test_a_gap_of_exactly_half_an_hour_does_not() -> None:
    assert episodes([(0, 60), (GAP_MS, 60)], 70) == [(0, GAP_MS)]


def test_the_end_of_the_data_closes_what_is_open() -> None:
    assert episodes(every_five_minutes(80, 60, 60, 60, 60), 70) == [(at(1), at(4))]


def test_nothing_gives_nothing() -> None:
    assert episodes([], 70) == []


@given(values=st.lists(st.sampled_from([50.0, 60.0, 70.0, 90.0]), max_size=80), steps=st.data())
def test_episodes_are_long_apart_and_begin_and_end_below(values: list[float], steps: st.DataObject) -> None:
    times = 0
    samples = []
    for value in values:
        times += steps.draw(st.sampled_from([1, 5, 15, 31])) * MINUTE
        samples.append((times, value))
    by_time = dict(samples)
    found = episodes(samples, 70)
    assert all(end - start >= LASTS_MS and by_time[start] < 70 and by_time[end] < 70 for start, end in found)
    assert all(first[1] < second[0] for first, second in pairwise(found))


def test_both_levels_of_each_person_are_expected() -> None:
    low = every_five_minutes(65, 50, 50, 50, 50, 65)
    assert expected_episodes({"ann": low, "bob": every_five_minutes(90, 90)}) == {
        ("ann", 1, at(0)),
        ("ann", 2, at(1)),
    }


EXPECTED = {("ann", 1, 100), ("ann", 2, 200), ("bob", 1, 300)}


def test_the_same_episodes_match_wholly() -> None:
    same = compare_episodes(EXPECTED, set(EXPECTED))
    assert (same.matched, same.missed, same.extra, same.ratio, same.differences) == (3, 0, 0, 1.0, ())


def test_a_missed_episode_is_named_and_costs() -> None:
    found = compare_episodes(EXPECTED, EXPECTED - {("ann", 2, 200)})
    assert (found.matched, found.missed, found.extra) == (2, 1, 0)
    assert found.ratio == 2 / 3
    assert found.differences == ("missed: person ann level 2 first below at 200",)


def test_an_extra_episode_is_named_and_costs() -> None:
    stray = ("bob", 2, 900)
    found = compare_episodes(EXPECTED, EXPECTED | {stray})
    assert (found.matched, found.extra, found.ratio) == (3, 1, 3 / 4)
    assert found.differences == ("extra: person bob level 2 first below at 900",)


def test_an_episode_that_begins_elsewhere_is_both_missed_and_extra() -> None:
    found = compare_episodes({("ann", 1, 100)}, {("ann", 1, 160)})
    assert (found.matched, found.missed, found.extra, found.ratio) == (0, 1, 1, 0.0)


def test_nothing_to_find_and_nothing_found_is_a_match() -> None:
    assert compare_episodes(set(), set()).ratio == 1.0
    assert compare_episodes(set(), {("ann", 1, 100)}).ratio == 0.0
