"""The anomaly model for homes on people whom it was not fitted on: how often it is wrong, what it finds of drifts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from services.score.models.anomaly import FEATURES, AnomalyModel
from tests.proving.alarms.recordings import WORN_FILE
from tests.proving.scorecard.deterioration import concluded_by
from tests.proving.scorecard.deterioration_counts import WINDOW_H
from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted, folds_of
from tests.proving.scorecard.simulated_homes import DAY_MS, START_MS
from tests.proving.training.anomaly import PersonRows, fitted_anomaly, with_limits
from tests.proving.training.home_people import Drift, make_person, recorded, rows_of, simulated, worn_at_home

LICENCE: Final = "CC BY-SA 4.0 (Dubosson 2018, D1NAMO)"
OURS: Final = "HearthBeat, anomaly at home"
SIMULATED: Final = 60
COMPANIONS: Final = 16
"""Of each recorded person: so many simulated people lend what was not recorded. So both sets weigh about the same."""
DAYS: Final = 10
FALSE_WINDOWS: Final = 0.025
"""Chosen on the people that it is fitted on, so that others have at most 0.05."""
ON_WITHIN_H: Final = 24
_ILL_FROM_D: Final = 6
_SHARES: Final = np.linspace(0.0, 1.0, 21)
DRIFTS: Final[Mapping[str, Mapping[str, float]]] = {
    "pulse 22, breathing 6, temperature 0.8 above usual, oxygen 2 below": {
        "heart_rate": 22, "respiratory_rate": 6, "body_temperature": 0.8, "spo2": -2,
    },
    "pulse 14, breathing 4, temperature 0.5 above usual, oxygen 1.5 below": {
        "heart_rate": 14, "respiratory_rate": 4, "body_temperature": 0.5, "spo2": -1.5,
    },
    "pulse 22 above usual, and nothing else": {"heart_rate": 22},
}  # fmt: skip
_COUNTED: Final = """Home is not the hospital: this forest is fitted on people at home and has never seen a patient. The
same pipeline, fitted anew on stays in intensive care, is the benchmark for regression (*Several vitals at once*); the
two models share code and nothing else.

Of {donors} recorded people ({donor_days:.0f} days of pulse and breathing by a chest strap at rest; type 1 diabetes;
three more of the recording are too short or hold imputed values alone) and {simulated} simulated ones
({simulated_days:.0f} days). What the recording lacks (oxygen, temperature, pressure) is lent by {companions}
simulated people each. Forest and limit are fitted on the other people of five folds; the limit on recorded people
alone, for {wanted:.1%} of their {window}-hour windows. Nobody is known to have been ill, so every alarm counts as
false.

What is found are drifts that were laid over simulated people: within 6 h all vitals named move together and stay. Found
is who has an alarm within {within} h and had none in the hour before. No limit of a single vital is crossed by most of
them. That is what the method does, and no claim about illness at home, of which there is no recording. Neither age nor
sex is in the recording, and simulated people have neither: how figures differ by them is not known. {donors} people
are very few; the interval over them is wide."""


@dataclass(slots=True)
class _Tally:
    """Of each person: windows, those with an alarm, alarms that began, days, and their quantiles."""

    windows: list[float] = field(default_factory=list)
    with_alarm: list[float] = field(default_factory=list)
    alerts: list[float] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    quantiles: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, model: AnomalyModel, people: Sequence[PersonRows]) -> None:
        """``people`` are one and the same recorded one, with several companions."""
        counts = np.zeros(4)
        for one in people:
            is_on, quantiles = concluded_by(model, one, model.answer(one.rows))
            whole = len(is_on) // WINDOW_H
            windows = is_on[: whole * WINDOW_H].reshape(whole, WINDOW_H)
            counts += (whole, windows.any(axis=1).sum(), _begins(is_on), len(is_on) / 24)
            self.quantiles.append(quantiles)
        for kept, count in zip((self.windows, self.with_alarm, self.alerts, self.days), counts.tolist(), strict=True):
            kept.append(count / len(people))

    def figures(self, seed: int) -> dict[str, Figure]:
        """By the titles of their columns."""
        return {
            "false_window_rate": over_people(self.with_alarm, self.windows, seed=seed),
            "alerts_per_person_day": over_people(self.alerts, self.days, seed=seed),
        }


@dataclass(frozen=True, slots=True)
class HomePeople:
    """Rows of recorded people with each of their companions, and of simulated ones."""

    recorded: Mapping[str, Sequence[PersonRows]]
    simulated: Mapping[str, PersonRows]

    @property
    def rows(self) -> NDArray[np.float64]:
        """Of all of them: what the forest is fitted on."""
        of_life = [one.rows for several in self.recorded.values() for one in several]
        return np.concatenate([*of_life, *(one.rows for one in self.simulated.values())])


def home_people(wanted: Wanted) -> HomePeople:
    """All of them. Raises MissingDataError."""
    worn = worn_at_home(wanted.file(WORN_FILE))
    return HomePeople(
        {
            person: [rows_of(recorded(rows, make_person(wanted.seed, f"{person} {n}"))) for n in range(COMPANIONS)]
            for person, rows in worn.items()
        },
        {name: rows_of(simulated(make_person(wanted.seed, name), DAYS)) for name in map(str, range(SIMULATED))},
    )


def fitted_at_home(people: HomePeople, *, seed: int, without: Sequence[str] = ()) -> AnomalyModel:
    """Forest of all but ``without``; quantiles and limit of the recorded ones among them."""
    of_life = [one for person, rows in people.recorded.items() if person not in without for one in rows]
    of_model = [one for person, one in people.simulated.items() if person not in without]
    model = fitted_anomaly([*of_life, *of_model], seed=seed, false_windows=FALSE_WINDOWS)
    answers = model.answer(np.concatenate([one.rows for one in of_life]))
    return with_limits(model, of_life, answers, false_windows=FALSE_WINDOWS)


def anomaly_at_home(wanted: Wanted) -> Section:
    """The section. Raises MissingDataError."""
    people = home_people(wanted)
    of_life, of_model = _Tally(), _Tally()
    found: dict[str, list[float]] = {name: [] for name in DRIFTS}
    for number, (donors, names) in enumerate(_folds(people, wanted)):
        model = fitted_at_home(people, seed=wanted.seed, without=[*donors, *names])
        for person in donors:
            of_life.add(model, people.recorded[person])
        for person in names:
            of_model.add(model, [people.simulated[person]])
            for drift, by in DRIFTS.items():
                found[drift].append(_found_in(model, wanted.seed, person, by))
        wanted.report((number + 1) / (wanted.folds + 1))
    life, simulation = of_life.figures(wanted.seed), of_model.figures(wanted.seed)
    drifts = [_line_of(drift, hours, wanted.seed) for drift, hours in found.items()]
    return Section(
        name="anomaly_at_home",
        title="Several vitals at once: at home",
        counted=_COUNTED.format(
            donors=len(people.recorded), donor_days=sum(of_life.days), simulated=SIMULATED,
            simulated_days=sum(of_model.days), companions=COMPANIONS, wanted=FALSE_WINDOWS, window=WINDOW_H,
            within=ON_WITHIN_H,
        ),
        summary={
            **{name: figure.value for name, figure in life.items()},
            "drifts_found": drifts[0].figures["found"].value,
        },
        lines=[
            Line(detector=OURS, group="recorded people", figures=life, is_ours=True),
            Line(detector=OURS, group="simulated people", figures=simulation, is_ours=True),
            *drifts,
        ],
        goals=(Goal(figure="false_window_rate", at_most=0.05),),
        plots=[_calibration(of_life.quantiles)],
        details={"features": FEATURES},
    )  # fmt: skip


def _folds(people: HomePeople, wanted: Wanted) -> Iterator[tuple[list[str], list[str]]]:
    donors = folds_of(list(people.recorded), wanted.folds, wanted.seed)
    return zip(donors, folds_of(list(people.simulated), wanted.folds, wanted.seed), strict=True)


def _found_in(model: AnomalyModel, seed: int, person: str, by: Mapping[str, float]) -> float:
    """Hours until the alarm of a drift; NaN where none comes in time."""
    begins = _ILL_FROM_D * 24
    drift = Drift(at_ms=START_MS + _ILL_FROM_D * DAY_MS, by=by)
    one = rows_of(simulated(make_person(seed, person), _ILL_FROM_D + 2, drift=drift))
    is_on, _ = concluded_by(model, one, model.answer(one.rows))
    on = np.flatnonzero(is_on[begins : begins + ON_WITHIN_H])
    return float(on[0]) if len(on) and not is_on[begins - 1] else float("nan")


def _line_of(drift: str, hours: Sequence[float], seed: int) -> Line:
    known = [one for one in hours if not np.isnan(one)]
    found = over_people([float(not np.isnan(one)) for one in hours], [1.0] * len(hours), seed=seed)
    lag = exact(float(np.median(known)) if known else float("nan"))
    return Line(detector=OURS, group=drift, figures={"found": found, "median_hours": lag}, is_ours=True)


def _begins(is_on: NDArray[np.bool_]) -> int:
    return int((np.diff(np.concatenate([[False], is_on]).astype(int)) == 1).sum())


def _calibration(quantiles: Sequence[NDArray[np.float64]]) -> Plot:
    together = np.concatenate(quantiles)
    observed = [float((together <= share).mean()) for share in _SHARES]

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
        axes.plot(_SHARES, observed, marker="o")
        axes.set(xlabel="quantile of the people it was fitted on", ylabel="share of other people's hours below")

    return Plot(
        name="calibration",
        caption="Of hours of recorded people whom the model was not fitted on, the share at or below each quantile: a"
        " model that fits them lies on the line.",
        draw=draw,
    )
