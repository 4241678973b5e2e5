"""What a look back had come to in the middle, for the next one over the same rows: only new ones are judged then. Pure.

Late readings come one by one, and an episode may go on for weeks: each look would go over all of it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.records import JudgedUplink
from services.score.followups import Effect
from services.score.home_state import HomeState
from services.score.rule import Rule

_FEWEST: Final = 256
"""So many rows cost more than to keep what they lead to."""
_LAST: Final = (32, 512)
"""So many rows before the last one something is kept, for what comes late soon."""
_MOST: Final = 12


class Mark(NamedTuple):
    """Before the row at ``place``, where those before ``ahead`` have said under which circumstances they were taken."""

    place: int
    ahead: int
    state: HomeState
    effects: Sequence[Effect]


@dataclass(slots=True)
class LookMemory:
    """Of the newest look of one rule. ``key``: all that decides but the rows."""

    key: Any = None
    rows: Sequence[JudgedUplink] = ()
    marks: list[Mark] = field(default_factory=list)

    def begin(self, key: Any, rows: Sequence[JudgedUplink]) -> Mark | None:
        """What is known of these rows; None for nothing. From then on it is about them."""
        kept = [one for one in self.marks if self._holds(one, rows)] if key == self.key else []
        self.key, self.rows, self.marks = key, rows, kept[-_MOST:]
        if not kept:
            return None
        newest = kept[-1]
        return newest._replace(state=copied(newest.state), effects=list(newest.effects))

    def _holds(self, mark: Mark, rows: Sequence[JudgedUplink]) -> bool:
        return mark.ahead < len(rows) and self.rows[: mark.ahead] == rows[: mark.ahead]

    def stops(self, place: int, first_new: int) -> list[int]:
        """Where to keep what there is, of rows from ``place`` on, the last first; ``first_new`` may be a late one's."""
        count = len(self.rows)
        found = sorted({first_new, *(count - many for many in _LAST)})
        return [one for one in reversed(found) if one - place >= _FEWEST]

    def keep(self, place: int, ahead: int, state: HomeState, effects: Iterable[Effect]) -> None:
        """What the rows before ``place`` have led to."""
        self.marks.append(Mark(place, ahead, copied(state), list(effects)))


def copied(state: HomeState) -> HomeState:
    """One that goes its own way; what never changes is shared."""
    shared: list[Any] = [state.rules, state.limits, *state.rules.rules, *(rule.fold for rule in state.rules.rules)]
    for person in state.subjects.values():
        for evaluation in person.evaluations.values():
            shared += [evaluation.folds, evaluation.fold]
        for samples in person.window.samples.values():
            shared += samples
    known: dict[int, Any] = {id(one): one for one in shared if one is not None}
    return deepcopy(state, known)


def key_of(rule: Rule, since: int, off: Iterable[Any], worn_since: Mapping[int, int]) -> Any:
    """Of a look of a rule from ``since`` on, with devices that were off or on the body then."""
    return id(rule), since, tuple(off), dict(worn_since)
