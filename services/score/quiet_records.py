"""Takes records from which nothing follows as the step does, at little cost: for runs over stored rows. Pure.

Most of a person's past is quiet: a worn device measures values beyond no limit, one moment after the other, of somebody
who stands still. What is left of such a record in the state is the same as after the step; all others are for the step.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from schemas.reasons import Flag
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import STEPS
from services.score.core import SOONEST_MS
from services.score.evaluation import Evaluation
from services.score.firmware_faults import FirmwareHabits
from services.score.home_state import HomeState
from services.score.person import PersonState
from services.score.quarters import Quarters
from services.score.sample import SHOWS_WORN, SPOT_TYPES, Sample
from services.score.window import MOST_SAMPLES, Window

SAYS_MORE: Final = ~(SHOWS_WORN & ~int(Flag.MOVING))
"""Any of these flags says more than that its device is worn at rest."""
_STEPS: Final = STEPS.number
_SAMPLE: Final = partial(tuple.__new__, Sample)


class _OfVital(NamedTuple):
    """Its samples, who looks at each of them, and NEWS2 where that reads it."""

    samples: list[Sample]
    each: Sequence[Evaluation]
    quarters: Quarters | None


class QuietRecords:
    """Of one person of a home whose days nobody keeps. Both parts give False, and change nothing, where they can't."""

    __slots__ = ("_home", "_of_vital", "_person", "_person_no", "_read")

    def __init__(self, home: HomeState, person_no: int) -> None:
        self._home, self._person_no = home, person_no
        self._person = home.subject(person_no)
        self._read = home.rules.read
        self._of_vital: dict[int, _OfVital] = {}

    def step(self, record: JudgedUplink) -> bool:
        """All that the step does with ``record``, of which nothing follows."""
        home, device_no, received_at = self._home, record[0], record[8]
        if received_at >= home.due_at or not self.is_between(record) or not self._stands(record):
            return False
        if not home.seen.add(device_no, record[4], record[5]):
            return True
        home.hear(received_at, device_no, self._person_no)
        self._show(record)
        self.put_down(record)
        home.due_at = min(home.due_at, received_at + SOONEST_MS)
        return True

    def _let_go(self, window: Window) -> None:
        """Of devices that are on the body again for as long as rules look back, nothing has to be asked any more."""
        before = min([one.trim() for one in self._person.evaluations.values()], default=0)
        window.off = {number for number in window.off if not window.wearing[number].says_nothing_from(before)}

    def _known(self) -> PersonState:
        """The person's state, which is another object under other rules."""
        person = self._home.subject(self._person_no)
        if person is not self._person:
            self._person, self._read, self._of_vital = person, self._home.rules.read, {}
        return person

    def _is_mine(self, readings: Sequence[JudgedReading]) -> bool:
        """Whether they are of one moment of this person, and none says more than that they are worn at rest."""
        at, person_no = readings[0][4], self._person_no
        return all(one[4] == at and one[1] == person_no and not one[5] & SAYS_MORE for one in readings)

    def _stands(self, record: JudgedUplink) -> bool:
        """Whether it shows nothing but what is known: its device is worn, and nobody walks."""
        device_no, readings = record[0], record[9]
        if record[10] or not readings or not self._is_mine(readings):
            return False
        person, habits = self._known(), self._home.habits.get(device_no)
        said = person.window.wearing.get(device_no)
        for _, _, vital, value, at, flags in readings:
            if flags and (said is None or not said.is_known(at)):
                return False
            if vital == _STEPS and (value or habits is None or not _counts_on(habits, at)):
                return False
        return habits is None or habits.is_well

    def _show(self, record: JudgedUplink) -> None:
        device_no = record[0]
        for _, _, vital, value, at, _ in record[9]:
            if vital == _STEPS:
                self._home.habits[device_no].see_steps(at, value)
                movement = self._person.window.movement
                if not movement.stands(device_no, at):
                    movement.walk(device_no, at, value)

    def is_between(self, record: JudgedUplink) -> bool:
        """Whether no rule finds anything in it: values in order, and beyond no limit."""
        device_no, readings = record[0], record[9]
        if record[10] or not readings or record[12] in SPOT_TYPES or not self._is_mine(readings):
            return False
        window = self._known().window
        if device_no in window.off and not window.wearing[device_no].is_known(readings[0][4]):
            return False
        seen = 0
        for one in readings:
            if one[2] in self._read:
                if seen >> one[2] & 1 or not self._is_quiet(device_no, one, record[8]):
                    return False
                seen |= 1 << one[2]
        return True

    def _is_quiet(self, device_no: int, reading: JudgedReading, received_at: int) -> bool:
        _, _, vital, value, at, _ = reading
        known = self._of_vital.get(vital) or self._begin(self._person, vital)
        if known is None or not known.samples or at <= known.samples[-1][0]:
            return False
        samples, each, quarters = known
        if len(samples) >= 2 * MOST_SAMPLES:
            # The step lets go of what nobody looks back to.
            if self._person.window.off:
                self._let_go(self._person.window)
            return False
        if quarters is not None and not quarters.waits_from < at <= quarters.until:
            return False
        return all(one.is_quiet(device_no, value, at, received_at) for one in each)

    def put_down(self, record: JudgedUplink) -> None:
        """What is left of a record of which ``is_between`` is true."""
        device_no, _, _, _, epoch, seq, _, _, received_at, readings, _, _, kind = record
        for item, _, vital, value, at, flags in readings:
            if vital in self._read:
                sample = _SAMPLE((at, value, device_no, epoch, seq, item, vital, flags, received_at, kind))
                samples, each, _ = self._of_vital[vital]
                samples.append(sample)
                for one in each:
                    one.put_down((sample,))

    def _begin(self, person: PersonState, vital: int) -> _OfVital | None:
        """None before the step has begun with a vital, or where others than rules with limits look at it."""
        readers = [one for one in person.evaluations.values() if vital in one.inputs]
        if len(readers) < len(self._home.rules.readers.get(vital, ())) or vital not in person.window.samples:
            return None
        each = [one for one in readers if not isinstance(one, Quarters)]
        quarters = person.quarters if len(each) < len(readers) else None
        found = self._of_vital[vital] = _OfVital(person.window.of(vital), each, quarters)
        return found


def _counts_on(habits: FirmwareHabits, at: int) -> bool:
    """Whether a device that counts steps goes on as one does that counts them anew each time."""
    return not habits.total and at > habits.steps_at
