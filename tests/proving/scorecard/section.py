"""What a part of the scorecard says: figures of each detector, goals, plots; JSON and page are made of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from services.runtime.errors import HearthBeatError
from tests.proving.scorecard.figures import Figure


class MissingDataError(HearthBeatError):
    """A recording that a section needs is not in the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a section's table: figures of ``detector``, by the title of their column.

    ``group``: of which people, where not of all ("60 to 69 years", "women"). ``is_ours``: HearthBeat's own code.
    """

    detector: str
    figures: Mapping[str, Figure]
    group: str = ""
    is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a figure has to be, at least or at most; ``figure`` names it in the section's ``summary``."""

    figure: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """NaN, nothing to count, meets nothing."""
        if isnan(value):
            return False
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture for the page: ``name`` of its file without the ending, what to see in it, and who draws it."""

    name: str
    caption: str
    draw: Callable[[Axes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """``name`` is its key in the JSON, ``summary`` the figures of HearthBeat's own code under the names that goals use.

    ``counted``: prose for the page: of whom, what counts as an event, as found, as false, and what it can't show.
    """

    name: str
    title: str
    counted: str
    summary: Mapping[str, float]
    lines: Sequence[Line]
    goals: Sequence[Goal]
    plots: Sequence[Plot] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def missed(self) -> list[str]:
        """The goals that are not met, in words."""
        return [
            f"{self.name}.{goal.figure} is {self.summary[goal.figure]:.3g}, and has to be {_bound(goal)}"
            for goal in self.goals
            if not goal.is_met(self.summary[goal.figure])
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a section is made from: ``data`` holds the recordings (None: the seeded simulation alone)."""

    data: Path | None
    seed: int
    folds: int = 5
    report: Callable[[float], None] = lambda _share: None
    """Takes how much of the section is done, 0 to 1."""

    def file(self, name: str) -> Path:
        """The path of a recording. Raises MissingDataError."""
        path = (self.data / name) if self.data else None
        if path is None or not path.is_file():
            raise MissingDataError(f"{name} is not in {self.data or 'any folder (DATA=folder)'}")
        return path


def folds_of(people: Sequence[str], folds: int, seed: int) -> list[list[str]]:
    """People in ``folds`` groups of about one size, the same for the same people, whatever their order."""
    order = np.random.default_rng(seed).permutation(len(people))
    known = sorted(people)
    return [[known[place] for place in order[which::folds]] for which in range(folds)]


def _bound(goal: Goal) -> str:
    bounds = [] if goal.at_least is None else [f"at least {goal.at_least:g}"]
    return " and ".join(bounds + ([] if goal.at_most is None else [f"at most {goal.at_most:g}"]))
