"""The fold of the anomaly rule: what is asked each hour, and when vitals together are said to be unusual. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from schemas.alerts import EndReason, Fact
from services.score.models.anomaly import AnomalyModel, Asked, Change, Concluded, Odd
from services.score.news2 import takes
from services.score.rule import ENDED, HOUR_MS, NEVER, Mark
from services.score.sample import Sample

LONGEST_GAP_MS: Final = 6 * HOUR_MS
"""After so long without an hour in which enough was known the episode pauses: as long as a pulse speaks for."""
_DECIMALS: Final = 2
"""Of what is said of a vital: the console shows no more of any of them."""


@dataclass(slots=True)
class AnomalyState:
    """What answers have shown. Samples are hours: their time is when one begins, their value the quantile in percent.

    ``shown`` is the last hour at which the alarm was on and not below its off limit, ``last`` the newest that was
    scored; ``facts`` are those that the open episode began with.
    """

    concluded: Concluded = field(default_factory=Concluded)
    shown: Sample | None = None
    last: Sample | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return [
            list(astuple(self.concluded)),
            None if self.shown is None else list(self.shown),
            None if self.last is None else list(self.last),
            dict(self.facts),
        ]

    def from_plain(self, plain: Sequence[Any]) -> "AnomalyState":
        """The state that ``to_plain`` wrote."""
        concluded, shown, last, facts = plain
        return AnomalyState(
            Concluded(*concluded),
            None if shown is None else Sample(*shown),
            None if last is None else Sample(*last),
            dict(facts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """The alarm of the model is an episode. Without a model nothing is asked, and nothing is ever said."""

    model: AnomalyModel | None
    needs_rest: bool = True
    longest_gap_ms: int = LONGEST_GAP_MS

    def start_asking(self) -> Asked:
        """Before the first sample."""
        return Asked()

    def start_concluding(self) -> AnomalyState:
        """Before the first answer."""
        return AnomalyState()

    def takes_from(self, asked: Asked, vital: int) -> int:
        """From when on a sample of a vital is taken, in ms; without a model none is."""
        return NEVER if self.model is None else asked.takes_from(vital)

    def ask(self, asked: Asked, sample: Sample, *, rested: bool) -> tuple[float, ...] | None:
        """Takes the next sample; the row of the hour that has ended with it, once an hour at most."""
        if self.model is None or not takes(sample, rested=rested):
            return None
        return asked.ask(sample[6], sample[1], sample[0])

    def answer(self, rows: Sequence[Sequence[float]]) -> Sequence[float]:
        """How odd each row is, 0 to 1."""
        assert self.model is not None  # noqa: S101 - without one nothing is asked
        found: list[float] = self.model.answer(rows).tolist()
        return found

    def conclude(
        self, concluded: AnomalyState, sample: Sample, features: Sequence[float], answer: float
    ) -> list[Mark] | None:
        """Takes the answer to a row, which is of the beginning of the sample's hour."""
        model, state = self.model, concluded
        assert model is not None  # noqa: S101 - without one nothing is asked
        at = sample.at // HOUR_MS * HOUR_MS
        quantile, change = model.conclude(state.concluded, answer, at)
        seen = state.last = sample._replace(at=at, value=round(100 * quantile, 1), vital=0, flags=0)
        if change is Change.ENDED:
            first, facts = state.shown or seen, state.facts
            state.shown, state.facts = None, {}
            return [Mark(ENDED, first, seen, EndReason.RECOVERED, facts=facts)]
        if state.concluded.is_on and not state.concluded.below:
            state.shown = seen
        if change is None:
            return None
        state.facts = _facts(model.explanation(features), seen)
        return [Mark(1, seen, seen, facts=state.facts)]

    def lapse(self, concluded: AnomalyState) -> list[Mark] | None:
        """The pause of an open episode."""
        shown, last = concluded.shown, concluded.last
        if not concluded.concluded.is_on or shown is None or last is None:
            return None
        pauses_at = last.at + LONGEST_GAP_MS
        return [Mark(ENDED, shown, last, EndReason.NO_DATA, pauses_at=pauses_at, facts=concluded.facts)]


def _facts(odd: Sequence[Odd], seen: Sample) -> dict[str, Fact]:
    """The vitals that it rests on, the oddest first, each as its code, level, and how far that is above the usual."""
    return {"unusual": " ".join(_listed(one) for one in odd), "percent": seen.value}


def _listed(one: Odd) -> str:
    level = round(one.level, _DECIMALS)
    return f"{one.code}:{level:g}" if one.from_usual is None else f"{one.code}:{level:g}:{_signed(one.from_usual)}"


def _signed(difference: float) -> str:
    return f"{round(difference, _DECIMALS):+g}"
