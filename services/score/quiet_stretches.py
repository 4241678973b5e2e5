"""Stretches of stored rows in which nothing happens, which a look back takes at once, as it takes each. Pure.

A back-test looks at most rows many times. What can be said of a row whatever was before it is found out once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import STEPS
from services.score.beyond import Beyond
from services.score.circumstances import COVERS_MS
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, NEVER
from services.score.rule import Rule
from services.score.sample import INPUTS, SHOWS_WORN, SPOT_TYPES, Sample
from services.score.window import MOST_SAMPLES

_OTHER: Final = ~(SHOWS_WORN & ~int(Flag.MOVING))
"""Any of these flags says more than that the device is worn at rest."""
_STEPS: Final = STEPS.number
_SAMPLE: Final = partial(tuple.__new__, Sample)
_FEWEST: Final = 8


class Plain(NamedTuple):
    """A row of one moment of a worn device: ``shows_worn``, ``counts`` no steps; ``sample`` of the vital, if any."""

    at: int
    device_no: int
    shows_worn: bool
    counts: bool
    sample: Sample | None


def plain_of(row: JudgedUplink, person_no: int, vital: int) -> Plain | None:
    """What is said of a row by itself, where it says nothing but a value of somebody who stands still; else None."""
    readings, at = row.readings, 0
    if row.events or not readings or row.device_type in SPOT_TYPES:
        return None
    at, shows_worn, counts, sample = readings[0].observed_at, False, False, None
    for item, whose, number, value, observed_at, flags in readings:
        if observed_at != at or whose != person_no or flags & _OTHER or (number == _STEPS and value):
            return None
        shows_worn, counts = shows_worn or bool(flags), counts or number == _STEPS
        if number == vital:
            if sample is not None:
                return None
            sample = _SAMPLE(
                (at, value, row.device_no, row.epoch, row.seq, item, number, flags, row.received_at, row.device_type)
            )
    return Plain(at, row.device_no, shows_worn, counts, sample)


class QuietStretches:
    """Of the rows of a look back of a rule of one vital, in the order of time. ``plain``: of rows, by their ``id``."""

    def __init__(
        self, state: HomeState, person_no: int, rule: Rule, listed: Sequence[JudgedUplink], plain: Mapping[int, Plain]
    ) -> None:
        self._state, self._person = state, state.subject(person_no)
        self._vital = INPUTS[rule.inputs[0]]
        self._evaluation = self._person.evaluation(rule)
        fold = self._evaluation.fold
        folds = state.limits.folds(rule, person_no)
        self._fold = fold if isinstance(fold, Beyond) and (folds.begins_at, folds.ends_at) == (ALWAYS, NEVER) else None
        self._rows = [plain.get(id(one)) for one in listed] if self._fold is not None else []
        self._at = [(one.readings or one.events)[0].observed_at for one in listed]
        self._quiet_until, self._plain_until = self._ends()

    def _ends(self) -> tuple[list[int], list[int]]:
        """Of each row, where what is plain, and of one device, ends; and where what is beyond no limit does as well."""
        quiet_until, plain_until = [0] * len(self._rows), [0] * len(self._rows)
        quiet_ends = plain_ends = len(self._rows)
        device_no = 0
        for place in range(len(self._rows) - 1, -1, -1):
            row = self._rows[place]
            if row is None:
                quiet_ends = plain_ends = place
            else:
                if row.device_no != device_no:
                    device_no, quiet_ends, plain_ends = row.device_no, place + 1, place + 1
                assert self._fold is not None  # noqa: S101 - else there are no rows
                if row.sample is not None and not self._fold.is_between(row.sample.value):
                    quiet_ends = place
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
        end = self._quiet_until[place]
        other = max(ahead, place)
        if other < len(self._rows):
            before = self._rows[other]
            is_same = before is not None and before.device_no == row.device_no
            other = self._plain_until[other] if is_same else other
        if other < len(self._rows):
            # What follows in the next minutes counts for these, too.
            end = min(end, bisect_left(self._at, self._at[other] - COVERS_MS, place, end))
        if end - place < _FEWEST:
            return None
        known = bisect_right(self._at, self._at[end - 1] + COVERS_MS, ahead)
        self._stand(self._rows[ahead:known], row.device_no)
        self._put_down([one.sample for one in self._rows[place:end] if one is not None and one.sample is not None])
        return end, known

    def _is_settled(self, row: Plain) -> bool:
        window, device_no, at = self._person.window, row.device_no, row.at
        said, habits = window.wearing.get(device_no), self._state.habits.get(device_no)
        samples = window.samples.get(self._vital, [])
        return (
            bool(samples)
            and samples[-1][0] < at
            and said is not None
            and said.is_known(at)
            and habits is not None
            and not habits.total
            and self._evaluation.is_at_rest(device_no, at)
        )

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
        samples, twice_ms, place = window.samples[self._vital], 2 * evaluation.window_ms, 0
        while place < len(found):
            full = place + max(1, 2 * MOST_SAMPLES + 1 - len(samples))
            long = bisect_right(found, (samples[0][0] + twice_ms + 1,), place) + 1 if samples else full
            end = min(full, long, len(found))
            some = found[place:end]
            samples.extend(some)
            evaluation.put_down(some)
            if len(samples) > 2 * MOST_SAMPLES or some[-1][0] - samples[0][0] > twice_ms:
                window.forget(self._vital, evaluation.trim())
            place = end
