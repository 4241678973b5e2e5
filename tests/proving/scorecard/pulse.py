"""Limits of the pulse: what the rule says of people who wear a chest strap, beside every crossing of a limit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from matplotlib.axes import Axes

from schemas.reasons import Flag
from tests.proving.alarms.count import days_of
from tests.proving.alarms.recordings import WORN_FILE, People, Row, worn
from tests.proving.scorecard.figures import Figure, over_people
from tests.proving.scorecard.rule_findings import DAY_MS, Found, found
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted

OURS: Final = "HearthBeat: at rest > 120 or < 40 for 10 min, moving ≥ 150 or ≤ 35"
_CONCERNS: Final = ("heart_rate.fast", "heart_rate.slow")
_LASTS_MIN: Final = 10
_QUIET_MIN: Final = 60
MOVING_G: Final = 0.10
"""The strap calls it walking from 0.2 g on; a mean of half of that in five minutes holds two of walking [K]."""
TRIED_G: Final = (0.05, 0.10, 0.15, 0.20, 0.25)
_AT_MOST: Final = 0.30
_PER_DAY: Final = "alerts a worn day"
_COUNTED: Final = """{people} people with a chest strap, a value each five minutes; {days:.1f} worn days, of which no
gap of more than 30 minutes is counted. Repeated values were imputed in the recording and are left out. Nobody knows of
any event in it, so there is nothing to find and no chance of finding it: what is counted is how often people would be
disturbed. An alert is an episode; *said* counts each time that it became worse as well. The rivals are the textbook
limits of a pulse at rest, 100 and 50. By age or sex the recording says nothing.

The recording has no steps, which is what a band says movement by, but the mean activity of five minutes in g. Who
moves is ours: from {moving:g} g on, chosen with these people in view. The figure hangs on it, so the same rule is shown
with less and with more: at worst {most:.2f} a worn day, where {goal:g} is the goal."""


class Simple(NamedTuple):
    """A limit without a rule: when the value is above ``high`` or below ``low`` for ``lasts_min``, at most hourly.

    ``at_rest``: movement breaks it. ``quiet_min``: so long after an alert comes no other.
    """

    name: str
    high: float
    low: float
    lasts_min: float = 0
    quiet_min: float = 0
    at_rest: bool = False

    def alerts(self, rows: Sequence[Row]) -> list[float]:
        """Minutes at which it would alert."""
        said: list[float] = []
        since: float | None = None
        is_on = False
        for row in rows:
            value = row.values.get("heart_rate")
            if value is None:
                continue
            is_beyond = value > self.high or value < self.low
            if not is_beyond or (self.at_rest and row.flags & Flag.MOVING):
                since, is_on = None, False
                continue
            since = row.minute if since is None else since
            if is_on or row.minute - since < self.lasts_min:
                continue
            is_on = True
            if not said or row.minute - said[-1] >= self.quiet_min:
                said.append(row.minute)
        return said


RIVALS: Final = (
    Simple("every crossing of 100 or 50", 100, 50),
    Simple("every crossing of 120 or 40", 120, 40),
    Simple("100 or 50 for 10 min, at most hourly", 100, 50, _LASTS_MIN, _QUIET_MIN),
    Simple("100 or 50 for 10 min at rest, at most hourly", 100, 50, _LASTS_MIN, _QUIET_MIN, at_rest=True),
)


def pulse(wanted: Wanted) -> Section:
    """The rule beside its rivals. Raises MissingDataError."""
    folder = wanted.file(WORN_FILE).parent
    found_by, people_by = {}, {}
    for done, moving_g in enumerate(TRIED_G):
        people = people_by[moving_g] = dict(sorted(worn(folder, moving_g).items()))
        found_by[moving_g] = [found(rows, "wearable_band", _CONCERNS) for rows in people.values()]
        wanted.report((done + 1) / len(TRIED_G))
    people = people_by[MOVING_G]
    days = [days_of(_of_pulse(rows)) for rows in people.values()]
    lines = [_line(rival, people, days, wanted.seed) for rival in RIVALS]
    lines.append(Line(detector=OURS, figures=_figures(found_by[MOVING_G], days, wanted.seed), is_ours=True))
    by_movement = {moving_g: _figures(one, days, wanted.seed) for moving_g, one in found_by.items()}
    return Section(
        name="pulse",
        title="Limits of the pulse",
        counted=_COUNTED.format(
            people=len(people),
            days=sum(days),
            moving=MOVING_G,
            most=max(one[_PER_DAY].value for one in by_movement.values()),
            goal=_AT_MOST,
        ),
        summary={"pulse_alerts_per_worn_day": lines[-1].figures[_PER_DAY].value},
        lines=[
            *lines,
            *(
                Line(detector="HearthBeat", group=f"movement from {moving_g:.2f} g on", figures=one)
                for moving_g, one in by_movement.items()
            ),
        ],
        goals=(Goal(figure="pulse_alerts_per_worn_day", at_most=_AT_MOST),),
        plots=(
            Plot(
                name="pulse",
                caption="Alerts a worn day; each further condition takes away alarms",
                draw=partial(_draw, lines),
            ),
        ),
        details={
            "people": len(people),
            "worn_days": sum(days),
            "alerts_per_worn_day_by_moving_g": {
                f"{place:.2f}": one[_PER_DAY].value for place, one in by_movement.items()
            },
        },
    )


def _of_pulse(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if "heart_rate" in row.values]


def _figures(found_of: Sequence[Found], days: Sequence[float], seed: int) -> dict[str, Figure]:
    def a_day(count: Callable[[Found], float], scale: float = 1.0) -> Figure:
        return over_people([count(one) for one in found_of], days, seed=seed, scale=scale)

    return {
        _PER_DAY: a_day(lambda one: one.alerts),
        "said a worn day": a_day(lambda one: one.said),
        "time in alarm, %": a_day(lambda one: one.active_ms / DAY_MS, 100),
    }


def _line(rival: Simple, people: People, days: Sequence[float], seed: int) -> Line:
    counts = [float(len(rival.alerts(rows))) for rows in people.values()]
    return Line(detector=rival.name, figures={_PER_DAY: over_people(counts, days, seed=seed)})


def _draw(lines: Sequence[Line], axes: Axes) -> None:
    figures = [line.figures[_PER_DAY] for line in lines]
    names = [line.detector for line in lines]
    axes.barh(names, [one.value for one in figures], color=["tab:blue" if one.is_ours else "silver" for one in lines])
    for place, one in enumerate(figures):
        axes.annotate(f"{one.value:.2f}", (max(one.value, _AT_MOST), place), (4, -3), textcoords="offset points")
    axes.axvline(_AT_MOST, linestyle=":", color="grey", label="goal")
    axes.margins(x=0.12)
    axes.legend(fontsize="small")
    axes.invert_yaxis()
    axes.set(xlabel=_PER_DAY)
    axes.tick_params(axis="y", labelsize="small")
