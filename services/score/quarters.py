"""NEWS2 over one person's window: what was measured before each quarter hour, looked at once that is complete. Pure.

A quarter hour is complete once something later has come, or so much time has passed that nothing does. Until then a
reading is only kept: which of them is the newest usable one shows at the quarter hour.
"""

from bisect import bisect_left
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Self

from services.score.age import Reception
from services.score.episodes import Behind, Report
from services.score.evaluation import Evaluation
from services.score.limit_book import Folds
from services.score.news2 import AT_REST, GRID_MS, STEPPED, Look, News2, News2State, takes
from services.score.rule import MINUTE_MS, NEVER, Mark, Rule
from services.score.sample import Sample
from services.score.window import Window

SETTLES_MS: Final = 15 * MINUTE_MS
"""A quarter hour is looked at so long after it, where nothing later has come until then."""
SETTLED: Final = "settled"
"""In a saved state: the newest quarter hour that was looked at by time."""
_MOST_LOOKS: Final = 8


def evaluation_of(rule: Rule) -> type[Evaluation]:
    """What evaluates a rule: most look at each sample as it comes."""
    return Quarters if isinstance(rule.fold, News2) else Evaluation


def quarter_of(at: int) -> int:
    """The quarter hour at which a value of ``at`` is looked at first, in ms."""
    return -(-at // GRID_MS) * GRID_MS


def _may_leap(last: Sample | None, samples: Sequence[Sample], most: float) -> bool:
    """Whether any two of these values are further apart than a body can change in a minute."""
    values = [one[1] for one in samples]
    if last is not None:
        values.append(last[1])
    return len(values) > 1 and max(values) - min(values) > most


class Quarters(Evaluation):
    """``seen`` are quarter hours that were looked at and that nobody has taken yet.

    ``until`` is the quarter hour that the newest sample was measured for, ``waits_from`` is when it began: of what was
    taken after that, nothing was looked at yet. ``_settled_at`` is the newest one that was looked at because time had
    passed: a sample of before it that comes after all is a late one. It is 0 once something later has come.
    """

    __slots__ = ("_asked_at", "_is_moving", "_settled_at", "seen", "until", "waits_from")

    def __init__(self, rule: Rule, window: Window, folds: Folds, *, highest: int = 0) -> None:
        super().__init__(rule, window, folds, highest=highest)
        self._settled_at = 0
        self._wait()
        self.seen: list[Look] = []
        self._asked_at, self._is_moving = -1, False

    @property
    def newest(self) -> Sample | None:
        """The newest sample, which nobody has to put down: it is asked for a few times in a quarter hour."""
        return self._window.newest(self.inputs)

    def values_since(self, vital: int, since: int) -> set[float]:
        """What was measured of a vital from ``since`` on, in ms: all that the rule looks back to, and the last before.

        The same however often, and whenever, the state was saved.
        """
        begins, last = self.trim(), self._base.last.get(vital)
        samples = self._window.samples.get(vital, [])
        found = {one[1] for one in samples[bisect_left(samples, (max(begins, since),)) :]}
        return found if last is None or last[0] < since else found | {last[1]}

    def _wait(self) -> None:
        """For the end of the quarter hour of the newest sample."""
        self._wait_after(self.newest)

    def _wait_after(self, newest: Sample | None) -> None:
        self.until = 0 if newest is None else quarter_of(newest[0])
        self.waits_from = max(self.until - GRID_MS, self._settled_at)

    def take(self, sample: Sample) -> Sequence[Report | Behind] | None:
        """What follows from ``sample``, which the window holds already. Samples of one moment have no order.

        None of what belongs to the quarter hour that is not over yet, which nobody has to ask.
        """
        at = sample[0]
        if self.waits_from < at <= self.until:
            return None
        if at <= self.until:
            return self.take_late(sample)
        if not self.until and at < self._since:
            return None
        over = self.until
        marks = self._look(self._state, over) if over > self._settled_at else []
        self._wait()
        reception = Reception(sample[8], at)
        if marks or not self.episodes.looks_back:
            return self.episodes.reports(marks, reception)
        return self._still(self._folds.at(sample[8]), sample, reception)

    def _look(self, state: News2State, at: int) -> list[Mark]:
        """Evaluates the quarter hour ``at``, by the limits in force when its newest usable sample was received."""
        self._feed(state, at - GRID_MS + 1, at)
        found = None
        if state.last:
            folds, received_at = self._folds, max(state.last.values())[8]
            fold = folds.fold if folds.begins_at <= received_at < folds.ends_at else folds.at(received_at)
            assert isinstance(fold, News2)  # noqa: S101 - see evaluation_of
            found = fold.look(state, at)
        look, mark = found or (Look(at, None), None)
        if state is not self._base:
            if len(self.seen) == _MOST_LOOKS:
                del self.seen[0]
            self.seen.append(look)
        return [mark] if mark else []

    def _feed(self, state: News2State, first: int, last: int) -> None:
        """Makes a state know what was measured from ``first`` to ``last``, both inclusive, in ms."""
        first = max(first, self._since)
        self._asked_at = -1
        for vital in self.inputs:
            samples = self._window.samples.get(vital)
            if not samples or samples[-1][0] < first:
                continue
            # Most is asked of what was just measured.
            ends = len(samples) if samples[-1][0] <= last else bisect_left(samples, (last + 1,))
            most = STEPPED.get(vital)
            if most is not None:
                some = samples[bisect_left(samples, (first,)) : ends]
                if _may_leap(state.last.get(vital), some, most):
                    for sample in some:
                        if self._counts(sample):
                            self._fold.advance(state, sample, rested=True)
                    continue
            while ends and samples[ends - 1][0] >= first:
                ends -= 1
                if self._counts(samples[ends]):
                    state.last[vital] = samples[ends]
                    if state.odd:
                        state.odd.pop(vital, None)
                    break

    def _counts(self, sample: Sample) -> bool:
        window = self._window
        if window.off and not window.is_usable(sample):
            return False
        if sample[6] not in AT_REST:
            return takes(sample, rested=True)
        at = sample[0]
        # What one uplink has measured was measured at one moment.
        if at != self._asked_at:
            moves = window.movement
            self._asked_at, self._is_moving = at, bool(moves.spans) and moves.is_moving(at)
        return not self._is_moving

    def _through(self, state: News2State, samples: Sequence[Sample], *, before: int) -> list[Mark]:
        """All quarter hours that are over ``before`` then; of the one after them, what was measured for it."""
        self._wait()
        return self._look_at(state, {quarter_of(one[0]) for one in samples}, before=before)

    def _leave(self, horizon: int) -> None:
        self._wait()
        quarters = set[int]()
        for vital in self.inputs:
            samples = self._window.samples.get(vital, ())
            place, end = bisect_left(samples, (self._since,)), bisect_left(samples, (horizon,))
            while place < end:
                quarter = quarter_of(samples[place][0])
                quarters.add(quarter)
                place = bisect_left(samples, (quarter + 1,), place, end)
        self._look_at(self._base, quarters, before=horizon)

    def _look_at(self, state: News2State, quarters: AbstractSet[int], *, before: int) -> list[Mark]:
        marks: list[Mark] = []
        # A quarter hour may have left the window in part.
        for at in sorted(quarters | {quarter_of(one.at) for one in state.last.values()}):
            if at >= before:
                self._feed(state, at - GRID_MS + 1, before - 1)
            elif state.looked_at < at < self.until:
                marks += self._look(state, at)
        return marks

    @property
    def due_at(self) -> int:
        """When the next quarter hour is looked at, or the open episode pauses, if nothing comes until then, in ms."""
        complete_at = self._complete_at(self._settled_at)
        return complete_at if self._state.course is None else min(complete_at, self._fold.pauses_at(self._state))

    def _complete_at(self, settled_at: int) -> int:
        newest = self.newest
        if newest is None or self.until <= settled_at:
            return NEVER
        return self.until + SETTLES_MS + max(0, newest[8] - newest[0]) + 1

    def _pass(self, state: Any, now: int) -> list[Mark]:
        """What the newest quarter hour shows, where time has passed, and the pause after that."""
        marks: list[Mark] = []
        newest, is_settled = self.newest, self.until <= self._settled_at
        if newest is not None and (is_settled or self._complete_at(0) <= now):
            if state is not self._state or not is_settled:
                marks += self._look(state, self.until)
            self._settled_at = self.waits_from = self.until
        return marks + super()._pass(state, now)

    def trim(self) -> int:
        """As every evaluation; what time has shown is no more once something later has come."""
        newest = self.newest
        if newest is not None and newest[0] > self._settled_at:
            self._settled_at = 0
            self._wait_after(newest)
        horizon, first = self._horizon_of(newest), self.until - GRID_MS + 1
        # Vitals that were measured together leave the window one after the other: all but the first change nothing.
        if horizon <= self._since:
            return self._since
        if horizon > max(first, self._since):
            # Else what leaves the window in the middle of a quarter hour would be lost to it.
            self._feed(self._state, first, horizon - 1)
        return self._trim_to(horizon)

    def to_plain(self) -> dict[str, Any]:
        """As every evaluation's, with what time has shown."""
        return {**super().to_plain(), **({SETTLED: self._settled_at} if self._settled_at else {})}

    @classmethod
    def from_plain(cls, rule: Rule, window: Window, folds: Folds, plain: dict[str, Any]) -> Self:
        """The evaluation that ``to_plain`` wrote, over the same window."""
        found = super().from_plain(rule, window, folds, plain)
        found.settle(plain.get(SETTLED, 0))
        return found

    def settle(self, at: int) -> None:
        """The quarter hour ``at`` was looked at before, by time."""
        self._settled_at = at
        self._wait()
        if self.newest is not None and self.until <= at:
            self._look(self._state, self.until)
        self.seen = []
