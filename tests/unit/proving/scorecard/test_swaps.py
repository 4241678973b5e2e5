"""The section about swaps of units and people, on the seeded simulation."""

import gzip
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Picture
from pyarrow import parquet, table

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.records import JudgedUplink
from schemas.vitals import SYSTOLIC, WEIGHT
from services.score.core import step
from services.score.followups import DoubtedMeasurement, Tally
from services.score.home_state import HomeState
from services.score.models.own_band import DAY_MS, LEAST_VALUES, MUCH_BETTER
from tests.proving.scorecard.measured_streams import Measurement, Stream, cuffs, meters, scales, thermometers
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.scorecard.swaps import KINDS, MOST_IN_A_PERSON, SWAPS, swaps
from tests.proving.scorecard.swaps_injected import (
    Fate,
    Kind,
    Swap,
    draws,
    evidence_of,
    fate_of,
    five_kilograms,
    guard,
    lie_apart,
    outlier,
    own_ranges,
    play,
)
from tests.unit.services.score.story import PERSON, uplink

_WANTED = Wanted(data=None, seed=7)
_POUNDS, _MATES = KINDS[0], KINDS[2]


def _stream(*values: float, vital: int = WEIGHT.number) -> Stream:
    return [Measurement(day * DAY_MS, {vital: value}) for day, value in enumerate(values)]


_EIGHTY = _stream(*(80 + 0.3 * (day % 4) for day in range(30)))
_SIXTY = _stream(*(60 + 0.3 * (day % 4) for day in range(30)))
_HOME = {"a": _EIGHTY, "b": _SIXTY}


@pytest.fixture(scope="module")
def section() -> Section:
    return swaps(_WANTED)


def test_the_simulation_alone_meets_both_goals(section: Section) -> None:
    assert section.missed == []
    assert section.summary["true_readings_held"] <= 0.001 < section.summary["held"]


def test_two_hundred_count_and_nobody_has_more_than_five_of_a_kind(section: Section) -> None:
    assert sum(section.details["swaps_by_kind"].values()) == SWAPS
    people = section.details["people_in_swaps"]
    assert all(count <= MOST_IN_A_PERSON * people[kind] for kind, count in section.details["swaps_by_kind"].items())


def test_the_guard_beats_chance_and_each_rival_holds_more_of_peoples_own(section: Section) -> None:
    ours = section.lines[0]
    assert ours.is_ours
    assert ours.figures["held"].low > ours.figures["chance level"].high
    rivals = [one for one in section.lines if not one.is_ours and one.detector != "ingest's ranges alone"]
    assert rivals
    assert all(one.figures["own readings held"].value >= ours.figures["own readings held"].value for one in rivals)


def test_its_plots_can_be_drawn(section: Section) -> None:
    for plot in section.plots:
        axes = Picture().subplots()
        plot.draw(axes)
        assert axes.lines or axes.patches


def test_a_swap_comes_as_it_is_sent() -> None:
    swap = Swap(_POUNDS, "a", "a", _EIGHTY[20])
    assert fate_of(swap, _HOME, guard(30)).fate is Fate.HELD
    assert fate_of(Swap(_MATES, "a", "b", _SIXTY[20]), _HOME, guard(30)).fate is Fate.HELD
    assert fate_of(Swap(_MATES, "a", "b", _SIXTY[3]), _HOME, guard(30)).fate is Fate.MISSED
    heavy = {"c": _stream(*[150.0] * 30)}
    assert fate_of(Swap(_POUNDS, "c", "c", heavy["c"][20]), heavy, guard(30)).fate is Fate.REJECTED


def test_what_may_call_for_help_is_scored_at_once_though_it_is_doubted() -> None:
    cuff = Kind("a room-mate's pressure", "pressure_cuff")
    high = _stream(*(150 + day % 3 for day in range(30)), vital=SYSTOLIC.number)
    low = _stream(*(104 + day % 3 for day in range(30)), vital=SYSTOLIC.number)
    judged = fate_of(Swap(cuff, "high", "low", low[20]), {"high": high, "low": low}, guard(30))
    assert (judged.fate, judged.calls) == (Fate.SCORED, True)


def test_draws_are_different_and_of_moments_that_have_a_band() -> None:
    drawn = list(islice(draws(_MATES, _HOME, np.random.default_rng(1), noticed=True), 1000))
    assert len(drawn) == len({(one.person, one.measured.at) for one in drawn}) == 2 * (30 - LEAST_VALUES)
    assert all(one.measured.at >= (LEAST_VALUES - 1) * DAY_MS and one.person != one.source for one in drawn)
    alike = {"a": _EIGHTY, "b": _stream(*(80.1 + 0.3 * (day % 4) for day in range(30)))}
    assert not list(islice(draws(_MATES, alike, np.random.default_rng(1), noticed=True), 1))
    assert list(islice(draws(_MATES, alike, np.random.default_rng(1), noticed=False), 1))


def test_ranges_lie_apart_by_one_vital() -> None:
    assert lie_apart(own_ranges(_EIGHTY), own_ranges(_SIXTY))
    assert not lie_apart(own_ranges(_EIGHTY), own_ranges(_EIGHTY))


def test_own_readings_are_judged_once_there_is_a_band() -> None:
    steady = play(_EIGHTY, _SIXTY, guard(30))
    assert (steady.judged, steady.held, steady.doubted) == (30 - LEAST_VALUES, 0, 0)
    changed = _stream(*([80.0] * 20), *([60.1] * 10))
    held = play(changed, _SIXTY, guard(30))
    # Three are held; the fourth is believed, and so are those near it: somebody may really have changed.
    assert held.held == 3
    assert held.doubted == 4
    assert len(evidence_of(changed, _SIXTY, 30)) == 1


def test_rivals_ask_of_whatever_is_far_off() -> None:
    fell = _stream(*([80.0, 80.5] * 10), 71.0)
    assert play(fell, _EIGHTY, outlier).held == 1
    assert play(fell, _EIGHTY, five_kilograms).held == 1
    assert play(fell, _EIGHTY, guard(30)).held == 0


def test_simulated_people_are_the_same_for_a_seed() -> None:
    assert scales(_WANTED) == scales(Wanted(data=None, seed=7)) != scales(Wanted(data=None, seed=8))
    assert thermometers(_WANTED) == thermometers(Wanted(data=None, seed=7))
    spans = [one[-1].at - one[0].at for one in scales(_WANTED).values()]
    assert min(spans) > 40 * DAY_MS


def test_what_scores_here_is_what_runs() -> None:
    """The same readings through score's own step: it holds what is held here, and nothing else."""
    people = scales(_WANTED)
    pairs = list(zip(list(people)[::2], list(people)[1::2], strict=True))[:6]
    for mine, theirs in pairs:
        swaps_of = [one for one in people[theirs] if one.at > 20 * DAY_MS][:3]
        for swapped in swaps_of:
            fate = fate_of(Swap(_MATES, mine, theirs, swapped), people, guard(MUCH_BETTER)).fate
            assert _held_by_score(people[mine], people[theirs], swapped) == (fate is Fate.HELD)


def _held_by_score(mine: Stream, theirs: Stream, swapped: Measurement) -> bool:
    state = HomeState()
    known = [(one.at, PERSON, one) for one in mine] + [(one.at, PERSON + 1, one) for one in theirs]
    for seq, (at, person, one) in enumerate(sorted(known, key=lambda one: one[:2])):
        if at < swapped.at:
            step(state, _uplink(seq, one, person), Tally())
    effects = step(state, _uplink(9_999, swapped, PERSON), Tally())
    return any(isinstance(one, DoubtedMeasurement) and one.is_held for one in effects)


def _uplink(seq: int, one: Measurement, person: int) -> JudgedUplink:
    minutes, (value,) = one.at / 60_000, one.values.values()
    return uplink(seq, minutes, {"weight": value}, person=person, device_type=DEVICE_TYPE_BY_CODE["scale"].number)


def test_recordings_are_read_as_people_measure(tmp_path: Path) -> None:
    minutes = [float(minute) for minute in range(3 * 1440, 13 * 1440, 5)]
    columns = {
        "patient": ["a"] * len(minutes) + ["b"],
        "minute": [*minutes, 200.0],
        "glucose_mgdl": [150.0 + minute % 7 for minute in minutes] + [90.0],
    }
    parquet.write_table(table(columns), tmp_path / "cgm_older_adults_t1d.parquet")
    with gzip.open(tmp_path / "welltory_home_bp.csv.gz", "wt", encoding="utf-8") as file:
        file.write("user_code,measurement_datetime,systolic,diastolic\n")
        for hour in ("08:00:00", "11:00:00", "19:30:00"):
            file.write(f"a,2020-04-29  {hour},150,100\n")
    wanted = Wanted(data=tmp_path, seed=1)
    found = meters(wanted)
    # About four a day; whoever was measured at no such hour is left out.
    assert set(found) == {"a"}
    assert 30 <= len(found["a"]) <= 40
    assert found["a"][0].at < DAY_MS
    # Three hours later the same pressure is a copy; eleven and a half hours later it is too, by the half hour.
    assert len(cuffs(wanted)["a"]) == 1
