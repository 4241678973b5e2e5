"""Labelled simulation: what is said of simulated homes beside what was made to happen there, near-misses included."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import repeat
from typing import Any, Final, NamedTuple

from schemas.alerts import Severity
from tests.proving.scorecard.confusion import confusion_plot, confusion_table
from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.glucose_figures import (
    LAGS_MIN,
    GlucoseFigures,
    figures_of,
    recorded_traces,
    simulated_traces,
)
from tests.proving.scorecard.happenings import happenings
from tests.proving.scorecard.recorded_glucose import FILE
from tests.proving.scorecard.said import episodes_of
from tests.proving.scorecard.section import Goal, Line, MissingDataError, Plot, Section, Wanted
from tests.proving.scorecard.simulated_home import story_of
from tests.proving.scorecard.simulated_homes import EVERY_H, START_MS, make_neighbourhood
from tests.proving.scorecard.verdict import Outcome, outcome_of, shares, together

HOMES: Final = 100
DAYS: Final = 14.0
_TOGETHER: Final = 10
_PROCESSES: Final = 2
_TRACES, _TRACE_DAYS = 120, 14
_OF_GLUCOSE: Final = 0.1
"""The share of its time that the comparison of glucose takes."""
HIGH_FOUND: Final = 0.95
OTHERS_FOUND: Final = 0.9
_WITHIN: Final = 0.1
_SHOWN: Final = frozenset({"glucose_sd_between_ratio"})
"""How far people differ is known from a hundred people to 7 % at best: it is shown, and no goal."""
_FEWEST: Final = 5
"""A kind that happened less often has a share that says nothing: homes are added until none has, and are said."""
_MOST_ADDED: Final = 5
"""Neighbourhoods, of ten homes each."""
COUNTED: Final = (
    "Simulated homes, ten together, played through the judgement of readings, the rules, the due rows of falls, what"
    " is said of silent devices, and medication, as fast as they can be computed. Each kind of incident is played once"
    " in 48 hours in ten homes, and six near-misses for each, which are three for each incident that there is: values"
    " that come close to a limit or pass it"
    " too briefly, falls answered in time, a pulse that a walk lifts, a sensor that errs. Besides, people keep to what"
    " they should do as people do: they measure on 75 to 81 % of days and a little less"
    " from week to week, wear their band 80 % of the time (in two of ten homes nobody has one), and take four"
    " of five time-critical doses in time; each of the others is to be found. In two of ten homes somebody has type 1"
    " diabetes: their lows and highs are not planned, and count by what the blood has, which the sensor shows with its"
    " error. An incident is found when something as grave is said of it at the latest half an hour after it was due,"
    " and in time when it was said by then; an episode that no incident explains is a false alert. What is simulated"
    " shows that rules, due rows and limits do what they are meant to do; it is no evidence about real people."
)


class Both(NamedTuple):
    """The verdicts on what HearthBeat says of a home, and on what a limit alone would."""

    ours: Outcome
    alone: Outcome


def simulation(wanted: Wanted) -> Section:
    """100 homes for 14 days; with recordings, how like theirs the simulated glucose is."""
    return simulation_of(wanted, homes=HOMES, days=DAYS, processes=_PROCESSES)


def simulation_of(wanted: Wanted, *, homes: int, days: float, processes: int) -> Section:
    """The same of other numbers. ``homes``: whole tens, or fewer than ten."""
    each = min(homes, _TOGETHER)
    seeds = [wanted.seed * 1000 + number for number in range(homes // each)]
    both = list(_outcomes(seeds, each, days, processes, wanted.report))
    for number in range(len(seeds), len(seeds) + (_MOST_ADDED if homes >= HOMES else 0)):
        if not too_few(together([one.ours for one in both])):
            break
        both += played(wanted.seed * 1000 + number, each, days)
    outcomes = [one.ours for one in both]
    whole, alone = together(outcomes), [one.alone for one in both]
    glucose = _glucose(wanted)
    wanted.report(1.0)
    high = [kind for kind, tally in whole.kinds.items() if tally.severity is Severity.HIGH]
    others = {kind: tally for kind, tally in whole.kinds.items() if kind not in high and tally.there >= _FEWEST}
    summary = {
        "high_found": _share(whole, high, "found"),
        "high_in_time": _share(whole, high, "in_time"),
        "least_found": min(shares(others).values(), default=float("nan")),
        "false_per_home_day": whole.false_alerts / whole.days,
        "near_misses": float(sum(there for there, _ in whole.near.values())),
        "near_misses_alerted": sum(alerted for _, alerted in whole.near.values())
        / max(1, sum(there for there, _ in whole.near.values())),
        "incidents": float(sum(tally.there for tally in whole.kinds.values())),
        **glucose.summary,
    }
    return Section(
        name="simulation",
        title="Labelled simulation",
        counted=COUNTED + _said_of(len(outcomes) - homes, too_few(whole)),
        summary=summary,
        lines=[
            *_lines(outcomes, whole, wanted.seed),
            _line_of_all("HearthBeat", outcomes, wanted.seed, is_ours=True),
            _line_of_all("a limit alone", alone, wanted.seed, is_ours=False),
            *glucose.lines,
        ],
        goals=[
            Goal(figure="high_found", at_least=HIGH_FOUND),
            Goal(figure="least_found", at_least=OTHERS_FOUND),
            *glucose.goals,
        ],
        plots=[
            Plot(
                name="simulation-confusion",
                caption="What there was, and what was said of it: incidents, near-misses, and nothing at all.",
                draw=confusion_plot(whole.confusion),
            )
        ],
        details={
            "homes": len(outcomes),
            "too_few_to_say": too_few(whole),
            "days": days,
            "confusion": confusion_table(whole.confusion),
            "false_by_rule": dict(whole.false),
            "examples": whole.examples[:20],
            "glucose": glucose.details,
        },
    )


def too_few(whole: Outcome) -> dict[str, list[int]]:
    """The kinds that happened too seldom for a share: how often, and how many of these were found."""
    return {kind: [one.there, one.found] for kind, one in sorted(whole.kinds.items()) if one.there < _FEWEST}


def _said_of(added: int, few: Mapping[str, Sequence[int]]) -> str:
    more = f"\n\n{added} homes were added, so that each kind happens {_FEWEST} times." if added else ""
    if not few:
        return more
    counts = "; ".join(f"{kind.replace('_', ' ')}, {found} of {there}" for kind, (there, found) in few.items())
    return f"{more}\n\nSome kinds happened too seldom for a share, and are left out of *least found*: {counts}."


def _outcomes(
    seeds: Sequence[int], homes: int, days: float, processes: int, report: Callable[[float], None]
) -> Iterator[Both]:
    """Of each home. Neighbourhoods know nothing of each other."""
    if processes == 1:
        for done, seed in enumerate(seeds, start=1):
            yield from played(seed, homes, days)
            report((1 - _OF_GLUCOSE) * done / len(seeds))
        return
    with ProcessPoolExecutor(processes) as pool:
        for done, some in enumerate(pool.map(played, seeds, repeat(homes), repeat(days)), start=1):
            yield from some
            report((1 - _OF_GLUCOSE) * done / len(seeds))


def played(seed: int, homes: int, days: float, every_h: int = EVERY_H) -> list[Both]:
    """The verdicts on each home of a neighbourhood."""
    neighbourhood = make_neighbourhood(homes=homes, days=days, seed=seed, every_h=every_h)
    happened = happenings(neighbourhood)
    outcomes = []
    for home in neighbourhood.register.homes:
        home_no = neighbourhood.home_nos[str(home.home_id)]
        there = [one for one in happened if one.home_no == home_no]
        story = story_of(neighbourhood, home)
        outcomes.append(Both(*(outcome_of(there, episodes_of(said), days) for said in story)))
    return outcomes


def _share(whole: Outcome, kinds: Sequence[str], name: str) -> float:
    there = sum(whole.kinds[kind].there for kind in kinds)
    return sum(getattr(whole.kinds[kind], name) for kind in kinds) / there if there else float("nan")


def _lines(outcomes: Sequence[Outcome], whole: Outcome, seed: int) -> Iterator[Line]:
    order = sorted(whole.kinds, key=lambda kind: (-whole.kinds[kind].severity, kind))
    for kind in order:
        tallies = [one.kinds[kind] for one in outcomes if kind in one.kinds]
        there = [tally.there for tally in tallies]
        yield Line(
            detector=kind.replace("_", " "),
            group=whole.kinds[kind].severity.name,
            is_ours=True,
            figures={
                "incidents": exact(sum(there)),
                "found": over_people([tally.found for tally in tallies], there, seed=seed),
                "found in time": over_people([tally.in_time for tally in tallies], there, seed=seed),
            },
        )
    for kind in sorted(whole.near):
        near, alerted = whole.near[kind]
        yield Line(
            detector=kind.replace("_", " "),
            group="near-misses",
            is_ours=True,
            figures={"near-misses": exact(near), "alerted": exact(alerted)},
        )


def _line_of_all(detector: str, outcomes: Sequence[Outcome], seed: int, *, is_ours: bool) -> Line:
    """Of what is measured, falls and calls: a limit alone knows nothing of doses and of silence."""
    whole = together(outcomes)
    near = [sum(there for there, _ in one.near.values()) for one in outcomes]
    alerted = [sum(alerted for _, alerted in one.near.values()) for one in outcomes]
    measured = [[tally for kind, tally in one.kinds.items() if not _is_unmeasured(kind)] for one in outcomes]
    there = [sum(tally.there for tally in tallies) for tallies in measured]
    found = [sum(tally.found for tally in tallies) for tallies in measured]
    days = [one.days for one in outcomes]
    return Line(
        detector=detector,
        group="all that is measured, falls and calls",
        is_ours=is_ours,
        figures={
            "incidents": exact(sum(there)),
            "found": over_people(found, there, seed=seed),
            "near-misses": exact(sum(near)),
            "alerted": over_people(alerted, near, seed=seed),
            "false a home and day": over_people([one.false_alerts for one in outcomes], days, seed=seed),
            "false alerts": exact(whole.false_alerts),
        },
    )


def _is_unmeasured(kind: str) -> bool:
    return "dose" in kind or "silent" in kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glucose:
    """How like recorded glucose the simulated is: ratios, 1 for the same. Nothing where there is no recording."""

    summary: Mapping[str, float] = field(default_factory=dict)
    goals: Sequence[Goal] = ()
    lines: Sequence[Line] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def _glucose(wanted: Wanted) -> _Glucose:
    try:
        recorded = figures_of(recorded_traces(wanted.file(FILE)))
    except MissingDataError:
        return _Glucose()
    traces = simulated_traces(people=_TRACES, days=_TRACE_DAYS, seed=wanted.seed, start_ms=START_MS)
    simulated = figures_of(traces)
    ratios = [ours / theirs for ours, theirs in zip(simulated.autocorrelation, recorded.autocorrelation, strict=True)]
    summary = {
        "glucose_sd_ratio": simulated.sd_within / recorded.sd_within,
        "glucose_cv_ratio": simulated.cv_within / recorded.cv_within,
        "glucose_sd_between_ratio": simulated.sd_between / recorded.sd_between,
        # The one that is furthest off.
        "glucose_autocorrelation_ratio": max(ratios, key=lambda ratio: abs(ratio - 1)),
    }
    return _Glucose(
        summary=summary,
        goals=[Goal(figure=name, at_least=1 - _WITHIN, at_most=1 + _WITHIN) for name in summary if name not in _SHOWN],
        lines=[
            _line_of("simulated glucose", simulated, is_ours=True),
            _line_of("recorded glucose", recorded, is_ours=False),
        ],
        details={"simulated": asdict(simulated), "recorded": asdict(recorded)},
    )


def _line_of(name: str, figures: GlucoseFigures, *, is_ours: bool) -> Line:
    shown: dict[str, Figure] = {
        "mean mg/dL": exact(figures.mean),
        "SD within": exact(figures.sd_within),
        "SD between": exact(figures.sd_between),
        "CV within": exact(figures.cv_within),
        "below 70": exact(figures.below_70),
        "above 250": exact(figures.above_250),
    }
    lags = zip(LAGS_MIN, figures.autocorrelation, strict=True)
    shown |= {f"autocorrelation at {lag} min": exact(value) for lag, value in lags}
    return Line(detector=name, group=f"{figures.people} people", figures=shown, is_ours=is_ours)
