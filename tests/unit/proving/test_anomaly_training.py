"""Fitting the anomaly model: its limits keep what was asked for, and tried limits decide as the model concludes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.score.models.anomaly import FEATURES, Concluded
from services.score.rule import HOUR_MS
from tests.proving.training.anomaly import (
    Ceiling,
    PersonRows,
    alarm,
    fitted_anomaly,
    off_of,
    share_of_windows,
    spread_out,
)


def person(seed: int, hours: int = 40, *, ill_from: int | None = None, every: int = 1) -> PersonRows:
    """Somebody with a level of their own; from ``ill_from`` on all is two spreads higher, and rises."""
    random = np.random.default_rng(seed)
    of_rows = np.arange(0, hours, every)
    rows = random.normal(0, 1, (len(of_rows), len(FEATURES))) + random.normal(0, 1, len(FEATURES))
    if ill_from is not None:
        rows[of_rows >= ill_from] += 2
    rows[random.random(rows.shape) < 0.1] = np.nan
    ill = of_rows >= ill_from if ill_from is not None else np.zeros(len(of_rows), dtype=bool)
    return PersonRows(rows=rows, hours=of_rows, length=hours, becomes_ill=ill)


PEOPLE = [person(seed, every=1 + seed % 2) for seed in range(60)]
ILL = [person(100 + seed, ill_from=25) for seed in range(20)]
MODEL = fitted_anomaly([*PEOPLE, *ILL], seed=1, false_windows=0.2)


def concluded_by(model_on: float, one: PersonRows) -> tuple[list[float], list[bool]]:
    limited = MODEL.__class__(
        forest=MODEL.forest, medians=MODEL.medians, spreads=MODEL.spreads, oddness=MODEL.oddness,
        on=model_on, off=off_of(model_on),
    )  # fmt: skip
    concluded, quantiles, is_on = Concluded(), [], []
    for hour, answer in zip(one.hours.tolist(), limited.answer(one.rows).tolist(), strict=True):
        quantiles.append(limited.conclude(concluded, answer, hour * HOUR_MS)[0])
        is_on.append(concluded.is_on)
    return quantiles, is_on


@given(st.sampled_from([*PEOPLE, *ILL]), st.floats(0.3, 0.99))
@settings(deadline=None, max_examples=50)
def test_limits_that_are_tried_decide_as_the_model_concludes(one: PersonRows, on: float) -> None:
    quantiles, is_on = concluded_by(on, one)
    assert alarm(quantiles, on=on, off=off_of(on)) == is_on


def test_the_limit_is_the_lowest_that_keeps_the_share_of_false_windows() -> None:
    quantiles = [np.array(concluded_by(MODEL.on, one)[0]) for one in PEOPLE]
    shares = [share_of_windows(PEOPLE, quantiles, on=on, off=off_of(on)) for on in (MODEL.on, MODEL.on - 0.02)]
    assert shares[0] <= 0.2 < shares[1]
    assert MODEL.off < MODEL.on < 1


def test_quantiles_are_those_of_well_people_and_rise() -> None:
    assert np.all(np.diff(MODEL.oddness) > 0)
    ill_quantiles = [concluded_by(MODEL.on, one)[0][-1] for one in ILL]
    assert np.mean(ill_quantiles) > 0.8
    assert np.mean([np.mean(concluded_by(MODEL.on, one)[0]) for one in PEOPLE]) == pytest.approx(0.5, abs=0.02)


def test_people_who_become_ill_are_not_fitted_on() -> None:
    without = fitted_anomaly(PEOPLE, seed=1, false_windows=0.2)
    assert without.oddness == MODEL.oddness
    assert (without.forest.threshold == MODEL.forest.threshold).all()


def test_spreads_are_those_of_a_normal_distribution() -> None:
    rows = np.concatenate([one.rows for one in PEOPLE])
    assert pytest.approx(np.nanstd(rows, axis=0), rel=0.3) == MODEL.spreads
    assert pytest.approx(np.nanmedian(rows, axis=0)) == MODEL.medians


def test_an_hour_without_a_row_leaves_the_alarm_as_it_is() -> None:
    one = PersonRows(
        rows=np.zeros((2, len(FEATURES))),
        hours=np.array([1, 3]),
        length=6,
        becomes_ill=np.zeros(2, dtype=bool),
    )
    assert spread_out(one, [True, False]).tolist() == [False, True, True, False, False, False]


@pytest.mark.parametrize(("on", "off"), [(0.95, 0.85), (0.7, 0.1), (0.5, 0.0)])
def test_off_lies_three_times_as_far_from_one_as_on(on: float, off: float) -> None:
    assert off_of(on) == pytest.approx(off)


def test_the_ceiling_knows_who_became_ill() -> None:
    ceiling = Ceiling([*PEOPLE, *ILL], seed=1)
    assert ceiling.answer(ILL[0].rows[-10:]).mean() > ceiling.answer(PEOPLE[0].rows).mean()
