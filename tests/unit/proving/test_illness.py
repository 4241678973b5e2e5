"""How alerts around an illness are counted, what rivals find, and that the section says what its detectors do."""

import gzip
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from services.score.models.drift import DriftModel
from tests.proving.scorecard import illness_rivals
from tests.proving.scorecard.illness import SUMMARY, illness
from tests.proving.scorecard.illness_counts import Course, Judged, counts, drift_course, figures, judged, with_rearming
from tests.proving.scorecard.recorded_days import WEARABLE_DAYS, RecordedDays, made_up_days, recorded_days
from tests.proving.scorecard.section import MissingDataError, Section, Wanted
from tests.proving.training.baseline import MOST_FALSE_PER_MONTH, candidates, counted, fitted_drift

HEADER = "patient,source,day_from_symptom_onset,hr_basal_bpm,n_5min_points,steps_per_day\n"


@pytest.fixture(scope="module")
def section() -> Section:
    return illness(Wanted(data=None, seed=3))


def person(days: range, pulse: float = 60, steps: float = 6_000) -> RecordedDays:
    alike = np.ones(len(days))
    return RecordedDays("A", "made up", np.array(days), pulse * alike, steps * alike)


def of(one: RecordedDays) -> Judged:
    found = judged(one)
    assert found is not None
    return found


def on(one: RecordedDays, *days: int) -> Course:
    return with_rearming(np.isin(one.days, days))


def test_an_alert_from_four_days_before_to_five_after_finds_the_illness() -> None:
    one = person(range(-80, 40))
    found = {day: counts(of(one), on(one, day)).is_found for day in (-5, -4, 0, 5, 6)}
    assert found == {-5: False, -4: True, 0: True, 5: True, 6: False}


def test_the_lead_is_that_of_the_first_day_of_the_window() -> None:
    one = person(range(-80, 40))
    assert counts(of(one), on(one, -5, -3, 2)).lead_days == 3
    assert counts(of(one), on(one, 2)).lead_days == -2
    assert np.isnan(counts(of(one), on(one)).lead_days)


def test_a_rule_that_always_rings_finds_everything_and_nothing_above_chance() -> None:
    one = person(range(-80, 40))
    found = counts(of(one), Course(np.ones(120, dtype=bool), np.ones(120, dtype=bool)))

    assert (found.is_found, found.by_chance) == (True, 1)
    assert found.alert_days == found.healthy_days


def test_chance_is_the_share_of_windows_in_health_that_the_alerts_would_have_found() -> None:
    one = person(range(-80, 40))
    frame = of(one)
    found = counts(frame, on(one, -40))

    assert len(frame.windows) == len(frame.onsets)
    assert found.by_chance == 10 / len(frame.windows)
    assert not found.is_found


def test_alerts_near_the_illness_are_neither_false_nor_days_in_health() -> None:
    one = person(range(-80, 40))
    false = {day: counts(of(one), on(one, day)).false_alerts for day in (-15, -14, 20, 28, 29)}
    assert false == {-15: 1, -14: 0, 20: 0, 28: 0, 29: 1}


def test_an_alert_begins_again_after_five_days_below() -> None:
    is_on = np.array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    assert np.flatnonzero(with_rearming(is_on).begins).tolist() == [0, 11]


@pytest.mark.parametrize("days", [range(-80, -10), range(-6, 80), range(3, 90), range(-20, 20), range(-18, 28)])
def test_who_was_not_worn_enough_around_the_illness_before_it_or_in_health_is_not_judged(days: range) -> None:
    assert judged(person(days)) is None


def test_days_without_a_baseline_count_for_nobody() -> None:
    one = person(range(-80, 40))
    frame = of(one)
    assert one.days[frame.healthy].min() == -80 + 12


def test_intervals_are_over_people_and_lead_is_the_median_of_those_found() -> None:
    one = person(range(-80, 40))
    found = figures([counts(of(one), on(one, *days)) for days in ([-2], [4], [])], seed=1)

    assert found["sensitivity"].value == pytest.approx(2 / 3)
    assert found["sensitivity"].low < 2 / 3 < found["sensitivity"].high
    assert found["lead_days"].value == -1


def test_the_reader_keeps_days_that_were_worn_in_order(tmp_path: Path) -> None:
    path = tmp_path / "days.csv.gz"
    rows = ["B,x,2,61,80,5000", "B,x,-1,60,72,4000", "B,x,0,60,71,4000", "A,y,0,70,200,1"]
    path.write_bytes(gzip.compress((HEADER + "\n".join(rows) + "\n").encode()))
    first, second = recorded_days(path)

    assert (first.person, first.source, second.person) == ("A", "y", "B")
    assert (second.days.tolist(), second.resting_pulse.tolist(), second.steps.tolist()) == (
        [-1, 2],
        [60, 61],
        [4000, 5000],
    )


def raised(by: float, days: range) -> RecordedDays:
    """Pulse of 58 to 62, and higher by so much from day 0 on."""
    one = person(days)
    pulse = 60 + np.tile([-2.0, -1, 0, 1, 2], len(days))[: len(days)] + by * (one.days >= 0)
    return one._replace(resting_pulse=pulse)


def test_nightsignal_rings_on_the_second_night_running() -> None:
    one = raised(8, range(-30, 3))
    assert one.days[illness_rivals.two_nights(one)].tolist() == [1, 2]
    gap = one._replace(days=np.where(one.days > 0, one.days + 1, one.days))
    assert gap.days[illness_rivals.two_nights(gap)].tolist() == [3]


def test_one_day_rules_ring_on_the_first_day() -> None:
    one = raised(12, range(-30, 1))
    assert one.days[illness_rivals.one_day_robust_z(one)].tolist() == [0]
    assert illness_rivals.one_day_z(one)[-1]
    assert not illness_rivals.one_day_z(one._replace(resting_pulse=np.minimum(one.resting_pulse, 61))).any()
    assert not illness_rivals.fixed_limit(one).any()


def test_sums_and_means_ring_when_a_raised_pulse_stays() -> None:
    one = raised(4, range(-40, 8))
    for rule in (illness_rivals.cusum_of_pulse, illness_rivals.cusum_of_both, illness_rivals.ewma_of_both):
        beyond = one.days[rule(one)]
        assert beyond.min() > 0, rule


def test_what_is_counted_is_what_the_model_says_day_by_day() -> None:
    (one,) = made_up_days(1, seed=5)
    loud = drift_course(DriftModel(on=0.3), one)
    lasting = drift_course(DriftModel(on=0.3), one, level=2)

    assert loud.begins.sum() > 0
    assert not (loud.begins & ~loud.is_on).any()
    assert lasting.is_on.sum() == sum(max(0, days - 6) for days in episodes(loud))


def episodes(course: Course) -> list[int]:
    """The days at or above the threshold of each episode."""
    number = np.cumsum(course.begins)
    return [int(course.is_on[number == which].sum()) for which in range(1, int(number.max()) + 1)]


def test_the_section_has_each_rival_and_the_figures_of_what_runs(section: Section) -> None:
    assert set(section.summary) == set(SUMMARY)
    assert {goal.figure for goal in section.goals} <= set(section.summary)
    assert set(illness_rivals.RIVALS) <= {line.detector for line in section.lines}
    assert section.summary["excess_over_chance"] == pytest.approx(
        section.summary["sensitivity"] - section.summary["chance"]
    )


def test_made_up_illnesses_are_found_above_chance_within_the_goals(section: Section) -> None:
    assert section.missed == []


def test_the_pictures_can_be_drawn(section: Section) -> None:
    assert mpl.get_backend()
    for plot in section.plots:
        axes = Figure().subplots()
        plot.draw(axes)
        assert axes.get_xlabel()
        assert plot.caption


def test_the_same_seed_makes_up_the_same_people() -> None:
    for one, again, other in zip(*(made_up_days(3, seed) for seed in (3, 3, 4)), strict=True):
        assert one.resting_pulse.tolist() == again.resting_pulse.tolist()
        assert one.resting_pulse.tolist() != other.resting_pulse.tolist()


def test_without_the_recording_the_section_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="wearable"):
        illness(Wanted(data=tmp_path, seed=3))


def test_what_is_chosen_is_quiet_enough_on_those_it_was_chosen_by() -> None:
    people = {one.person: (one, of(one)) for one in made_up_days(4, seed=2)}
    chosen = fitted_drift(list(counted(people).values()))

    assert chosen in [model for row in candidates() for model in row]
    found = [counts(frame, drift_course(chosen, one)) for one, frame in people.values()]
    assert 30 * sum(one.false_alerts for one in found) / sum(one.healthy_days for one in found) <= MOST_FALSE_PER_MONTH


def test_of_nobody_with_enough_days_nothing_is_known_and_no_goal_is_met(tmp_path: Path) -> None:
    rows = [f"A,x,{day},60,200,5000" for day in range(20)]
    (tmp_path / WEARABLE_DAYS).write_bytes(gzip.compress((HEADER + "\n".join(rows) + "\n").encode()))
    found = illness(Wanted(data=tmp_path, seed=3))

    assert all(np.isnan(value) for value in found.summary.values())
    assert len(found.missed) == len(found.goals)
