"""Falls: what a device's measurements around an impact show, by rules and by boosted trees, young and old apart."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from services.score.models.fall_posture import LYING_STILL, LYING_STILL_SOFT, FallTrees, Impact, PostureRule
from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.impacts import DECIDED_AFTER_S, MeasuredTrial, measured, tilt_before
from tests.proving.scorecard.recorded_falls import FILE, trials_of
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted, folds_of
from tests.proving.scorecard.worn_day import DAY, false_per_day
from tests.proving.training.fall import FEATURES, FallTrial, fall_trees

BOOSTED: Final = "second opinion: boosted trees, refitted without the person"
DEVICE_RULE: Final = "impact ≥ 2.5 g, then still and tilted > 50°"
_RULES: Final[Mapping[str, PostureRule]] = {
    "impact ≥ 2.5 g": PostureRule(least_peak_g=2.5),
    "impact ≥ 2.5 g, then still": PostureRule(least_peak_g=2.5, spread_below_g=LYING_STILL.spread_below_g),
    DEVICE_RULE: LYING_STILL,
    "impact ≥ 2.0 g, then still and tilted > 50°": LYING_STILL_SOFT,
}
_UPRIGHT_BEFORE: Final = "impact ≥ 2.0 g, then still and tilted, upright before (no device sends that)"
_UPRIGHT_DEG: Final = 50
_FALL_TICKS: Final = 80
"""An alarm within so long after the impact of a fall is of that fall."""
_SHIFTS: Final = 200
_SHOWN_PERCENT: Final = 5
"""Elderly activities called falls, as far as the plot goes."""
_FITTED_SHARE: Final = 0.8
"""Of the section's time."""
_COUNTED: Final = """Young people let themselves fall, and young and elderly people (60 to 75 years) did what people do
at home: {falls} falls of {fallers} young people, {young} activities of young and {old} of {elders} elderly people, all
with a sensor at the waist. A device takes any acceleration from 2 g on for an impact and measures tilt and stillness
1.5 to 5.5 s after it, so it decides 5.5 s after the impact; where a recording ends before half of that is over
({unread} impacts) it decides nothing.

Found: a trial with a fall in which any impact is called a fall. False: any other trial in which one is. Chance: how
many falls the same alarms would hit if they came at other times of the same person's recording. Falls of elderly
people: {old_falls} of {old_fallers} people, shown where there are any and claimed for nobody. Simulated falls onto mats
are harder and tidier than falls at home, so expect worse in life. By sex the recording says nothing.

False alarms of a worn day are an estimate, and not measured: no day was recorded. It is the share of elderly people's
activities of each kind that is false, times how often a day such movements happen ({day}); the interval is over people
and knows nothing of how wrong those numbers are. Where none of n was false, up to 3/n may be.

No fall model ships: the recordings have no licence to pass on what is fitted on them. Whoever suspects a fall is the
device, by a rule like those here; a suspected fall that nobody answers is confirmed whatever a second opinion says.
Who falls out of bed was not upright before: the rule that asks for it would miss them, and is no choice."""

Said = Sequence[Sequence[int]]
"""Of each trial the ticks of impacts that are called falls."""


def falls(wanted: Wanted) -> Section:
    """Rules and boosted trees beside one another. Raises MissingDataError."""
    trials = [measured(trial) for trial in trials_of(wanted.file(FILE))]
    chances = _held_out(trials, wanted)
    said: dict[str, Said] = {name: _said_by(trials, rule.is_fall) for name, rule in _RULES.items()}
    said[_UPRIGHT_BEFORE] = [
        [
            tick
            for tick, impact in zip(one.at, one.impacts, strict=True)
            if LYING_STILL_SOFT.is_fall(impact) and not tilt_before(one.trial, tick) > _UPRIGHT_DEG
        ]
        for one in trials
    ]
    said[BOOSTED] = chances.said
    figures = {name: _figures(trials, one, wanted.seed) for name, one in said.items()}
    lines = [Line(detector=name, figures=one, is_ours=name == BOOSTED) for name, one in figures.items()]
    lines += _of_elderly_fallers(trials, said, wanted.seed)
    boosted, rule = figures[BOOSTED], figures[DEVICE_RULE]
    wanted.report(1.0)
    return Section(
        name="falls",
        title="Falls: a second opinion that is refitted here, and ships nowhere",
        counted=_counted(trials),
        summary={
            "sensitivity": boosted["young people's falls found"].value,
            "elderly_false_rate": boosted["elderly people's activities false"].value,
            "false_per_worn_day": boosted["false a worn day (estimate)"].value,
            "device_rule_sensitivity": rule["young people's falls found"].value,
            "device_rule_elderly_false_rate": rule["elderly people's activities false"].value,
        },
        lines=lines,
        goals=(
            Goal(figure="sensitivity", at_least=0.97),
            Goal(figure="elderly_false_rate", at_most=0.01),
        ),
        plots=(
            Plot(
                name="falls-tradeoff",
                caption="Young people's falls found against elderly people's activities called falls: the trees by"
                " their cutoff, the rules as they are. The corner of both goals is marked.",
                draw=partial(_draw_tradeoff, trials, chances.highest, said),
            ),
            Plot(
                name="falls-impacts",
                caption="The hardest impact of each young person's fall and all impacts of elderly people's daily"
                " activities after which they were still; a device that asks for tilt decides by the line.",
                draw=partial(_draw_impacts, trials),
            ),
        ),
        details={
            "summary_is_of": BOOSTED,
            "features": list(FEATURES),
            "cutoffs": chances.cutoffs,
            "of_a_day": {kind.name: kind.a_day for kind in DAY},
        },
    )


class _HeldOut:
    """What trees say of people they were not fitted on: ticks, the highest chance a trial, cutoffs by fold."""

    def __init__(self, trials: Sequence[MeasuredTrial]) -> None:
        self.said: list[list[int]] = [[] for _ in trials]
        self.highest = np.zeros(len(trials))
        self.cutoffs: list[float] = []

    def add(self, trials: Sequence[MeasuredTrial], people: Sequence[str], trees: FallTrees) -> None:
        """Judges the trials of ``people``."""
        self.cutoffs.append(trees.cutoff)
        for place, one in enumerate(trials):
            if one.trial.person in people:
                chances = [trees.chance_of(impact) for impact in one.impacts]
                self.highest[place] = max(chances, default=0.0)
                self.said[place] = [
                    tick for tick, chance in zip(one.at, chances, strict=True) if chance >= trees.cutoff
                ]


def _held_out(trials: Sequence[MeasuredTrial], wanted: Wanted) -> _HeldOut:
    rows = [FallTrial(one.trial.person, one.trial.is_fall, one.trial.is_elderly, one.impacts) for one in trials]
    found = _HeldOut(trials)
    people = sorted({one.person for one in rows})
    for done, fold in enumerate(folds_of(people, wanted.folds, wanted.seed)):
        trees = fall_trees([one for one in rows if one.person not in fold], seed=wanted.seed)
        found.add(trials, fold, trees)
        wanted.report(_FITTED_SHARE * (done + 1) / wanted.folds)
    return found


def _said_by(trials: Sequence[MeasuredTrial], is_fall: Callable[[Impact], bool]) -> Said:
    return [[tick for tick, impact in zip(one.at, one.impacts, strict=True) if is_fall(impact)] for one in trials]


def _figures(trials: Sequence[MeasuredTrial], said: Said, seed: int) -> dict[str, Figure]:
    elderly = [(one, ticks) for one, ticks in zip(trials, said, strict=True) if _is_daily_of_elderly(one)]
    by_person: dict[str, list[float]] = {}
    for one, ticks in elderly:
        of_person = by_person.setdefault(one.trial.person, [0.0, 0.0])
        of_person[0] += len(ticks)
        of_person[1] += one.trial.seconds / 3600
    return {
        "young people's falls found": _share(trials, said, _is_fall_of_young, seed),
        "found by chance": exact(found_by_chance(trials, said, seed=seed)),
        "young people's activities false": _share(trials, said, _is_daily_of_young, seed),
        "elderly people's activities false": _share(trials, said, _is_daily_of_elderly, seed),
        "false an hour of elderly people's activities": over_people(*_columns(by_person), seed=seed),
        "false a worn day (estimate)": false_per_day(
            [(one.trial.person, one.trial.activity, one.trial.seconds, bool(ticks)) for one, ticks in elderly],
            seed=seed,
        ),
        "said after s": exact(DECIDED_AFTER_S),
    }


def _is_fall_of_young(one: MeasuredTrial) -> bool:
    return one.trial.is_fall and not one.trial.is_elderly


def _is_fall_of_elderly(one: MeasuredTrial) -> bool:
    return one.trial.is_fall and one.trial.is_elderly


def _is_daily_of_young(one: MeasuredTrial) -> bool:
    return not one.trial.is_fall and not one.trial.is_elderly


def _is_daily_of_elderly(one: MeasuredTrial) -> bool:
    return not one.trial.is_fall and one.trial.is_elderly


def _share(trials: Sequence[MeasuredTrial], said: Said, counts: Callable[[MeasuredTrial], bool], seed: int) -> Figure:
    """Of the trials that count, how many have an impact that is called a fall."""
    by_person: dict[str, list[float]] = {}
    for one, ticks in zip(trials, said, strict=True):
        if counts(one):
            of_person = by_person.setdefault(one.trial.person, [0.0, 0.0])
            of_person[0] += bool(ticks)
            of_person[1] += 1
    return over_people(*_columns(by_person), seed=seed)


def _columns(by_person: Mapping[str, Sequence[float]]) -> tuple[list[float], list[float]]:
    rows = [by_person[person] for person in sorted(by_person)]
    return [row[0] for row in rows], [row[1] for row in rows]


def found_by_chance(trials: Sequence[MeasuredTrial], said: Said, *, seed: int) -> float:
    """The share of young people's falls that the person's alarms hit when shifted along all that was recorded."""
    generator = np.random.default_rng(seed)
    hit = count = 0
    for person in sorted({one.trial.person for one in trials if _is_fall_of_young(one)}):
        begins, alarms, at = [], [], 0
        for one, ticks in zip(trials, said, strict=True):
            if one.trial.person != person:
                continue
            alarms += [at + tick for tick in ticks]
            if one.trial.is_fall:
                begins.append(at + int(one.trial.highest.argmax()))
            at += len(one.trial.highest)
        shifts = generator.integers(0, at, _SHIFTS)
        moved = np.sort((np.asarray(alarms, dtype=int)[None, :] + shifts[:, None]) % at, axis=1)
        for one_shift in moved:
            first = np.searchsorted(one_shift, begins)
            after = np.append(one_shift, np.iinfo(int).max)[first]
            hit += int((after < np.asarray(begins) + _FALL_TICKS).sum())
        count += len(begins) * _SHIFTS
    return hit / count if count else float("nan")


def _of_elderly_fallers(trials: Sequence[MeasuredTrial], said: Mapping[str, Said], seed: int) -> list[Line]:
    """Shown where somebody elderly fell, as what they are: a person or two."""
    fallers = {one.trial.person for one in trials if _is_fall_of_elderly(one)}
    group = f"falls of {len(fallers)} elderly person{'s' if len(fallers) > 1 else ''}, no claim"
    return [
        Line(
            detector=name,
            group=group,
            figures={"elderly people's falls found": _share(trials, one, _is_fall_of_elderly, seed)},
            is_ours=name == BOOSTED,
        )
        for name, one in said.items()
        if fallers
    ]


def _counted(trials: Sequence[MeasuredTrial]) -> str:
    groups: dict[str, Any] = {
        name: [one for one in trials if counts(one)]
        for name, counts in (
            ("falls", _is_fall_of_young),
            ("young", _is_daily_of_young),
            ("old", _is_daily_of_elderly),
            ("old_falls", _is_fall_of_elderly),
        )
    }
    people = {name: len({one.trial.person for one in group}) for name, group in groups.items()}
    return _COUNTED.format(
        **{name: len(group) for name, group in groups.items()},
        fallers=people["falls"],
        elders=people["old"],
        old_fallers=people["old_falls"],
        unread=sum(one.unread for one in trials),
        day=", ".join(f"{kind.name} {kind.a_day:g}{kind.unit} ({kind.source})" for kind in DAY),
    )


def _draw_tradeoff(
    trials: Sequence[MeasuredTrial],
    highest: np.ndarray[Any, np.dtype[np.float64]],
    said: Mapping[str, Said],
    axes: Axes,
) -> None:
    found = np.asarray([_is_fall_of_young(one) for one in trials])
    false = np.asarray([_is_daily_of_elderly(one) for one in trials])
    cutoffs = np.linspace(0.02, 0.98, 97)
    axes.plot(
        [100 * (highest[false] >= one).mean() for one in cutoffs],
        [100 * (highest[found] >= one).mean() for one in cutoffs],
        label="boosted trees, by cutoff",
    )
    for name, one in said.items():
        is_said = np.asarray([bool(ticks) for ticks in one])
        false_percent = 100 * is_said[false].mean()
        if false_percent <= _SHOWN_PERCENT:
            axes.plot(false_percent, 100 * is_said[found].mean(), "o", label=name)
    axes.axvline(1, linestyle=":", color="grey")
    axes.axhline(97, linestyle=":", color="grey")
    axes.set(
        xlim=(0, _SHOWN_PERCENT),
        ylim=(90, 100),
        xlabel="elderly activities called falls, %",
        ylabel="young falls found, %",
    )
    axes.legend(fontsize="x-small", loc="lower right")


def _draw_impacts(trials: Sequence[MeasuredTrial], axes: Axes) -> None:
    hardest = [max(one.impacts) for one in trials if _is_fall_of_young(one) and one.impacts]
    daily = [
        impact
        for one in trials
        if _is_daily_of_elderly(one)
        for impact in one.impacts
        if impact.spread_g < (LYING_STILL.spread_below_g or 0)
    ]
    for name, impacts, size in (("young people's falls", hardest, 4), ("elderly people's activities", daily, 14)):
        peaks, tilts = [one.peak_g for one in impacts], [one.tilt_deg for one in impacts]
        axes.scatter(peaks, tilts, s=size, alpha=0.7, label=name)
    axes.axhline(LYING_STILL.tilt_above_deg or 0, linestyle=":", color="grey")
    axes.axvline(LYING_STILL.least_peak_g, linestyle=":", color="grey")
    axes.set(xscale="log", xticks=[2, 3, 5, 10, 20], xticklabels=["2", "3", "5", "10", "20"])
    axes.minorticks_off()
    axes.set(xlabel="impact, g", ylabel="tilt after it, degrees", ylim=(0, 180))
    axes.legend(fontsize="x-small")
