"""Silent devices: how often real gaps of glucose monitors are said, and whether each outage of a day is, in time."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from schemas.devices.glucose import CGM
from tests.proving.alarms.count import DAY_MIN, days_of
from tests.proving.alarms.recordings import glucose
from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.outages import (
    MARKER_MIN,
    OUTAGE_MIN,
    longer_than,
    longer_than_by_night,
    outages,
    silences,
    without,
)
from tests.proving.scorecard.recorded_glucose import FILE
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted

LIMIT_MIN: Final = (CGM.silent_after_s or 0) / 60
OURS: Final = f"HearthBeat: silent for {LIMIT_MIN:g} min"
_OUTAGES_A_PERSON: Final = 5
_SHIFTS: Final = 20
_A_DAY: Final = "technical alerts a patient-day"
_TRIED_MIN: Final = (15, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 210, 240, 300, 360)
_COUNTED: Final = """{people} people with a glucose monitor that sends each five minutes, {days:.0f} days from the
first value to the last, of which {measured:.0f} lie in gaps of at most 30 minutes. Every gap is taken for a time in
which nothing was heard of the device, as it would look from the platform; none of them is known to have been a fault,
so all that is said of them counts as too much. {outages} outages are made: a person's device falls silent for 24
hours after a value drawn at random. Found: said before the 24 hours are over. In time: within the device's own limit,
and the minute between two looks. Chance: as many as the alerts of the person's own gaps would hit, moved along the
recording, within the limit. The limit of three hours was chosen with these people in view: a new sensor warms up for
up to two; at an hour the goal is missed. That each outage is said within it is a check of the rule, which goes by
time alone. What a home of several devices adds (one alert for all of them), and what explains a silence, is not in
it. That a device is heard and nothing of it can be used is another rule, and happens in no recording."""


class Reception(NamedTuple):
    """When one person's device was heard, in minutes, in order; and outages made of it, by when they begin.

    ``measured_days``: without gaps of more than 30 minutes.
    """

    heard: Sequence[float]
    outages: Sequence[float]
    measured_days: float

    @property
    def days(self) -> float:
        """From first to last."""
        return (self.heard[-1] - self.heard[0]) / DAY_MIN


Alerts = Callable[[Sequence[float]], list[float]]
"""Minutes of reception -> minutes at which an alert is said."""


def ours(heard: Sequence[float], limit_min: float = LIMIT_MIN) -> list[float]:
    """When the product's rule would speak."""
    return [one.at for one in silences(heard, limit_min)]


def _nightscout(heard: Sequence[float]) -> list[float]:
    return sorted(longer_than(heard, 15) + longer_than(heard, 30))


RIVALS: Final[Mapping[str, tuple[Alerts, float]]] = {
    "Nightscout: warning after 15 min, urgent after 30": (_nightscout, 15),
    "30 min by day, 60 by night": (partial(longer_than_by_night, day_min=30, night_min=60), 60),
    "60 min": (partial(longer_than, limit_min=60), 60),
    "24 h: what must be found, and no more": (partial(longer_than, limit_min=OUTAGE_MIN - 2 * MARKER_MIN), OUTAGE_MIN),
}
"""Alerts, and the limit in minutes within which such an alert is in time."""


def technical(wanted: Wanted) -> Section:
    """The rule of silence beside fixed limits. Raises MissingDataError."""
    receptions = []
    for place, (_, rows) in enumerate(sorted(glucose(wanted.file(FILE).parent).items())):
        heard = sorted({row.minute for row in rows})
        made = outages(heard, _OUTAGES_A_PERSON, seed=wanted.seed + place)
        receptions.append(Reception(heard, made, days_of(rows)))
    receptions = [one for one in receptions if one.days]
    wanted.report(0.2)
    lines = [
        Line(detector=name, figures=_figures(receptions, alerts, limit, wanted.seed))
        for name, (alerts, limit) in RIVALS.items()
    ]
    figures = _figures(receptions, ours, LIMIT_MIN, wanted.seed)
    lines.append(Line(detector=OURS, figures=figures, is_ours=True))
    wanted.report(0.8)
    tried = {limit: _a_day(receptions, partial(ours, limit_min=limit)) for limit in _TRIED_MIN}
    wanted.report(1.0)
    return Section(
        name="technical",
        title="Silent devices",
        counted=_COUNTED.format(
            people=len(receptions),
            days=sum(one.days for one in receptions),
            measured=sum(one.measured_days for one in receptions),
            outages=sum(len(one.outages) for one in receptions),
        ),
        summary={
            "outages_found": figures["outages of 24 h found"].value,
            "outages_found_in_time": figures["found in time"].value,
            "technical_alerts_per_day": figures[_A_DAY].value,
        },
        lines=lines,
        goals=(
            Goal(figure="outages_found", at_least=1.0),
            Goal(figure="outages_found_in_time", at_least=1.0),
            Goal(figure="technical_alerts_per_day", at_most=0.3),
        ),
        plots=(
            Plot(
                name="technical",
                caption="Technical alerts a patient-day by the limit, which is also how long an outage goes unsaid."
                " Between 90 and 120 min lie the two hours in which a new sensor warms up",
                draw=partial(_draw, tried),
            ),
        ),
        details={"limit_min": LIMIT_MIN, "people": len(receptions), "alerts_a_day_by_limit_min": tried},
    )


def _a_day(receptions: Sequence[Reception], alerts: Alerts) -> float:
    return sum(len(alerts(one.heard)) for one in receptions) / sum(one.days for one in receptions)


def _figures(receptions: Sequence[Reception], alerts: Alerts, limit_min: float, seed: int) -> dict[str, Figure]:
    own = [alerts(one.heard) for one in receptions]
    delays = [[_delay(one, alerts, begins) for begins in one.outages] for one in receptions]
    counts = [len(one) for one in delays]
    found = [sum(delay <= OUTAGE_MIN for delay in one) for one in delays]
    in_time = [sum(delay <= limit_min + MARKER_MIN for delay in one) for one in delays]
    waited = [delay for one in delays for delay in one if delay <= OUTAGE_MIN]
    return {
        _A_DAY: over_people([len(one) for one in own], [one.days for one in receptions], seed=seed),
        "a measured day": over_people([len(one) for one in own], [one.measured_days for one in receptions], seed=seed),
        "outages of 24 h found": over_people(found, counts, seed=seed),
        "found in time": over_people(in_time, counts, seed=seed),
        "by chance": exact(_chance(receptions, own, limit_min, seed)),
        "said after min (median)": exact(median(waited) if waited else np.nan),
        "time in alarm, %": over_people(
            [_in_alarm(one.heard, said) for one, said in zip(receptions, own, strict=True)],
            [one.days * DAY_MIN for one in receptions],
            seed=seed,
            scale=100,
        ),
    }


def _delay(reception: Reception, alerts: Alerts, begins: float) -> float:
    """How long after its beginning an outage is said, in minutes."""
    # What came long before makes no difference to it.
    near = [one for one in without(reception.heard, begins) if begins - OUTAGE_MIN <= one]
    return min((at - begins for at in alerts(near) if at > begins), default=np.inf)


def _in_alarm(heard: Sequence[float], said: Sequence[float]) -> float:
    """Minutes from each alert until the device was heard again; of two alerts of one gap, from the first."""
    first: dict[float, float] = {}
    for at in said:
        first.setdefault(heard[bisect_right(heard, at)], at)
    return sum(end - at for end, at in first.items())


def _chance(receptions: Sequence[Reception], own: Sequence[Sequence[float]], limit_min: float, seed: int) -> float:
    """The share of outages within whose first ``limit_min`` a moved alert of the person's own gaps comes."""
    generator = np.random.default_rng(seed)
    hit = count = 0
    for reception, said in zip(receptions, own, strict=True):
        first, span = reception.heard[0], reception.heard[-1] - reception.heard[0]
        count += len(reception.outages) * _SHIFTS
        if not said:
            continue
        for shift in generator.uniform(0, span, _SHIFTS):
            moved = np.sort((np.asarray(said) - first + shift) % span) + first
            for begins in reception.outages:
                place = np.searchsorted(moved, begins, side="right")
                hit += bool(place < len(moved) and moved[place] <= begins + limit_min)
    return hit / count if count else float("nan")


def _draw(tried: Mapping[int, float], axes: Axes) -> None:
    axes.plot(list(tried), list(tried.values()), marker="o")
    axes.axhline(0.3, linestyle=":", color="grey", label="goal")
    axes.axvline(LIMIT_MIN, color="tab:green", label=OURS)
    axes.axvspan(90, 120, color="silver", alpha=0.5, label="a new sensor warms up")
    axes.set(xlabel="limit, min", ylabel=_A_DAY, ylim=(0, None))
    axes.legend(fontsize="small")
