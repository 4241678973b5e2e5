"""What the fold of blood pressure remembers: a sitting, an episode as it goes, what waits for a second one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.limits import Side
from services.score.sample import Sample


@dataclass(slots=True)
class Sitting:
    """Systolic and diastolic readings that belong together, in mmHg, in pairs."""

    systolic: list[Sample] = field(default_factory=list)
    diastolic: list[Sample] = field(default_factory=list)

    @property
    def newest(self) -> tuple[float, float]:
        """The last reading, in mmHg."""
        return self.systolic[-1].value, self.diastolic[-1].value

    @property
    def mean(self) -> tuple[float, float]:
        """Of all readings, in mmHg."""
        count = len(self.systolic)
        return sum(one.value for one in self.systolic) / count, sum(one.value for one in self.diastolic) / count


@dataclass(slots=True)
class Course:
    """An episode as it goes. ``worst`` is the worst mean systolic value that was said; ``last`` the newest reading.

    ``mean`` is that of its sitting, ``symptom`` the one that made it urgent.
    """

    side: Side
    level: int
    since: int
    worst: float
    beyond: Sample
    last: Sample
    mean: tuple[float, float]
    confirmed: bool = True
    paused: bool = False
    symptom: Sample | None = None


@dataclass(slots=True)
class PressureState:
    """``half`` waits for the other value of its reading, ``doubt`` is the side on which a reading waits for a second.

    ``symptom`` is the newest that somebody has said. ``doubted``: time has passed, and it was said to be unconfirmed.
    That changes nothing of what later readings show.
    """

    half: Sample | None = None
    sitting: Sitting = field(default_factory=Sitting)
    doubt: int = 0
    course: Course | None = None
    symptom: Sample | None = None
    doubted: bool = False

    @property
    def level(self) -> int:
        """0: no episode is open."""
        return self.course.level if self.course else 0

    @property
    def since(self) -> int:
        """When the open episode began, in ms."""
        return self.course.since if self.course else 0

    def copied(self) -> "PressureState":
        """One that goes its own way."""
        return self.from_plain(self.to_plain())

    def to_plain(self) -> list[Any]:
        """As plain values."""
        course = self.course
        return [
            _plain(self.half),
            [list(one) for one in self.sitting.systolic],
            [list(one) for one in self.sitting.diastolic],
            self.doubt,
            None if course is None else [
                int(course.side), course.level, course.since, course.worst, list(course.beyond), list(course.last),
                list(course.mean), course.confirmed, course.paused, _plain(course.symptom),
            ],
            _plain(self.symptom),
        ]  # fmt: skip

    def from_plain(self, plain: Sequence[Any]) -> "PressureState":
        """The state that ``to_plain`` wrote."""
        half, systolic, diastolic, doubt, course, symptom = plain
        state = PressureState(
            _sample(half),
            Sitting([Sample(*one) for one in systolic], [Sample(*one) for one in diastolic]),
            doubt,
            symptom=_sample(symptom),
        )
        if course is not None:
            side, level, since, worst, beyond, last, mean, confirmed, paused, said = course
            state.course = Course(
                Side(side), level, since, worst, Sample(*beyond), Sample(*last), tuple(mean), bool(confirmed),
                bool(paused), _sample(said),
            )  # fmt: skip
        return state


def _plain(sample: Sample | None) -> list[Any] | None:
    return None if sample is None else list(sample)


def _sample(plain: Sequence[Any] | None) -> Sample | None:
    return None if plain is None else Sample(*plain)
