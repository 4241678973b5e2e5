"""Stretches of stored rows in which nothing happens, which a look back takes at once, as it takes each. Pure.

A back-test looks at most rows many times. What can be said of a row whatever was before it is found out once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, NamedTuple

from schemas.records import JudgedUplink
from schemas.vitals import STEPS
from services.score.beyond import Beyond
from services.score.circumstances import COVERS_MS
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, NEVER
from services.score.quarters import Quarters
from services.score.quiet_records import SAYS_MORE
from services.score.rule import Rule
from services.score.sample import SPOT_TYPES, Sample
from services.score.window import MOST_SAMPLES

_STEPS: Final = STEPS.number
_SAMPLE: Final = partial(tuple.__new__, Sample)
_FEWEST: Final = 2
"""One row alone is judged sooner."""


class Plain(NamedTuple):
    """A row of one moment of a worn device: ``shows_worn``, ``counts`` no steps; ``samples`` of what the rule reads."""

    at: int
    device_no: int
    shows_worn: bool
    counts: bool
    samples: tuple[Sample, ...]


def plain_of(row: JudgedUplink, person_no: int, vitals: AbstractSet[int]) -> Plain | None:
    """What is said of a row by itself, where it says nothing but values of somebody who stands still; else None."""
    readings = row.readings
    if row.events or not readings or row.device_type in SPOT_TYPES:
        return None
    at, shows_worn, counts, samples = readings[0].observed_at, False, False, list[Sample]()
    for item, whose, vital, value, observed_at, flags in readings:
        if observed_at != at or whose != person_no or flags & SAYS_MORE or (vital == _STEPS and value):
            return None
        shows_worn, counts = shows_worn or bool(flags), counts or vital == _STEPS
        if vital in vitals:
            of = row.device_no, row.epoch, row.seq, item, vital, flags, row.received_at, row.device_type
            samples.append(_SAMPLE((at, value, *of)))
    if len(samples) > 1 and len({one.vital for one in samples}) < len(samples):
        return None
    return Plain(at, row.device_no, shows_worn, counts, tuple(samples))


class QuietStretches:
    """Of the rows of a look back of a rule, in the order of time. ``plain``: what is known of rows, by their ``id``.

    Of limits, a stretch has values beyond none; of NEWS2, it is of one quarter hour, and is only put down.
    """

    def __init__(
        self, state: HomeState, person_no: int, rule: Rule, listed: Sequence[JudgedUplink], plain: Mapping[int, Plain]
    ) -> None:
        self._state, self._person = state, state.subject(person_no)
        self._evaluation = self._person.evaluation(rule)
        self._quarters = self._evaluation if isinstance(self._evaluation, Quarters) else None
        folds = state.limits.folds(rule, person_no)
        fold, is_always = self._evaluation.fold, (folds.begins_at, folds.ends_at) == (ALWAYS, NEVER)
        self._fold = fold if isinstance(fold, Beyond) and is_always and len(rule.inputs) == 1 else None
        can = self._quarters is not None or self._fold is not None
        self._rows = [plain.get(id(one)) for one in listed] if can else []
        self._at = [(one.readings or one.events)[0].observed_at for one in listed] if can else []
        self._quiet_until, self._plain_until = self._ends()

    def _ends(self) -> tuple[list[int], list[int]]:
        """Of each row, where what is plain, and of one device, ends; and where what is beyond no limit does as well."""
        count = len(self._rows)
        quiet_until, plain_until = [0] * count, [0] * count
        quiet_ends = plain_ends = count
        device_no, after = 0, 0
        for place in range(count - 1, -1, -1):
            row = self._rows[place]
            if row is None:
                quiet_ends = plain_ends = place
            else:
                # Two of one moment are not in order.
                if row.device_no != device_no or row.at == after:
                    device_no, quiet_ends, plain_ends = row.device_no, place + 1, place + 1
                if self._fold is not None and row.samples and not self._fold.is_between(row.samples[0][1]):
                    quiet_ends = place
                after = row.at
            quiet_until[place], plain_until[place] = quiet_ends, plain_ends
        return quiet_until, plain_until

    def take(self, place: int, ahead: int) -> tuple[int, int] | None:
        """Takes the stretch that begins at ``place``, of whose circumstances those before ``ahead`` are known.

        Gives both places after it; None where there is none, or something is open: then nothing has changed.
        """
        if place >= len(self._rows) or self._quiet_until[place] - place < _FEWEST:
            return None
        row = self._rows[place]
        if row is None or not self._is_settled(row):
            return None
        end = self._end_of(place, max(ahead, place), row)
        if end - place < _FEWEST:
            return None
        known = bisect_right(self._at, self._at[end - 1] + COVERS_MS, ahead)
        self._stand(self._rows[ahead:known], row.device_no)
        self._put_down([sample for one in self._rows[place:end] if one is not None for sample in one.samples])
        return end, known

    def _end_of(self, place: int, other: int, row: Plain) -> int:
        end, count = self._quiet_until[place], len(self._rows)
        if other < count:
            before = self._rows[other]
            goes_on = before is not None and before.device_no == row.device_no
            if goes_on and (other == 0 or self._at[other - 1] != self._at[other]):
                other = self._plain_until[other]
        if other < count:
            # What follows in the next minutes counts for these, too.
            end = min(end, bisect_left(self._at, self._at[other] - COVERS_MS, place, end))
        if self._quarters is None:
            return end
        begun = {vital: some for vital, some in self._person.window.samples.items() if some}
        for samples in begun.values():
            # The step lets go of what nobody looks back to.
            end = min(end, place + 2 * MOST_SAMPLES - len(samples))
        end = bisect_right(self._at, self._quarters.until, place, max(place, end))
        # The step begins with a vital.
        vitals = [{one[6] for one in row.samples} if row is not None else set() for row in self._rows[place:end]]
        return place + next((number for number, some in enumerate(vitals) if not some <= begun.keys()), len(vitals))

    def _is_settled(self, row: Plain) -> bool:
        window, device_no, at = self._person.window, row.device_no, row.at
        said, habits = window.wearing.get(device_no), self._state.habits.get(device_no)
        if said is None or not said.is_known(at) or habits is None or habits.total:
            return False
        for vital in self._evaluation.inputs:
            samples = window.samples.get(vital)
            if samples and samples[-1][0] >= at:
                return False
        if self._quarters is not None:
            return self._quarters.waits_from < at <= self._quarters.until
        return self._evaluation.is_beyond_nothing(device_no, at)

    def _stand(self, rows: Sequence[Plain | None], device_no: int) -> None:
        """Makes known that nobody walked."""
        habits, movement = self._state.habits[device_no], self._person.window.movement
        for row in rows:
            if row is not None and row.counts:
                habits.see_steps(row.at, 0.0)
                if not movement.stands(device_no, row.at):
                    movement.walk(device_no, row.at, 0.0)

    def _put_down(self, found: Sequence[Sample]) -> None:
        """Puts the samples into the window, out of which others go as they do when each comes alone."""
        window, evaluation = self._person.window, self._evaluation
        if self._quarters is not None:
            for sample in found:
                window.samples[sample[6]].append(sample)
            return
        vital = evaluation.inputs[0]
        samples, place = window.samples[vital], 0
        while place < len(found):
            end = min(place + max(1, 2 * MOST_SAMPLES + 1 - len(samples)), len(found))
            some = found[place:end]
            samples.extend(some)
            evaluation.put_down(some)
            if len(samples) > 2 * MOST_SAMPLES:
                window.forget(vital, evaluation.trim())
            place = end
