"""Lows before they come: the forecast beside limits, straight lines and Nightscout, on recorded people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.score.models.artefact import Artefact
from services.score.models.glucose_forecast import BAND_SHARE, GlucoseCourse, GlucoseModel, band_of, warn
from tests.proving.scorecard.hypoglycaemia_curves import (
    BAND_TITLES,
    Curve,
    curve_of_odds,
    curve_of_values,
    draw_calibration,
    draw_curves,
)
from tests.proving.scorecard.hypoglycaemia_events import Alerts, Count, Scored, count, figures, onsets, open_lows
from tests.proving.scorecard.hypoglycaemia_rivals import PUBLISHED, RIVALS, below, lasting, nightscout
from tests.proving.scorecard.recorded_glucose import FILE, HIGHEST, LOWEST, Trace, traces
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted, folds_of
from tests.proving.training.artefact_files import hashed
from tests.proving.training.glucose_forecast import SENSITIVITY, Floats, Rows, ahead_of, fit, readings_of, rows_of

NAME: Final = "hypoglycaemia"
OURS: Final = "HearthBeat's forecast"
RIDGE: Final = "the same forecast with a threshold, without trees"
GOALS: Final = (Goal(figure="sensitivity", at_least=0.80), Goal(figure="false_per_day", at_most=0.56))
_LEADS: Final = (10, 15, 20, 30)
_CURVE: Final = "How many lows are found for how many false alerts a day, by the threshold; the cross is what ours has"
_CALIBRATION: Final = "How often glucose was below 70 mg/dL 30 min later, by how likely that was said to be"
_EACH: Final = 3
"""Of so many forecasts one is compared with what came: neighbours hardly differ."""
_COUNTED: Final = """Of {people} people with type 1 diabetes, all 60 or older, who wore a sensor for {days:.0f} days
together; age and sex are not in the recording. A low begins with the first of three readings in a row below 70 mg/dL
(15 min) and ends after 15 min at or above: {lows} of them. {unseen} more began out of sight, without a reading in the
hour before; nobody could foresee them, and they are not counted. (With them our sensitivity is {of_all:.2f}.)

An alert finds a low that begins within 60 min after it; every other alert is false, also where glucose turned round
just above 70. Nobody alerts while glucose is below 70. Our trees, forecast and thresholds were fitted on other people
than they are counted on; so were the thresholds of all others, to find {wanted:.1%} of the lows of the people they were
chosen on, unless a number stands beside their names. Ours keeps silent until a low has been over for 15 min, and for an
hour after a warning; the others alert again as they are published, also on the way out of a low. *False outside of
lows* counts everybody by one rule: no alert counts from when a low is known until it has been over for 15 min. *Time in
alarm* is until the low, or an hour.

What this can't show: how lows feel, whether somebody ate because of an alert (nobody saw one), and people without
insulin. Most warnings come late: half of them {lead:.0f} min before 70 mg/dL is passed."""


def scored(model: GlucoseModel, trace: Trace) -> Scored:
    """Through the code that runs, reading by reading."""
    course, warned, on = GlucoseCourse(), [], 0
    came, compared = ahead_of(trace), []
    for place, (at, mg_dl) in enumerate(readings_of(trace)):
        is_bound = not LOWEST <= mg_dl <= HIGHEST
        if warn(model, course, at, mg_dl, is_bound=is_bound):
            warned.append(int(trace.minutes[place]))
        on += course.is_warned(at)
        if place % _EACH or is_bound or np.isnan(came[place]):
            continue
        forecast = model.forecast(course.recent.points())
        if forecast is not None:
            inside = forecast.low <= came[place] <= forecast.high
            compared.append((band_of(mg_dl), inside, forecast.below_low, came[place] < 70))
    columns = np.array(compared, dtype=float).reshape(-1, 4)
    return Scored(
        Alerts(warned, on / len(trace.minutes)),
        columns[:, 0].astype(np.int64),
        columns[:, 1].astype(bool),
        columns[:, 2],
        columns[:, 3].astype(bool),
    )


class People(NamedTuple):
    """The recording: traces, rows for training, and when lows in sight began, by person; and the lows out of sight."""

    traces: Mapping[str, Trace]
    rows: Mapping[str, Rows]
    out_of_sight: int
    open_lows: Mapping[str, NDArray[np.bool_]]


def hypoglycaemia(wanted: Wanted, shipped: Artefact | None = None) -> Section:
    """The section; with ``shipped``, that one's figures beside ours, on the people that it was not fitted on.

    Raises MissingDataError, and ArtefactError where ``shipped`` is not of this kind.
    """
    recorded = traces(wanted.file(FILE))
    rows = {person: rows_of(trace) for person, trace in recorded.items()}
    wanted.report(0.2)
    unseen = sum(len(onsets(trace)) - len(rows[one].began) for one, trace in recorded.items())
    people = People(recorded, rows, unseen, {one: open_lows(trace) for one, trace in recorded.items()})
    ours: dict[str, Scored] = {}
    odds: dict[str, Floats] = {}
    values = {name: {one: of(trace) for one, trace in recorded.items()} for name, of in RIVALS.items()}
    values[RIDGE] = {}
    folds = folds_of(list(recorded), wanted.folds, wanted.seed)
    for number, held in enumerate(folds):
        model = fit({one: rows[one] for one in recorded if one not in held}, seed=wanted.seed)
        for person in held:
            ours[person] = scored(model, recorded[person])
            asked = rows[person]
            odds[person] = model.trees.score(asked.trends[asked.may_warn]) - model.threshold
            values[RIDGE][person] = np.exp(asked.whole @ model.weights + model.intercept)
        wanted.report(0.2 + 0.6 * (number + 1) / len(folds))
    curves = {OURS: curve_of_odds(rows, odds)}
    curves |= {name: curve_of_values(recorded, rows, known) for name, known in values.items()}
    said = {OURS: {one: found.alerts for one, found in ours.items()}}
    for name, known in values.items():
        said[name] = {}
        for held in folds:
            threshold = curves[name].threshold([one for one in recorded if one not in held], SENSITIVITY)
            said[name] |= {one: below(recorded[one], known[one], threshold) for one in held}
    said |= _as_published(recorded)
    as_shipped = _as_shipped(recorded, shipped) if shipped is not None else {}
    said |= {name: {one: found.alerts for one, found in of.items()} for name, of in as_shipped.items()}
    counts = {name: _counts(people, alerts, wanted.seed) for name, alerts in said.items()}
    wanted.report(0.95)
    section = _section(people, counts, list(ours.values()), curves, wanted.seed)
    return section if shipped is None else _with_shipped(section, shipped, as_shipped)


def _as_published(recorded: Mapping[str, Trace]) -> dict[str, dict[str, Alerts]]:
    """Detectors whose thresholds nobody chose here."""
    said = {
        f"{name}, below {threshold:g} mg/dL": {
            one: below(trace, RIVALS[name](trace), threshold) for one, trace in recorded.items()
        }
        for name, threshold in PUBLISHED.items()
    }
    said["below 80 mg/dL for 15 min"] = {one: lasting(trace, 80, 15) for one, trace in recorded.items()}
    said["Nightscout's default alarms"] = {one: nightscout(trace) for one, trace in recorded.items()}
    return said


def _as_shipped(recorded: Mapping[str, Trace], shipped: Artefact) -> dict[str, dict[str, Scored]]:
    """Apart for people that it was fitted on, of whom it knows too much; nothing of whom there is nobody."""
    model, fitted = GlucoseModel.from_artefact(shipped), set(shipped.card.people)
    found: dict[bool, dict[str, Scored]] = {False: {}, True: {}}
    for one, trace in recorded.items():
        found[hashed(FILE, [one])[0] in fitted][one] = scored(model, trace)
    return {
        f"as shipped, of {len(of)} people it was {'' if is_fitted else 'not '}fitted on": of
        for is_fitted, of in found.items()
        if of
    }


def _with_shipped(section: Section, shipped: Artefact, found: Mapping[str, Mapping[str, Scored]]) -> Section:
    """With the figures of what is shipped, and how true its probabilities are."""
    figures = {line.detector: line.figures for line in section.lines}
    said: dict[str, Any] = {"version": shipped.card.version, "people_fitted_on": len(shipped.card.people)}
    for name, of in found.items():
        inside = np.concatenate([one.inside for one in of.values()])
        said["not_fitted_on" if "was not" in name else "fitted_on"] = {
            "people": len(of),
            "sensitivity": figures[name]["sensitivity"].value,
            "false_per_day": figures[name]["false alerts a day"].value,
            "lead_min": figures[name]["median warning, min"].value,
            "band_coverage": float(inside.mean()) if len(inside) else np.nan,
        }
    plots = [
        Plot(
            name=f"hypoglycaemia-calibration-shipped{'' if 'was not' in name else '-fitted'}",
            caption=f"The same {name}",
            draw=partial(draw_calibration, list(of.values())),
        )
        for name, of in found.items()
    ]
    return replace(section, plots=(*section.plots, *plots), details={**section.details, "shipped": said})


def _counts(people: People, alerts: Mapping[str, Alerts], seed: int) -> list[Count]:
    random = np.random.default_rng(seed)
    return [
        count(people.traces[one], people.rows[one].began, said, random, people.open_lows[one])
        for one, said in alerts.items()
    ]


def _section(
    people: People,
    counts: Mapping[str, Sequence[Count]],
    ours: Sequence[Scored],
    curves: Mapping[str, Curve],
    seed: int,
) -> Section:
    lines = [Line(detector=name, figures=figures(found, seed), is_ours=name == OURS) for name, found in counts.items()]
    mine = lines[0].figures
    lows, found = (sum(getattr(one, name) for one in counts[OURS]) for name in ("lows", "found"))
    inside = np.concatenate([one.inside for one in ours])
    bands = np.concatenate([one.bands for one in ours])
    leads = np.array([lead for one in counts[OURS] for lead in one.leads])
    of_all = found / max(lows + people.out_of_sight, 1)
    return Section(
        name=NAME,
        title="Low glucose before it comes",
        counted=_COUNTED.format(
            people=len(people.traces), days=sum(trace.days for trace in people.traces.values()), lows=lows,
            unseen=people.out_of_sight, of_all=of_all, wanted=SENSITIVITY, lead=mine["median warning, min"].value,
        ),
        summary={
            "sensitivity": mine["sensitivity"].value,
            "false_per_day": mine["false alerts a day"].value,
            "lead_min": mine["median warning, min"].value,
            "chance": mine["chance"].value,
            "time_in_alarm_share": mine["time in alarm"].value,
            "band_coverage": float(inside.mean()) if len(inside) else np.nan,
        },
        lines=lines,
        goals=GOALS,
        plots=(
            Plot(name="hypoglycaemia-curve", caption=_CURVE, draw=partial(draw_curves, curves)),
            Plot(name="hypoglycaemia-calibration", caption=_CALIBRATION, draw=partial(draw_calibration, ours)),
        ),
        details={
            "people": len(people.traces),
            "lows": lows,
            "lows_out_of_sight": people.out_of_sight,
            "sensitivity_of_all_lows": of_all,
            "found_at_least_min_before": {str(least): float(np.sum(leads >= least)) / max(lows, 1) for least in _LEADS},
            "band_share_wanted": BAND_SHARE,
            "band_coverage_by_mg_dl": {
                title: float(inside[bands == band].mean())
                for band, title in enumerate(BAND_TITLES)
                if (bands == band).any()
            },
        },
    )  # fmt: skip
