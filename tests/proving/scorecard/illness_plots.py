"""Pictures of the illness section: what is found against false alerts, and a made-up person's course."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from services.score.models.drift import RESTING_PULSE, DriftModel, DriftState
from tests.proving.scorecard.recorded_days import RecordedDays, made_up_days
from tests.proving.scorecard.section import Line, Plot

_LABEL_HEIGHT: Final = 0.022
_WEIGHT: Final = {True: "bold", False: "normal"}
_AMONG: Final = 60
_SHOWN_FROM_DAY: Final = -45


def found_by_false(lines: Sequence[Line], curve: Sequence[tuple[float, float]]) -> Plot:
    """``curve``: false alerts a month and excess over chance of HearthBeat with other thresholds."""

    def draw(axes: Axes) -> None:
        if curve:
            axes.plot(*zip(*sorted(curve), strict=True), color="tab:blue", linewidth=1, label="other thresholds")
        free_from = -1.0
        for line in sorted(lines, key=lambda line: line.figures["excess_over_chance"].value):
            false, found = (line.figures[name].value for name in ("false_per_month", "excess_over_chance"))
            axes.plot(false, found, "o", color="tab:blue" if line.is_ours else "tab:gray")
            label_at = max(found, free_from)
            axes.annotate(
                line.detector, (false + 0.04, label_at), size=7, va="center", fontweight=_WEIGHT[line.is_ours]
            )
            free_from = label_at + _LABEL_HEIGHT
        axes.margins(x=0.45)
        axes.set_xlim(left=0)
        axes.axhline(0, color="black", linewidth=0.5)
        axes.axvline(0.45, color="tab:green", linewidth=0.5, linestyle="--")
        axes.axhline(0.32, color="tab:green", linewidth=0.5, linestyle="--")
        axes.set_xlabel("false alerts a person and month")
        axes.set_ylabel("illnesses found, minus what chance finds (share)")

    caption = (
        "Each point is a detector; better ones are further up and further left. "
        "A rule that rings often finds many illnesses by chance: that share is taken off. Dashed: the goals"
    )
    return Plot(name="illness_found", caption=caption, draw=draw)


def course_of_one(seed: int) -> Plot:
    """Of a made-up person, since a recorded one could be known by it."""
    one = _that_shows_it(seed)

    def draw(axes: Axes) -> None:
        days, usual, average, is_on = _course(one)
        axes.plot(one.days, one.resting_pulse, ".", color="tab:gray", markersize=4, label="resting pulse")
        axes.plot(days, usual, color="black", linewidth=1, label="usual for this person")
        axes.fill_between(days, 0, 1, where=is_on, alpha=0.15, color="tab:red", transform=axes.get_xaxis_transform())
        axes.axvline(0, color="black", linewidth=0.5, linestyle=":")
        axes.set_xlim(_SHOWN_FROM_DAY, float(one.days[-1]))
        axes.set_xlabel("days from the first symptoms")
        axes.set_ylabel("resting pulse, per minute")
        scale = axes.twinx()
        scale.plot(days, average, color="tab:blue", linewidth=1)
        scale.axhline(DriftModel().on, color="tab:blue", linewidth=0.5, linestyle="--")
        scale.set_ylabel("drift (blue; an alert from the dashed line)", color="tab:blue")
        axes.legend(loc="upper left", fontsize=7)

    caption = (
        "A made-up person who falls ill on day 0: resting pulse, what is usual (it stands still during an alert), "
        "and the drift over pulse and steps together. Red: days on which the alert stands"
    )
    return Plot(name="illness_course", caption=caption, draw=draw)


def _that_shows_it(seed: int) -> RecordedDays:
    """The first of some made-up people in whom an alert stands on the day of the first symptoms."""
    people = made_up_days(_AMONG, seed)
    for one in people:
        days, _, _, is_on = _course(one)
        if any(is_on[(days >= 0) & (days <= 1)]) and not any(is_on[days < -1]):
            return one
    return people[0]


def _course(one: RecordedDays) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The days with a baseline; the usual pulse, the average, and whether an alert stands, on each."""
    model, state, first = DriftModel(), DriftState(), int(one.days[0])
    rows = []
    for place, day in enumerate(one.days):
        said = model.advance(state, int(day) - first, one.values(place))
        pulse = [each for each in said.deviations if each.channel.code == RESTING_PULSE] if said else []
        if said and pulse:
            rows.append((int(day), pulse[0].usual, said.average, said.is_on))
    days, usual, average, is_on = zip(*rows, strict=True)
    return np.array(days), np.array(usual), np.array(average), np.array(is_on, dtype=bool)
