"""What a device would measure of recorded impacts, and the recording that it measures."""

from itertools import pairwise
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.proving.scorecard.impacts import measured, tilt_before
from tests.proving.scorecard.recorded_falls import FILE, trials_of
from tests.unit.proving.scorecard.falls_made import made, write


def test_an_impact_is_measured_by_its_peak_and_by_how_the_person_lies_after_it() -> None:
    found = measured(made(peak_g=5, tilt_deg=80, spread_g=0.02))
    assert found.at == [40]
    (impact,) = found.impacts
    assert impact == pytest.approx((5, 80, 0.02))
    assert found.unread == 0


def test_spread_is_that_of_all_samples_within_and_between_tenths_of_a_second() -> None:
    trial = made(spread_g=0.03)
    mean = np.ones(120)
    mean[55:95] = np.tile([1.04, 0.96], 20)
    (impact,) = measured(trial._replace(mean=mean)).impacts
    assert impact.spread_g == pytest.approx(0.05)


def test_what_comes_before_and_long_after_an_impact_does_not_count() -> None:
    trial = made(tilt_deg=0)
    axes = trial.axes.copy()
    axes[:55], axes[95:] = (1, 0, 0), (1, 0, 0)
    (impact,) = measured(trial._replace(axes=axes)).impacts
    assert impact.tilt_deg == 0


@pytest.mark.parametrize(("ticks", "unread"), [(75, 0), (74, 1)])
def test_a_recording_that_ends_soon_after_an_impact_leaves_it_open(ticks: int, unread: int) -> None:
    found = measured(made(impact_at=40, ticks=ticks))
    assert (len(found.impacts), found.unread) == (1 - unread, unread)


def test_what_is_softer_than_2_g_is_no_impact_and_the_hardest_of_a_second_is_one() -> None:
    assert not measured(made(peak_g=1.99)).impacts
    trial = made(peak_g=5)
    highest = trial.highest.copy()
    highest[[30, 31, 55, 56]] = 4, 3, 2.5, 2.5
    assert measured(trial._replace(highest=highest)).at == [40, 55]


@given(st.lists(st.floats(0.5, 9), min_size=60, max_size=120))
def test_impacts_are_apart_and_each_is_the_highest_around_it(highest: list[float]) -> None:
    trial = made(ticks=len(highest))._replace(highest=np.asarray(highest))
    at = measured(trial).at
    assert all(later - earlier > 10 for earlier, later in pairwise(at))
    assert all(highest[tick] == max(highest[max(0, tick - 10) : tick + 15]) >= 2 for tick in at)


def test_how_somebody_was_before_is_upright_or_not_known() -> None:
    assert tilt_before(made(), 40) == pytest.approx(0)
    assert isnan(tilt_before(made(), 15))


def test_a_recording_gives_each_trial_in_the_order_of_time(tmp_path: Path) -> None:
    trials = [made("SE02", "D07", peak_g=2.5), made("SA01", "F03", peak_g=6, ticks=100), made("SA01", "F03", ticks=90)]
    write(trials, tmp_path)
    found = trials_of(tmp_path / FILE)
    assert [(one.person, one.activity, one.seconds) for one in found] == [
        ("SA01", "F03", 10.0),
        ("SA01", "F03", 9.0),
        ("SE02", "D07", 12.0),
    ]
    assert [(one.is_fall, one.is_elderly) for one in found] == [(True, False), (True, False), (False, True)]
    assert found[2].highest[40] == 2.5
    assert np.allclose(found[0].axes, trials[1].axes, atol=0.001)
