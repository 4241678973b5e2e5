"""What events of an emergency lead to: a suspected fall, a press of the SOS button. Pure."""

from dataclasses import replace
from typing import Final

from schemas.reasons import Flag
from schemas.records import JudgedEvent, JudgedUplink
from services.score.age import is_looked_back_on
from services.score.followups import Effect, FallCheck, SosCall
from services.score.home_state import HomeState
from services.score.rule import Mark, Subject, finding_from
from services.score.rules.fall import ANSWER_WITHIN_MS, FALL, SAME_FALL_MS
from services.score.rules.sos import SAME_CALL_MS, SOS, press_message, said_of_press
from services.score.sample import Sample

_NOT_OF_HERE: Final = int(Flag.OTHER_HOME | Flag.BEFORE_REBINDING)


def _caller(event: JudgedEvent, record: JudgedUplink) -> Subject:
    """Whose emergency it is. Where it is nobody's here, it is the home's, and is not dropped."""
    return Subject(0 if event.flags & _NOT_OF_HERE else event.person_no, record.home_no)


def sample_of(event: JudgedEvent, record: JudgedUplink) -> Sample:
    """An event as a sample without a value."""
    return Sample(event.observed_at, 0.0, record.device_no, record.epoch, record.seq, event.item)


def suspect_fall(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    """A fall may have happened; it is one with another of the same minutes."""
    subject, sample = _caller(event, record), sample_of(event, record)
    call, is_new = state.subject(subject.person_no).call(FALL, sample, SAME_FALL_MS, extends=False)
    if is_new:
        # Nobody can answer a question that was not asked yet: a clock that lags looks like a delay.
        due_at = max(event.observed_at, record.received_at) + ANSWER_WITHIN_MS
        effects.append(
            FallCheck(
                subject=subject, episode=call.episode, sample=sample, due_at=due_at, received_at=record.received_at
            )
        )


def call_for_help(state: HomeState, record: JudgedUplink, event: JudgedEvent, effects: list[Effect]) -> None:
    """Somebody has pressed the SOS button: each press is news."""
    subject, sample = _caller(event, record), sample_of(event, record)
    call, is_news = state.subject(subject.person_no).call(SOS, sample, SAME_CALL_MS, extends=True)
    if not is_news:
        return
    said, words = said_of_press(call.events), press_message(call.events)
    finding = finding_from(SOS, subject, call.episode, Mark(1, sample, sample), said=said, message=words)
    effects.append(replace(finding, retrospective=is_looked_back_on(event.observed_at, record.received_at)))
    due_at = event.observed_at + SAME_CALL_MS
    effects.append(
        SosCall(
            subject=subject,
            episode=call.episode,
            sample=sample,
            due_at=due_at,
            said=said,
            received_at=record.received_at,
        )
    )
