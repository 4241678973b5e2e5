"""The scoring step: home state and record in, findings and calls out. Pure, no wall clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from schemas.alerts import EndReason, Finding
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import STEPS, VITAL_BY_CODE
from services.score.firmware_faults import FirmwareHabits
from services.score.rule import ENDED, Mark, Rule, Sample, Subject, finding_from
from services.score.rules import RULES
from services.score.rules.fall import ANSWER_WITHIN_MS, FALL, SAME_FALL_MS
from services.score.rules.firmware import FIRMWARE, FirmwareFault, message_of
from services.score.rules.sos import SAME_CALL_MS, SOS
from services.score.scored_uplinks import SeenMarks
from services.score.track import LateError, Report, Track

_RULE_BY_VITAL: Final[Mapping[int, Rule]] = MappingProxyType(
    {VITAL_BY_CODE[rule.what].number: rule for rule in RULES if rule.fold is not None}
)
_NOT_SCORED: Final = int(NOT_SCORED)
_MOVING: Final = int(Flag.MOVING)
_WRONG_TIME_OR_HOME: Final = int(Flag.JUMPED | Flag.OTHER_HOME | Flag.BEFORE_REBINDING)
_NOT_OF_HERE: Final = int(Flag.OTHER_HOME | Flag.BEFORE_REBINDING)
_RETAINED: Final = int(Flag.RETAINED)
_STEPS: Final = STEPS.number
_CALLS_KEPT: Final = 8


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
    """A press of the SOS button: the call of ``episode`` goes on until ``due_at`` at least."""

    subject: Subject
    episode: int
    sample: Sample
    due_at: int


Effect = Finding | FallCheck | SosCall


@dataclass(slots=True)
class Tally:
    """What was passed over, for the metrics."""

    duplicates: int = 0
    late: int = 0


@dataclass(slots=True)
class Call:
    """A fall or an SOS call as remembered, so that a further event joins it. Times in ms."""

    episode: int
    first_at: int
    last_at: int


@dataclass(slots=True)
class SubjectState:
    """What is known of one person, or (person 0) of the home. ``episodes``: the last number of a rule without track."""

    tracks: dict[int, Track] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    episodes: dict[str, int] = field(default_factory=dict)

    def track(self, vital: int) -> Track:
        """The track of a vital's rule, begun where there is none yet."""
        rule = _RULE_BY_VITAL[vital]
        track = self.tracks[vital] = Track(rule, episodes=self.episodes.pop(rule.name, 0))
        return track

    def call(self, rule: Rule, at: int, within_ms: int, *, extends: bool) -> tuple[Call, bool]:
        """The call of an event at ``at``, and whether it is new; ``extends``: it goes on longer."""
        calls = self.calls.setdefault(rule.name, [])
        for call in reversed(calls):
            if call.first_at - within_ms <= at <= call.last_at + within_ms:
                if extends:
                    call.first_at, call.last_at = min(at, call.first_at), max(at, call.last_at)
                return call, False
        episode = self.episodes[rule.name] = self.episodes.get(rule.name, 0) + 1
        calls.append(Call(episode, at, at))
        del calls[:-_CALLS_KEPT]
        return calls[-1], True

    def raise_numbers(self, numbers: Mapping[str, int]) -> None:
        """No episode of a rule gets a number again that was given out, whatever this state knows of it."""
        tracks = {_RULE_BY_VITAL[vital].name: track for vital, track in self.tracks.items()}
        for name, number in numbers.items():
            if name in tracks:
                tracks[name].episodes = max(tracks[name].episodes, number)
            else:
                self.episodes[name] = max(self.episodes.get(name, 0), number)

    def to_plain(self) -> dict[str, Any]:
        """As plain values; names, not numbers, so that a reader finds their way."""
        return {
            # In the order of the rules, as from_plain reads them: not in that in which they began.
            "tracks": {
                rule.name: self.tracks[vital].to_plain()
                for vital, rule in _RULE_BY_VITAL.items()
                if vital in self.tracks
            },
            "calls": {
                name: [[call.episode, call.first_at, call.last_at] for call in calls]
                for name, calls in self.calls.items()
            },
            "episodes": dict(self.episodes),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "SubjectState":
        """The state that ``to_plain`` wrote."""
        return cls(
            tracks={
                vital: Track.from_plain(rule, plain["tracks"][rule.name])
                for vital, rule in _RULE_BY_VITAL.items()
                if rule.name in plain["tracks"]
            },
            calls={name: [Call(*call) for call in calls] for name, calls in plain["calls"].items()},
            episodes=dict(plain["episodes"]),
        )


@dataclass(slots=True)
class HomeState:
    """Everything that score knows of one home."""

    seen: SeenMarks = field(default_factory=SeenMarks)
    subjects: dict[int, SubjectState] = field(default_factory=dict)
    habits: dict[int, FirmwareHabits] = field(default_factory=dict)

    def subject(self, person_no: int) -> SubjectState:
        """The state of a person, begun where there is none yet."""
        found = self.subjects.get(person_no)
        if found is None:
            found = self.subjects[person_no] = SubjectState()
        return found

    def to_plain(self) -> dict[str, Any]:
        """The same for the same story of the home, whenever and however often it is asked for."""
        return {
            "seen": self.seen.to_plain(),
            "subjects": {str(person_no): state.to_plain() for person_no, state in self.subjects.items()},
            "habits": {str(device_no): list(astuple(one)) for device_no, one in self.habits.items()},
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "HomeState":
        """The state that ``to_plain`` wrote."""
        return cls(
            seen=SeenMarks.from_plain(plain["seen"]),
            subjects={int(person): SubjectState.from_plain(state) for person, state in plain["subjects"].items()},
            habits={int(device_no): FirmwareHabits(*one) for device_no, one in plain.get("habits", {}).items()},
        )


def seeded(episodes: Mapping[int, Mapping[str, int]]) -> HomeState:
    """A state that knows nothing but the highest episode number per person and rule."""
    state = HomeState()
    for person_no, numbers in episodes.items():
        state.subject(person_no).episodes.update(numbers)
    return state


def step(state: HomeState, record: JudgedUplink, tally: Tally) -> list[Effect]:
    """What follows from ``record``; changes ``state``. The same record again changes nothing and gives nothing."""
    if not record.device_no:
        return []
    if not state.seen.add(record.device_no, record.epoch, record.seq):
        tally.duplicates += 1
        return []
    effects: list[Effect] = []
    _look_at_flag(state, record, effects)
    # Movement before values: a reading that says "walking" counts for its neighbours in this
    # uplink. Fields by number, not by name, which costs more: this loop sees every reading.
    moved = None
    for reading in record.readings:
        if (
            (reading[5] & _MOVING or reading[2] == _STEPS)
            and not reading[5] & _WRONG_TIME_OR_HOME
            and (_walks(state, record, reading, effects) if reading[2] == _STEPS else True)
            # Four readings of one moment are one movement.
            and moved != (reading[1], reading[4])
        ):
            moved = (reading[1], reading[4])
            _move(state, record, reading, effects)
    for reading in record.readings:
        if reading[2] in _RULE_BY_VITAL and not reading[5] & _NOT_SCORED:
            _score(state, record, reading, tally, effects)
    for event in record.events:
        handle = _EVENT_HANDLERS.get(event.kind)
        if handle is not None:
            handle(state, record, event, effects)
    return effects


def _score(state: HomeState, record: JudgedUplink, reading: JudgedReading, tally: Tally, effects: list[Effect]) -> None:
    item, person_no, vital, value, at, _ = reading
    # A late reading is counted and changes nothing: its window is folded away.
    subject = state.subject(person_no)
    track = subject.tracks.get(vital) or subject.track(vital)
    try:
        reports = track.take(Sample(at, value, record.device_no, record.epoch, record.seq, item))
    except LateError:
        tally.late += 1
        return
    if reports:
        _report(_RULE_BY_VITAL[vital], Subject(person_no, record.home_no), reports, effects)


def _move(state: HomeState, record: JudgedUplink, reading: JudgedReading, effects: list[Effect]) -> None:
    subject = state.subject(reading.person_no)
    for vital, rule in _GATED_RULES:
        track = subject.tracks.get(vital) or subject.track(vital)
        reports = track.move(reading.observed_at)
        if reports:
            _report(rule, Subject(reading.person_no, record.home_no), reports, effects)


def _look_at_flag(state: HomeState, record: JudgedUplink, effects: list[Effect]) -> None:
    items: Sequence[JudgedReading | JudgedEvent] = record.readings or record.events
    retained = bool(items and items[0].flags & _RETAINED)
    habits = state.habits.get(record.device_no)
    if retained and habits is None:
        habits = state.habits[record.device_no] = FirmwareHabits()
    if items and habits is not None:
        level = habits.see_uplink(retained=retained, received_at=record.received_at)
        if level is not None:
            sample = Sample(record.received_at, 0.0, record.device_no, record.epoch, record.seq, items[0].item)
            habits.retained = report_firmware(
                state, record, FirmwareFault.RETAINED, habits.retained, sample, level, effects
            )


def _walks(state: HomeState, record: JudgedUplink, reading: JudgedReading, effects: list[Effect]) -> bool:
    """Whether a step reading shows movement."""
    habits = state.habits.get(record.device_no) or state.habits.setdefault(record.device_no, FirmwareHabits())
    moved, level = habits.see_steps(reading[4], reading[3])
    if level is not None:
        sample = Sample(reading[4], reading[3], record.device_no, record.epoch, record.seq, reading[0])
        habits.total = report_firmware(state, record, FirmwareFault.STEP_TOTAL, habits.total, sample, level, effects)
    return moved or bool(reading[5] & _MOVING)


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


def _report(rule: Rule, subject: Subject, reports: Sequence[Report], effects: list[Effect]) -> None:
    effects.extend(finding_from(rule, subject, report.episode, report.mark) for report in reports)


def _caller(event: JudgedEvent, record: JudgedUplink) -> Subject:
    """Whose emergency it is. Where it is nobody's here, it is the home's, and is not dropped."""
    return Subject(0 if event.flags & _NOT_OF_HERE else event.person_no, record.home_no)


def _sample_of(event: JudgedEvent, record: JudgedUplink) -> Sample:
    return Sample(event.observed_at, 0.0, record.device_no, record.epoch, record.seq, event.item)


def _suspect_fall(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    subject = _caller(event, record)
    call, is_new = state.subject(subject.person_no).call(FALL, event.observed_at, SAME_FALL_MS, extends=False)
    if is_new:
        effects.append(
            FallCheck(
                subject=subject,
                episode=call.episode,
                sample=_sample_of(event, record),
                due_at=event.observed_at + ANSWER_WITHIN_MS,
                received_at=record.received_at,
            )
        )


def _call_for_help(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    subject = _caller(event, record)
    call, is_new = state.subject(subject.person_no).call(SOS, event.observed_at, SAME_CALL_MS, extends=True)
    sample = _sample_of(event, record)
    if is_new:
        effects.append(finding_from(SOS, subject, call.episode, Mark(1, sample, sample)))
    effects.append(
        SosCall(subject=subject, episode=call.episode, sample=sample, due_at=event.observed_at + SAME_CALL_MS)
    )


_GATED_RULES: Final = tuple((vital, rule) for vital, rule in _RULE_BY_VITAL.items() if rule.fold and rule.fold.rest_ms)
_EVENT_HANDLERS: Final[Mapping[int, Callable[[HomeState, JudgedUplink, JudgedEvent, list[Effect]], None]]] = (
    MappingProxyType(
        {
            EVENT_TYPE_BY_KIND[EventKind.FALL_SUSPECTED].number: _suspect_fall,
            EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number: _call_for_help,
        }
    )
)
