"""The scorecard of drifts from what is usual for a person: how many beginning illnesses an alert finds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.score.models.drift import STEPS, DriftModel
from tests.proving.scorecard.illness_counts import (
    Counts,
    Judged,
    counts,
    drift_course,
    excess,
    false_per_month,
    figures,
    judged,
    with_rearming,
)
from tests.proving.scorecard.illness_plots import course_of_one, found_by_false
from tests.proving.scorecard.illness_rivals import RIVALS
from tests.proving.scorecard.recorded_days import WEARABLE_DAYS, RecordedDays, made_up_days, recorded_days
from tests.proving.scorecard.section import Goal, Line, Section, Wanted, folds_of
from tests.proving.training.baseline import candidates, counted, fitted_drift

_OURS: Final = "HearthBeat"
_LASTING: Final = f"HearthBeat, from {DriftModel().lasting_days} days on (MEDIUM)"
_REFITTED: Final = "HearthBeat, fitted to the other folds"
SUMMARY: Final = (
    "sensitivity",
    "chance",
    "excess_over_chance",
    "false_per_month",
    "alert_days_per_month",
    "lead_days",
)
_MADE_UP_PEOPLE: Final = 30
_LEAST_OF_GROUP: Final = 5
_GOALS: Final = (Goal(figure="excess_over_chance", at_least=0.32), Goal(figure="false_per_month", at_most=0.45))
_COUNTED: Final = """\
{people} people of {all} with enough days: at least 5 days with a baseline among the days 4 before to 5 after the first
symptoms, 14 before that, and a window in health. A day counts where the band was worn for six hours. An illness is
found when an alert stands on one of those ten days. Chance: the same alerts, if the symptoms had begun on any other day
of the same person in health. False: an alert that begins more than 14 days before the symptoms or more than 28 after,
a person and 30 such days. An alert can begin again after five days below its threshold; this holds for all detectors.
Ours is a recipe of published parts, fitted to nobody; weights, pace, threshold and how long a baseline
stands still were decided by somebody who had seen figures of 90 people of the recording, so that it is a test only of
other people. The people are mostly young, nobody's age or sex is known, there is one illness, and that somebody walks
less after the symptoms began is partly their staying at home: see the column "excess until day 0"."""


def illness(wanted: Wanted) -> Section:
    """Alerts of a drift from the personal baseline, beside others' rules on the same days.

    Raises MissingDataError.
    """
    everybody = (
        made_up_days(_MADE_UP_PEOPLE, wanted.seed) if wanted.data is None else recorded_days(wanted.file(WEARABLE_DAYS))
    )
    people = {one.person: (one, frame) for one in everybody if (frame := judged(one)) is not None}
    ours = {person: counts(frame, drift_course(DriftModel(), one)) for person, (one, frame) in people.items()}
    lasting = [counts(frame, drift_course(DriftModel(), one, level=2)) for one, frame in people.values()]
    lines = [_line(_OURS, list(ours.values()), wanted.seed), _line(_LASTING, lasting, wanted.seed)]
    wanted.report(0.1)
    lines += [
        _line(name, [counts(frame, with_rearming(beyond(one))) for one, frame in people.values()], wanted.seed)
        for name, beyond in RIVALS.items()
    ]
    wanted.report(0.3)
    by_candidate = counted(people)
    refitted, models = _refitted(by_candidate, wanted)
    lines += [_line(_REFITTED, refitted, wanted.seed), *_by_source(people, ours, wanted.seed)]
    wanted.report(1)
    return Section(
        name="illness",
        title="Drift from what is usual for a person",
        counted=_COUNTED.format(people=len(people), all=len(everybody)),
        summary={name: figure.value for name, figure in lines[0].figures.items() if name in SUMMARY},
        lines=lines,
        goals=_GOALS,
        plots=(
            found_by_false([line for line in lines if not line.group], _curve(by_candidate)),
            course_of_one(wanted.seed),
        ),
        details={"people": len(people), "refitted": models},
    )


def _line(detector: str, found: Sequence[Counts], seed: int, group: str = "") -> Line:
    is_ours = detector in (_OURS, _LASTING, _REFITTED)
    return Line(detector=detector, figures=figures(found, seed), group=group, is_ours=is_ours)


def _by_source(people: Mapping[str, tuple[RecordedDays, Judged]], ours: Mapping[str, Counts], seed: int) -> list[Line]:
    """There is no age or sex: of the studies that people come from, apart."""
    groups: dict[str, list[Counts]] = defaultdict(list)
    for person, (one, _) in people.items():
        groups[one.source].append(ours[person])
    return [
        _line(_OURS, found, seed, f"{len(found)} of {source}")
        for source, found in sorted(groups.items())
        if len(groups) > 1 and len(found) >= _LEAST_OF_GROUP
    ]


def _refitted(
    by_candidate: Mapping[str, list[list[Counts]]], wanted: Wanted
) -> tuple[list[Counts], list[dict[str, float]]]:
    """Each person's counts with what was chosen by the people of the other folds, and what that was."""
    models = [model for row in candidates() for model in row]
    found, chosen = [], []
    for fold in folds_of(list(by_candidate), wanted.folds, wanted.seed):
        others = [one for person, one in by_candidate.items() if person not in fold]
        if not fold or not others:
            continue
        model = fitted_drift(others)
        place = models.index(model)
        found += [[one for row in by_candidate[person] for one in row][place] for person in fold]
        steps = next(one.weight for one in model.channels if one.code == STEPS)
        chosen.append({"weight of steps": steps, "pace": model.pace, "on": model.on})
    return found, chosen


def _curve(by_candidate: Mapping[str, list[list[Counts]]]) -> list[tuple[float, float]]:
    """False alerts a month and excess over chance of ours, with other thresholds."""
    ours = DriftModel()
    row = next(place for place, models in enumerate(candidates()) if replace(models[0], on=ours.on) == ours)
    by_threshold = zip(*(one[row] for one in by_candidate.values()), strict=True)
    return [(false_per_month(found), excess(found)) for found in by_threshold]
