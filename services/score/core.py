"""The scoring step: home state and record in, findings and calls out. Pure, no wall clock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.alerts import EndReason, Finding
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import STEPS
from services.score.age import is_looked_back_on
from services.score.days import STEPS_A_UNIT
from services.score.episodes import finding_of
from services.score.firmware_faults import FirmwareHabits
from services.score.home_state import HomeState
from services.score.news2 import Look
from services.score.person import LateError, PersonState, RepeatedError, Reports
from services.score.questions import Question, answers_to
from services.score.rule import ENDED, Mark, Rule, Subject, finding_from
from services.score.rules.clock import CLOCK
from services.score.rules.fall import ANSWER_WITHIN_MS, FALL, SAME_FALL_MS
from services.score.rules.firmware import FIRMWARE, FirmwareFault, message_of
from services.score.rules.low_battery import LOW_BATTERY
from services.score.rules.sos import SAME_CALL_MS, SOS, press_message, said_of_press
from services.score.sample import SHOWS_WORN, Sample

_NOT_SCORED: Final = int(NOT_SCORED)
_MOVING: Final = int(Flag.MOVING)
_NOT_OF_HERE: Final = int(Flag.OTHER_HOME | Flag.BEFORE_REBINDING)
_RETAINED: Final = int(Flag.RETAINED)
_CORRECTED_CLOCK: Final = int(Flag.CORRECTED_CLOCK)
_STEPS: Final = STEPS.number
_LOW_BATTERY: Final = EVENT_TYPE_BY_KIND[EventKind.LOW_BATTERY].number
_CHARGING: Final = EVENT_TYPE_BY_KIND[EventKind.CHARGING].number
_NONE: Final[frozenset[int]] = frozenset()
_WEARING: Final = {
    EVENT_TYPE_BY_KIND[EventKind.WORN].number: True,
    EVENT_TYPE_BY_KIND[EventKind.NOT_WORN].number: False,
    EVENT_TYPE_BY_KIND[EventKind.CHARGING].number: False,
}
"""What events say of whether their device is worn."""
_HAVE_DAYS: Final = frozenset(STEPS_A_UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class FallCheck:
    """A suspected fall that has until ``due_at`` to be answered. ``sample`` names the event."""

    subject: Subject
    episode: int
    sample: Sample
    due_at: int
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SosCall:
    """A press of the SOS button: the call of ``episode`` goes on until ``due_at`` at least. ``said`` numbers it."""

    subject: Subject
    episode: int
    sample: Sample
    due_at: int
    said: int


class QuarterLook(NamedTuple):
    """A person's NEWS2 at a quarter hour, which takes the place of what was known of it."""

    person_no: int
    look: Look


Effect = Finding | FallCheck | SosCall | QuarterLook | Question


@dataclass(slots=True)
class Tally:
    """What was passed over, for the metrics."""

    duplicates: int = 0
    late: int = 0
    repeated: int = 0


def step(state: HomeState, record: JudgedUplink, tally: Tally) -> list[Effect]:
    """What follows from ``record``; changes ``state``. The same record again changes nothing and gives nothing.

    Questions among the effects have to be answered before the state is saved (``with_answers``).
    """
    if not record.device_no:
        return []
    if not state.seen.add(record.device_no, record.epoch, record.seq):
        tally.duplicates += 1
        return []
    effects: list[Effect] = []
    if record[8] >= state.due_at:
        effects += pass_time(state, record.home_no, record.received_at)
    _look_at_flags(state, record, effects)
    _look_at_circumstances(state, record, effects)
    read, subjects, received_at = state.rules.read, state.subjects, record[8]
    # Unpacked at once: a field by its name costs more, and this loop sees every reading.
    for reading in record.readings:
        _, person_no, vital, value, at, flags = reading
        if flags & _NOT_SCORED:
            continue
        person = subjects.get(person_no) or state.subject(person_no)
        if vital in read and not _score(person, record, reading, tally, effects):
            continue
        if vital in _HAVE_DAYS and not flags & _MOVING and person.recent.add(vital, value, at, received_at):
            state.due_at = min(state.due_at, person.recent.due_at)
    for event in record.events:
        handle = _EVENT_HANDLERS.get(event.kind)
        if handle is not None:
            handle(state, record, event, effects)
    people = {reading[1] for reading in record.readings}
    _add_looks(state, people.union(event.person_no for event in record.events) if record.events else people, effects)
    if effects or record.events:
        # An episode may have begun, which pauses when nothing comes.
        state.look_ahead()
    else:
        # One may go on after a pause, or a reading may wait for a second, without a word.
        for person_no in people:
            state.due_at = min(state.due_at, state.subject(person_no).due_at)
    return effects


def pass_time(state: HomeState, home_no: int, now: int) -> list[Effect]:
    """What follows from the log's having come to ``now``, without a record of this home."""
    effects: list[Effect] = []
    for person_no, found in state.pass_time(now):
        _report(Subject(person_no, home_no), found, effects)
    _add_looks(state, state.subjects, effects)
    return effects


def _add_looks(state: HomeState, people: Iterable[int], effects: list[Effect]) -> None:
    """What NEWS2 was at quarter hours, of people of whom something was measured or time has passed."""
    for person_no in people:
        person = state.subjects.get(person_no)
        if person is not None and person.quarters is not None and person.quarters.seen:
            effects += [QuarterLook(person_no, look) for look in person.quarters.seen]
            person.quarters.seen.clear()


def _look_at_circumstances(state: HomeState, record: JudgedUplink, effects: list[Effect]) -> None:
    """Before values: a reading that says "walking", or "worn", counts for its neighbours in this uplink."""
    for event in record.events:
        worn = _WEARING.get(event.kind)
        if worn is not None and event.person_no and not event.flags & _NOT_SCORED:
            person = state.subject(event.person_no)
            found = (person.show_worn if worn else person.take_off)(
                record.device_no, event.observed_at, record.received_at
            )
            _report(Subject(event.person_no, record.home_no), found, effects)
    shown = None
    for reading in record.readings:
        _, person_no, vital, value, at, flags = reading
        if (not flags & SHOWS_WORN and vital != _STEPS) or flags & _NOT_SCORED:
            continue
        # Four readings of one moment are one movement.
        seen = person_no, at, flags & _MOVING
        if vital == _STEPS:
            _walk(state, record, reading, effects)
        elif seen == shown:
            continue
        shown = seen
        person = state.subjects.get(person_no) or state.subject(person_no)
        found = person.show_worn(record.device_no, at, record.received_at) if flags & SHOWS_WORN or value else []
        if flags & _MOVING:
            found = [*found, *person.move(at, record.received_at)]
        if found:
            _report(Subject(person_no, record.home_no), found, effects)


def with_answers(effects: list[Effect], home_of: Callable[[int], HomeState]) -> list[Effect]:
    """The effects of a batch with what follows from the answers in the place of its questions; changes the states.

    Each model is asked once. ``home_of`` gives the state of a home by its number.
    """
    questions = [one for one in effects if isinstance(one, Question)]
    if not questions:
        return effects
    answers = iter(answers_to(questions))
    done: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Question):
            person = home_of(effect.subject.home_no).subject(effect.subject.person_no)
            done += person.models.conclude(effect, next(answers))
        else:
            done.append(effect)
    return done


_SAMPLE: Final = partial(tuple.__new__, Sample)
"""``Sample`` without naming its fields, which costs more than twice as much: every reading becomes one."""


def _score(
    person: PersonState,
    record: JudgedUplink,
    reading: JudgedReading,
    tally: Tally,
    effects: list[Effect],
) -> bool:
    """Whether it counts: not what was measured and sent before, under another number."""
    item, person_no, vital, value, at, flags = reading
    sample = _SAMPLE((at, value, record[0], record[4], record[5], item, vital, flags, record[8], record[12]))
    rules = person.rules
    if vital in rules.askers:
        effects.extend(person.ask(sample, Subject(person_no, record.home_no)))
        if vital not in rules.readers:
            return True
    try:
        found = person.take(sample)
    except LateError:
        # Counted; it changes nothing: its window is folded away.
        tally.late += 1
        return True
    except RepeatedError:
        tally.repeated += 1
        return False
    if found:
        _report(Subject(person_no, record.home_no), found, effects)
    return True


def _look_at_flags(state: HomeState, record: JudgedUplink, effects: list[Effect]) -> None:
    """What the flags of an uplink's first item say of its device."""
    items: Sequence[JudgedReading | JudgedEvent] = record.readings or record.events
    if not items:
        return
    flags = items[0].flags
    habits = state.habits.get(record.device_no)
    kinds = {event.kind for event in record.events} if record.events else _NONE
    if habits is None:
        if not flags & (_RETAINED | _CORRECTED_CLOCK) and _LOW_BATTERY not in kinds:
            return
        habits = state.habits[record.device_no] = FirmwareHabits()
    sample = Sample(record.received_at, 0.0, record.device_no, record.epoch, record.seq, items[0].item)
    subject = Subject(items[0].person_no, record.home_no)
    level = habits.see_uplink(retained=bool(flags & _RETAINED), received_at=record.received_at)
    if level is not None:
        habits.retained = report_firmware(
            state, record, FirmwareFault.RETAINED, habits.retained, sample, level, effects
        )
    level = habits.see_clock(is_ahead=bool(flags & _CORRECTED_CLOCK), received_at=record.received_at)
    if level is not None:
        ahead = sample._replace(value=float(record.sent_at - record.received_at))
        reason = EndReason.RECOVERED if level == ENDED else None
        habits.clock = _report_device(state, subject, CLOCK, habits.clock, ahead, reason, effects)
    said = habits.see_battery(
        is_low=_LOW_BATTERY in kinds, is_charging=_CHARGING in kinds, received_at=record.received_at
    )
    if said is not None:
        reason = said if isinstance(said, EndReason) else None
        habits.battery = _report_device(state, subject, LOW_BATTERY, habits.battery, sample, reason, effects)


def _report_device(
    state: HomeState,
    subject: Subject,
    rule: Rule,
    episode: int,
    sample: Sample,
    reason: EndReason | None,
    effects: list[Effect],
) -> int:
    """Adds a finding about whoever has a device, that it begins or why it ended; gives the open episode's number."""
    episodes = state.subject(subject.person_no).episodes
    if reason is None:
        episode = episodes[rule.name] = episodes.get(rule.name, 0) + 1
    mark = Mark(1 if reason is None else ENDED, sample, sample, reason)
    effects.append(finding_from(rule, subject, episode, mark))
    return episode if reason is None else 0


def _walk(state: HomeState, record: JudgedUplink, reading: JudgedReading, effects: list[Effect]) -> None:
    habits = state.habits.get(record.device_no) or state.habits.setdefault(record.device_no, FirmwareHabits())
    moved, level = habits.see_steps(reading[4], reading[3])
    if level is not None:
        sample = Sample(reading[4], reading[3], record.device_no, record.epoch, record.seq, reading[0])
        habits.total = report_firmware(state, record, FirmwareFault.STEP_TOTAL, habits.total, sample, level, effects)
    person = state.subject(reading.person_no)
    steps = reading.value if moved else 0
    found = person.walk(record.device_no, reading.observed_at, steps, record.received_at)
    _report(Subject(reading.person_no, record.home_no), found, effects)


def report_firmware(
    state: HomeState,
    record: JudgedUplink,
    fault: FirmwareFault,
    episode: int,
    sample: Sample,
    level: int,
    effects: list[Effect],
) -> int:
    """Adds a finding about the home (no person did it); gives the number of the open episode."""
    episodes = state.subject(0).episodes
    if level != ENDED:
        episode = episodes[FIRMWARE.name] = episodes.get(FIRMWARE.name, 0) + 1
    mark = Mark(level, sample, sample, None if level != ENDED else EndReason.RECOVERED)
    subject = Subject(0, record.home_no)
    finding = finding_from(FIRMWARE, subject, episode, mark, message=message_of(fault, level))
    if fault is FirmwareFault.STEP_TOTAL:  # queries that add steps up look for this
        finding = replace(finding, evidence=(replace(finding.evidence[0], what=STEPS.code, value=sample.value),))
    effects.append(finding)
    return 0 if level == ENDED else episode


def _report(subject: Subject, found: Reports, effects: list[Effect]) -> None:
    for rule, reports in found:
        effects.extend(finding_of(rule, subject, one) for one in reports)


def _caller(event: JudgedEvent, record: JudgedUplink) -> Subject:
    """Whose emergency it is. Where it is nobody's here, it is the home's, and is not dropped."""
    return Subject(0 if event.flags & _NOT_OF_HERE else event.person_no, record.home_no)


def _sample_of(event: JudgedEvent, record: JudgedUplink) -> Sample:
    return Sample(event.observed_at, 0.0, record.device_no, record.epoch, record.seq, event.item)


def _suspect_fall(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    subject, sample = _caller(event, record), _sample_of(event, record)
    call, is_new = state.subject(subject.person_no).call(FALL, sample, SAME_FALL_MS, extends=False)
    if is_new:
        # Nobody can answer a question that was not asked yet: a clock that lags looks like a delay.
        due_at = max(event.observed_at, record.received_at) + ANSWER_WITHIN_MS
        effects.append(
            FallCheck(
                subject=subject, episode=call.episode, sample=sample, due_at=due_at, received_at=record.received_at
            )
        )


def _call_for_help(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    subject, sample = _caller(event, record), _sample_of(event, record)
    call, is_news = state.subject(subject.person_no).call(SOS, sample, SAME_CALL_MS, extends=True)
    if not is_news:
        return
    said, words = said_of_press(call.events), press_message(call.events)
    finding = finding_from(SOS, subject, call.episode, Mark(1, sample, sample), said=said, message=words)
    effects.append(replace(finding, retrospective=is_looked_back_on(event.observed_at, record.received_at)))
    due_at = event.observed_at + SAME_CALL_MS
    effects.append(SosCall(subject=subject, episode=call.episode, sample=sample, due_at=due_at, said=said))


_EVENT_HANDLERS: Final[Mapping[int, Callable[[HomeState, JudgedUplink, JudgedEvent, list[Effect]], None]]] = (
    MappingProxyType(
        {
            EVENT_TYPE_BY_KIND[EventKind.FALL_SUSPECTED].number: _suspect_fall,
            EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number: _call_for_help,
        }
    )
)
