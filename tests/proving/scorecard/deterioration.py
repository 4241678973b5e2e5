"""Several vitals that deteriorate at once, in intensive care: the anomaly model beside early warning scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from services.score.models.anomaly import FEATURES, AnomalyModel, Asked, Concluded
from services.score.models.anomaly_artefact import FORM, model_of
from services.score.models.artefact import Artefact
from services.score.models.feature_drift import counts_of, stability_index
from services.score.rule import HOUR_MS
from tests.proving.scorecard.deterioration_counts import (
    WINDOW_H,
    Counted,
    by_hours_of_stay,
    counted,
    false_windows_at_same_hours,
    figures_of,
)
from tests.proving.scorecard.early_warning import RIVALS, alarm_of, points_of
from tests.proving.scorecard.figures import Figure, exact
from tests.proving.scorecard.recorded_stays import COLUMNS, RECORDING, Stay, recorded_stays
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted, folds_of
from tests.proving.scorecard.shipped import shipped
from tests.proving.training.anomaly import (
    FALSE_WINDOWS,
    Ceiling,
    PersonRows,
    alarm,
    fitted_anomaly,
    off_of,
    spread_out,
    with_limits,
)

OURS: Final = "HearthBeat, anomaly of five vitals"
CEILING: Final = "gradient boosting that is shown who became ill (ceiling, not shipped)"
_GROUPS: Final[Mapping[str, Callable[[Stay], bool]]] = {
    "under 50 years": lambda stay: stay.age < 50,
    "50 to 64 years": lambda stay: 50 <= stay.age < 65,
    "65 to 79 years": lambda stay: 65 <= stay.age < 80,
    "80 years and older": lambda stay: stay.age >= 80,
    "women": lambda stay: not stay.is_male,
    "men": lambda stay: stay.is_male,
}
_TRIED_ON: Final = (0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975)
_TRIED_TOTALS: Final = (3, 4, 5, 6, 7, 8, 9)
_SHARES: Final = np.linspace(0.0, 1.0, 21)
BEYOND: Final = "beyond_hours_of_stay"
_READ: Final = 0.25
"""The share of the section's time that is over when all rows are made."""
_COUNTED: Final = f"""{{stays}} stays in intensive care, {{ill}} of them with a sepsis that began after their first
hour (others that began before are left out, and hours from the onset on). The onset is six hours after the
recording's label first says 1. A sepsis is found if the alarm is on in one of the {WINDOW_H} hours before it; an
alert is an hour with the alarm on after one without; false windows are the whole {WINDOW_H}-hour windows of stays
without sepsis in which the alarm was on. Chance shifts the same alarms within the same stay: people who become septic
are ill for long, so most of what parts them from others is who they are, and little of it is when. Early warning
scores count five vitals (no oxygen, no consciousness). Whoever stays for days is ill for days, and little is known of
somebody in the first hours: ours has the alarm on far more often late in a stay than early, and most sepsis begins
late. So false windows are also given as they would be if those without sepsis had been in as long as those with it.
What a detector knows beyond how long somebody has been in is its sensitivity less that, and here {{beyond}}. The
alarm is on for {{on}} of the time; its settings were chosen with these people in view. Ours was fitted on the other
people of four folds, its limit chosen there, by people without sepsis alone, for {FALSE_WINDOWS} false windows.
Hospital stays are no homes: what is measured is the method, and the model for homes is another one."""


@dataclass(slots=True)
class Found:
    """What each detector did in each stay: hours with the alarm on, quantiles (and their rows) where it has such."""

    is_on: dict[str, list[NDArray[np.bool_]]]
    quantiles: dict[str, list[NDArray[np.float64]]]
    limits: list[float] = field(default_factory=list)


def deterioration(wanted: Wanted) -> Section:
    """The section. Raises MissingDataError."""
    stays = [one for one in recorded_stays(wanted.file(RECORDING)) if not one.began_before]
    people = [rows_of(stay) for stay in stays]
    points = [points_of(stay.values[: stay.hours]) for stay in stays]
    wanted.report(_READ)
    found = _held_out(people, _folds(stays, wanted), wanted)
    for name, rival in RIVALS.items():
        found.is_on[name] = [rival(one) for one in points]
    counts = {name: _counts(stays, is_on) for name, is_on in found.is_on.items()}
    artefact, as_shipped = shipped(FORM)
    if artefact is not None:
        as_shipped = _as_shipped(stays, people, artefact, wanted.seed)
    by_hours = {name: by_hours_of_stay(stays, is_on) for name, is_on in found.is_on.items()}
    lines = [
        Line(
            detector=name,
            figures=_beyond_hours(figures_of(_known(counted_ones), wanted.seed), by_hours[name]),
            is_ours=name == OURS,
        )
        for name, counted_ones in counts.items()
    ]
    summary = {name: figure.value for name, figure in lines[0].figures.items()}
    ill = sum(stay.onset is not None for stay in stays)
    return Section(
        name="deterioration",
        title="Several vitals at once: sepsis in intensive care",
        counted=" ".join(
            _COUNTED.format(
                stays=f"{len(stays):,}",
                ill=f"{ill:,}",
                beyond=_compared(lines),
                on=f"{summary['time_in_alarm_share']:.0%}",
            ).split()
        ),
        summary=summary,
        lines=[*lines, *_by_group(stays, counts[OURS], wanted.seed)],
        goals=(
            Goal(figure="sensitivity", at_least=0.60),
            Goal(figure="alerts_per_patient_day", at_most=0.48),
            Goal(figure="false_window_rate", at_most=0.26),
        ),
        plots=_plots(stays, people, points, found),
        details={
            "features": FEATURES,
            "on_quantile_by_fold": found.limits,
            "stays": len(stays),
            "with_sepsis": ill,
            "by_hours_of_stay": by_hours,
            **as_shipped,
        },
    )


def _as_shipped(stays: Sequence[Stay], people: Sequence[PersonRows], artefact: Artefact, seed: int) -> dict[str, Any]:
    """What ships, asked of these stays: nobody of them was in its fitting, and none of them is at home.

    ``drift``: how far these rows are from those that it was fitted on, where its card knows that.
    """
    model = model_of(artefact)
    rows = np.concatenate([one.rows for one in people])
    answers = np.split(model.answer(rows), np.cumsum([len(one.rows) for one in people])[:-1])
    is_on = [concluded_by(model, one, part)[0] for one, part in zip(people, answers, strict=True)]
    figures = figures_of(_known(_counts(stays, is_on)), seed)
    known = artefact.card.at_training
    drift = {
        name: stability_index(known[name].shares, counts_of(known[name].edges, rows[:, place]))
        for place, name in enumerate(artefact.card.features)
        if name in known
    }
    return {
        "shipped": {
            "version": artefact.card.version,
            "people_fitted_on": len(artefact.card.people),
            "not_fitted_on": {name: figure.value for name, figure in figures.items()},
            "drift": drift,
        }
    }


def _beyond_hours(figures: Mapping[str, Figure], by_hours: Mapping[str, Mapping[str, float]]) -> dict[str, Figure]:
    """With what a detector finds beyond what it would by how long people have been in."""
    same = false_windows_at_same_hours(by_hours)
    return {
        **figures,
        "false_windows_at_same_hours": exact(same),
        BEYOND: exact(figures["sensitivity"].value - same),
    }


def _compared(lines: Sequence[Line]) -> str:
    """Ours beside the others, by that figure."""
    ours, *others = lines
    more = [one.detector for one in others if one.figures[BEYOND].value > ours.figures[BEYOND].value]
    said = f"ours has {ours.figures[BEYOND].value:.2f}"
    return f"{said}, less than others ({'; '.join(more)})" if more else f"{said}, and nobody has more"


def rows_of(stay: Stay) -> PersonRows:
    """The features of a stay before its onset, hour by hour: the product's own, from one value after the other."""
    asked, rows, hours = Asked(), [], []

    def keep(row: tuple[float, ...] | None, hour: int) -> None:
        if row is not None:
            rows.append(row)
            hours.append(hour)

    for hour, values in enumerate(stay.values[: stay.hours].tolist()):
        for (_, vital), value in zip(COLUMNS, values, strict=True):
            if not isnan(value):
                # Within its hour; what follows from an hour is asked with the first value of a later one.
                keep(asked.ask(vital.number, value, hour * HOUR_MS + HOUR_MS // 2), hour - 1)
    keep(asked.row_at(stay.hours * HOUR_MS), stay.hours - 1)
    of_rows = np.array(hours, dtype=np.int64)
    becomes_ill = np.zeros(len(rows), dtype=bool) if stay.onset is None else of_rows >= stay.onset - WINDOW_H
    return PersonRows(
        rows=np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)),
        hours=of_rows,
        length=stay.hours,
        becomes_ill=becomes_ill,
    )


def concluded_by(
    model: AnomalyModel, person: PersonRows, answers: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Hours with the alarm on, and the quantile of each row, answer by answer as the product concludes."""
    concluded, is_on, quantiles = Concluded(), [], []
    for hour, answer in zip(person.hours.tolist(), answers.tolist(), strict=True):
        quantile, _ = model.conclude(concluded, answer, (hour + 1) * HOUR_MS)
        is_on.append(concluded.is_on)
        quantiles.append(quantile)
    return spread_out(person, is_on), np.array(quantiles)


def _folds(stays: Sequence[Stay], wanted: Wanted) -> list[set[int]]:
    """Places of stays in folds of people."""
    groups = [set(group) for group in folds_of([stay.person for stay in stays], wanted.folds, wanted.seed)]
    return [{place for place, stay in enumerate(stays) if stay.person in group} for group in groups]


def _held_out(people: Sequence[PersonRows], folds: Sequence[set[int]], wanted: Wanted) -> Found:
    """Ours and the ceiling, fitted for each fold on all others."""
    nothing: list[Any] = [np.empty(0)] * len(people)
    found = Found({OURS: nothing[:], CEILING: nothing[:]}, {OURS: nothing[:], CEILING: nothing[:]})
    for number, fold in enumerate(folds):
        training = [one for place, one in enumerate(people) if place not in fold]
        model = fitted_anomaly(training, seed=wanted.seed)
        found.limits.append(model.on)
        # Limits have to be those of people that the ceiling was not fitted on: it knows its own too well.
        ceiling = Ceiling([one for place, one in enumerate(training) if place % 5], seed=wanted.seed)
        others = [one for one in training[::5] if one.is_well]
        rows = np.concatenate([one.rows for one in others])
        limited = with_limits(model, others, ceiling.answer(rows), false_windows=FALSE_WINDOWS)
        _conclude(found, OURS, (model, model.answer), people, fold)
        _conclude(found, CEILING, (limited, ceiling.answer), people, fold)
        wanted.report(_READ + (1 - _READ) * (number + 1) / (len(folds) + 1))
    return found


def _conclude(
    found: Found,
    name: str,
    model: tuple[AnomalyModel, Callable[[NDArray[np.float64]], NDArray[np.float64]]],
    people: Sequence[PersonRows],
    fold: set[int],
) -> None:
    """Asks once for all rows of the fold, then concludes stay by stay."""
    limits, answer = model
    places = sorted(fold)
    lengths = [len(people[place].rows) for place in places]
    answers = answer(np.concatenate([people[place].rows for place in places]))
    for place, part in zip(places, np.split(answers, np.cumsum(lengths)[:-1]), strict=True):
        found.is_on[name][place], found.quantiles[name][place] = concluded_by(limits, people[place], part)


def _counts(stays: Sequence[Stay], is_on: Sequence[NDArray[np.bool_]]) -> list[Counted | None]:
    return [counted(stay, on) for stay, on in zip(stays, is_on, strict=True)]


def _known(counts: Sequence[Counted | None]) -> list[Counted]:
    return [one for one in counts if one is not None]


def _by_group(stays: Sequence[Stay], counts: Sequence[Counted | None], seed: int) -> list[Line]:
    lines = []
    for group, is_in in _GROUPS.items():
        of_group = _known([one for stay, one in zip(stays, counts, strict=True) if is_in(stay)])
        if of_group:
            lines.append(Line(detector=OURS, group=group, figures=figures_of(of_group, seed), is_ours=True))
    return lines


def _plots(
    stays: Sequence[Stay], people: Sequence[PersonRows], points: Sequence[NDArray[np.int64]], found: Found
) -> list[Plot]:
    curves = {
        name: [
            _rates(stays, [spread_out(person, alarm(part.tolist(), on=on, off=off_of(on)))
                           for person, part in zip(people, quantiles, strict=True)])
            for on in _TRIED_ON
        ]
        for name, quantiles in found.quantiles.items()
    }  # fmt: skip
    totals = [one.sum(axis=1) for one in points]
    curves["NEWS2, every crossing"] = [_rates(stays, [total >= least for total in totals]) for least in _TRIED_TOTALS]
    curves["NEWS2 for 2 h, off 1 below for 2 h"] = [
        _rates(stays, [alarm_of(total, least, least - 1, on_for=2, off_for=2) for total in totals])
        for least in _TRIED_TOTALS
    ]
    well = np.concatenate([part for stay, part in zip(stays, found.quantiles[OURS], strict=True) if stay.onset is None])
    observed = [float((well <= share).mean()) for share in _SHARES]
    return [
        Plot(
            name="deterioration-sensitivity",
            caption="Sepsis found in the 12 h before it, against alerts a patient-day, for stricter and laxer limits of"
            " each detector: better is further up and to the left.",
            draw=lambda axes: _draw_curves(axes, curves),
        ),
        Plot(
            name="deterioration-calibration",
            caption="Of hours of people without sepsis whom the model was not fitted on, the share at or below each"
            " quantile: a model that fits them lies on the line.",
            draw=lambda axes: _draw_calibration(axes, observed),
        ),
    ]


def _rates(stays: Sequence[Stay], is_on: Sequence[NDArray[np.bool_]]) -> tuple[float, float]:
    """Alerts a patient-day, and sensitivity."""
    counts = _known(_counts(stays, is_on))
    found = [one.found for one in counts if not np.isnan(one.found)]
    return 24 * sum(one.alerts for one in counts) / sum(one.hours for one in counts), float(np.mean(found or [np.nan]))


def _draw_curves(axes: Axes, curves: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    for name, rates in curves.items():
        axes.plot(*zip(*rates, strict=True), marker="o", label=name)
    axes.axhline(0.60, color="grey", linewidth=0.8, linestyle=":")
    axes.axvline(0.48, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="alerts a patient-day", ylabel="share of sepsis found", xlim=(0, 2), ylim=(0, 1))
    axes.legend(fontsize=8, loc="lower right")


def _draw_calibration(axes: Axes, observed: Sequence[float]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.plot(_SHARES, observed, marker="o")
    axes.set(xlabel="quantile of the people it was fitted on", ylabel="share of other people's hours below")
