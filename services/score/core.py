"""The scoring step: home state and record in, findings and calls out. Pure, no wall clock."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

from schemas.alerts import EndReason, Variant
from schemas.events import EVENT_TYPE_BY_KIND, EventKind, names_symptom
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import STEPS
from services.score.asks import asks_of
from services.score.days import STEPS_A_UNIT
from services.score.device_words import hear_result, report_device
from services.score.emergencies import call_for_help, sample_of, suspect_fall
from services.score.episodes import Behind, finding_of
from services.score.firmware_faults import FirmwareHabits
from services.score.followups import Effect, LookBack, QuarterLook, Tally
from services.score.guard import hear_whose, hold_back
from services.score.home_state import HomeState
from services.score.person import LateError, PersonState, RepeatedError, Reports
from services.score.questions import Question, answers_to
from services.score.rule import ENDED, MINUTE_MS, Mark, Subject, finding_from
from services.score.rules.clock import CLOCK
from services.score.rules.firmware import FIRMWARE, FirmwareFault, message_of
from services.score.rules.low_battery import LOW_BATTERY
from services.score.sample import SHOWS_WORN, SYMPTOM, WHOLE_VALUES, Sample

_NOT_SCORED: Final = int(NOT_SCORED)
_MOVING: Final = int(Flag.MOVING)
_POOR: Final = int(Flag.POOR_QUALITY)
_RETAINED: Final = int(Flag.RETAINED)
_CORRECTED_CLOCK: Final = int(Flag.CORRECTED_CLOCK)
_OF_THE_DEVICE: Final = _RETAINED | _CORRECTED_CLOCK
_STEPS: Final = STEPS.number
_LOW_BATTERY: Final = EVENT_TYPE_BY_KIND[EventKind.LOW_BATTERY].number
CHARGING: Final = EVENT_TYPE_BY_KIND[EventKind.CHARGING].number
_CHECK_IN: Final = EVENT_TYPE_BY_KIND[EventKind.CHECK_IN_ANSWERED].number
_NONE: Final[frozenset[int]] = frozenset()
SOONEST_MS: Final = 15 * MINUTE_MS
"""What comes in order, and of which nothing is said, is followed by nothing that time alone brings sooner."""
WEARING: Final = {
    EVENT_TYPE_BY_KIND[EventKind.WORN].number: True,
    EVENT_TYPE_BY_KIND[EventKind.NOT_WORN].number: False,
    EVENT_TYPE_BY_KIND[EventKind.CHARGING].number: False,
}
"""What events say of whether their device is worn."""
_HAVE_DAYS: Final = frozenset(STEPS_A_UNIT)


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
    look_at_circumstances(state, record, effects)
    record, doubted = hold_back(state, record)
    effects += doubted
    judge(state, record, tally, effects)
    for event in record.events:
        handle = _EVENT_HANDLERS.get(event.kind)
        if handle is not None:
            handle(state, record, event, effects)
    effects += asks_of(record, state.subject)
    has_turned = _look_around(state, effects)
    if effects or record.events or has_turned:
        # An episode may have begun, which pauses when nothing comes.
        state.look_ahead()
    elif state.due_at > record[8] + SOONEST_MS:
        # One may go on after a pause, or a reading may wait for a second, without a word.
        state.due_at = record[8] + SOONEST_MS
    return effects


def _pass_over(state: HomeState, reading: JudgedReading) -> None:
    """A reading that no rule sees: a poor one says why somebody was not watched."""
    if reading.flags & _POOR and reading.person_no:
        state.subject(reading.person_no).coverage.see_poor(
            reading.vital, reading.observed_at, reading.flags, state.newest
        )


def judge(state: HomeState, record: JudgedUplink, tally: Tally, effects: list[Effect]) -> None:
    """Adds what follows from the readings of ``record``, and from symptoms; changes ``state``.

    ``look_at_circumstances`` of it comes first.
    """
    read, subjects, shared = state.rules.read, state.subjects, WHOLE_VALUES.get
    # Unpacked at once: a field by its name costs more, and this loop sees every reading.
    _, _, home_no, _, _, seq, _, _, received_at, readings, _, _, device_type = record
    device_no, epoch = state.seen.source(record[0], record[4])
    for reading in readings:
        item, person_no, vital, value, at, flags = reading
        if flags & _NOT_SCORED:
            _pass_over(state, reading)
            continue
        person = subjects.get(person_no) or state.subject(person_no)
        if vital in read:
            kept = shared(value, value)
            sample = _SAMPLE((at, kept, device_no, epoch, seq, item, vital, flags, received_at, device_type))
            if not _score(state, person, home_no, sample, tally, effects):
                continue
        # Only days count it, so nothing else sees that it is said again.
        elif vital in _HAVE_DAYS and not person.recent.measured.is_news(device_no, vital, epoch, seq, at, received_at):
            tally.repeated += 1
            continue
        if (
            vital in _HAVE_DAYS
            and (not flags & _MOVING or vital == _STEPS)
            and person.recent.add(vital, value, at, received_at)
        ):
            state.due_at = min(state.due_at, person.recent.due_at)
    for event in record.events:
        if event.kind == _CHECK_IN:
            _hear_answer(state, record, event, effects)


def pass_time(state: HomeState, home_no: int, now: int) -> list[Effect]:
    """What follows from the log's having come to ``now``, without a record of this home."""
    effects: list[Effect] = [one for person in state.subjects.values() for one in person.lapses(home_no, now)]
    for person_no, found in state.pass_time(now):
        _report(state, Subject(person_no, home_no), found, now, effects)
    _look_around(state, effects)
    return effects


def _look_around(state: HomeState, effects: list[Effect]) -> bool:
    """Adds what NEWS2 was at quarter hours, of people of whom something was measured or time has passed.

    Gives whether something has changed behind one of them: then anything may be due.
    """
    has_turned = False
    for person_no, person in state.subjects.items():
        if person.has_turned:
            has_turned, person.has_turned = True, False
        quarters = person.quarters
        if quarters is not None and quarters.seen:
            effects += [QuarterLook(person_no, look) for look in quarters.seen]
            quarters.seen.clear()
    return has_turned


def look_at_circumstances(state: HomeState, record: JudgedUplink, effects: list[Effect]) -> None:
    """Before values: a reading that says "walking", or "worn", counts for its neighbours in this uplink.

    Adds what follows for readings that were judged before; changes ``state``.
    """
    for event in record.events:
        worn = WEARING.get(event.kind)
        if worn is not None and event.person_no and not event.flags & _NOT_SCORED:
            person, seen = state.subject(event.person_no), (record.device_no, event.observed_at, record.received_at)
            if worn:
                found = person.show_worn(*seen, is_said=True)
            else:
                found = person.take_off(*seen, is_charging=event.kind == CHARGING)
            _report(state, Subject(event.person_no, record.home_no), found, record.received_at, effects)
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
            _report(state, Subject(person_no, record.home_no), found, record.received_at, effects)


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
    state: HomeState, person: PersonState, home_no: int, sample: Sample, tally: Tally, effects: list[Effect]
) -> bool:
    """Whether it counts: not what was measured and sent before, under another number."""
    vital = sample[6]
    if vital not in person.rules.readers:
        effects.extend(person.ask(sample, home_no))
        return True
    try:
        found = person.take(sample)
    except LateError:
        # Counted; it changes no rule.
        person.coverage.add_late(sample, person.window, state.newest)
        tally.late += 1
        return True
    except RepeatedError:
        tally.repeated += 1
        return False
    if found:
        _report(state, Subject(person.person_no, home_no), found, sample[8], effects)
        if any(one == (sample[0], sample[0]) for _, reports in found for one in reports):
            tally.late += 1
            person.coverage.add_late(sample, person.window, state.newest)
    if sample[0] >= person.asks_from[vital]:
        effects.extend(person.ask(sample, home_no))
    return True


def _look_at_flags(state: HomeState, record: JudgedUplink, effects: list[Effect]) -> None:
    """What the flags of an uplink's first item say of its device; one that is retained is no news of the home."""
    items: Sequence[JudgedReading | JudgedEvent] = record.readings or record.events
    flags = items[0].flags if items else 0
    if not flags & _RETAINED:
        state.hear(record[8], record[0], items[0].person_no if items else 0)
    if not items:
        return
    habits = state.habits.get(record[0])
    # Nearly every uplink: nothing is wrong with its device, and nothing was.
    if not flags & _OF_THE_DEVICE and not record.events and (habits is None or habits.is_well):
        return
    kinds = {event.kind for event in record.events} if record.events else _NONE
    if habits is None:
        if not flags & _OF_THE_DEVICE and _LOW_BATTERY not in kinds:
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
        habits.clock, habits.clock_of, finding = report_device(
            state, subject, CLOCK, (habits.clock, habits.clock_of), ahead, reason
        )
        effects.append(finding)
    said = habits.see_battery(
        is_low=_LOW_BATTERY in kinds, is_charging=CHARGING in kinds, received_at=record.received_at
    )
    if said is not None:
        reason = said if isinstance(said, EndReason) else None
        habits.battery, habits.battery_of, finding = report_device(
            state, subject, LOW_BATTERY, (habits.battery, habits.battery_of), sample, reason
        )
        effects.append(finding)


def _walk(state: HomeState, record: JudgedUplink, reading: JudgedReading, effects: list[Effect]) -> None:
    habits = state.habits.get(record.device_no) or state.habits.setdefault(record.device_no, FirmwareHabits())
    moved, level = habits.see_steps(reading[4], reading[3])
    if level is not None:
        sample = Sample(reading[4], reading[3], record.device_no, record.epoch, record.seq, reading[0])
        habits.total = report_firmware(state, record, FirmwareFault.STEP_TOTAL, habits.total, sample, level, effects)
    person = state.subjects.get(reading[1]) or state.subject(reading[1])
    found = person.walk(record[0], reading[4], reading[3] if moved else 0, record[8])
    if found:
        _report(state, Subject(reading.person_no, record.home_no), found, record.received_at, effects)


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


def _report(state: HomeState, subject: Subject, found: Reports, received_at: int, effects: list[Effect]) -> None:
    for rule, reports in found:
        for one in reports:
            if not isinstance(one, Behind):
                effects.append(finding_of(rule, subject, one))
            elif rule.variant is Variant.LIVE and subject.person_no:
                first_at, last_at = one
                worn_since = state.subject(subject.person_no).window.worn_since()
                effects.append(
                    LookBack(
                        subject=subject, rule=rule.name, first_at=first_at, last_at=last_at, received_at=received_at,
                        worn_since=worn_since,
                    )
                )  # fmt: skip


def _hear_answer(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    """An answer to a check-in: a symptom is a sample that rules read; an answer that names none says nothing here."""
    if not event.person_no or event.flags & (_NOT_SCORED | _RETAINED):
        return
    hear_whose(state, event)
    if not names_symptom(event.details):
        return
    sample = sample_of(event, record)._replace(
        value=1.0, vital=SYMPTOM, flags=event.flags, received_at=record.received_at, device_type=record.device_type
    )
    # Older than every rule looks back, or said before under another number: it changes nothing.
    with suppress(LateError, RepeatedError):
        found = state.subject(event.person_no).take(sample)
        _report(state, Subject(event.person_no, record.home_no), found, record.received_at, effects)


def _hear_result(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    effects += hear_result(state, record, event)


_EVENT_HANDLERS: Final[Mapping[int, Callable[[HomeState, JudgedUplink, JudgedEvent, list[Effect]], None]]] = (
    MappingProxyType(
        {
            EVENT_TYPE_BY_KIND[EventKind.FALL_SUSPECTED].number: suspect_fall,
            EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number: call_for_help,
            EVENT_TYPE_BY_KIND[EventKind.COMMAND_RESULT].number: _hear_result,
        }
    )
)
