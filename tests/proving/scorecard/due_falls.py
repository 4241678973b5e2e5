"""What the falls of a home come to, without a database: the signs that score's query looks for, from the log."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from schemas.alerts import Finding
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedUplink
from schemas.vitals import STEPS
from services.score.age import is_looked_back_on
from services.score.falls import Fall, course_of
from services.score.followups import FallCheck
from services.score.rules.fall import (
    ANSWER_WITHIN_MS,
    CLOCK_LAG_MS,
    FORGOTTEN_AFTER_MS,
    HELP_AFTER_NEAR_MS,
    NEAR_FALL,
    RECOVERY_STEPS,
)

_ANSWERS: Final = {EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.FALL_ANSWERED, EventKind.CHECK_IN_ANSWERED)}
_LYING, _UPRIGHT, _NOT_SCORED = int(Flag.LYING), int(Flag.UPRIGHT), int(NOT_SCORED)
_POSTURE: Final = _LYING | _UPRIGHT


@dataclass(slots=True, kw_only=True)
class _Signs:
    """What was heard since a fall: answers with when they were, how, and whether in time; postures; steps."""

    fall: Fall
    answers: list[tuple[int, str, bool]] = field(default_factory=list)
    lay: list[int] = field(default_factory=list)
    stood: list[int] = field(default_factory=list)
    steps: list[tuple[int, float]] = field(default_factory=list)

    def hear(self, record: JudgedUplink, heard_from: int) -> None:
        """Takes what ``record`` says of whose fall it is; ``heard_from``: when the fall was heard of."""
        at, person_no, due_at = self.fall.sample.at, self.fall.subject.person_no, self.fall.due_at
        is_same = record.device_no == self.fall.sample.device_no
        since = at if is_same else min(heard_from, at + CLOCK_LAG_MS)
        for _, whose, vital, value, observed_at, flags in record.readings:
            if whose != person_no or flags & _NOT_SCORED or observed_at <= since:
                continue
            if flags & _POSTURE:
                (self.lay if flags & _LYING else self.stood).append(observed_at)
            if vital == STEPS.number and value > 0:
                self.steps.append((observed_at, value))
        for event in record.events:
            if event.kind in _ANSWERS and event.person_no in {0, person_no} and event.observed_at >= min(at, since):
                in_time = event.observed_at - at <= ANSWER_WITHIN_MS or record.received_at <= due_at
                is_ours = in_time if is_same else event.observed_at <= due_at
                self.answers.append((event.observed_at, str(event.details.get("answer")), is_ours))

    def known(self) -> Fall:
        """The fall with the signs that there are by now."""
        until = self.fall.due_at if (self.fall.level or 0) <= NEAR_FALL else 1 << 62
        ok = [at for at, said, _ in self.answers if said == "ok"]
        helped = max((at for at, said, _ in self.answers if said == "help"), default=None)
        lay_at = max((at for at in self.lay if at <= until), default=-1)
        stood_at = max((at for at in self.stood if at <= until), default=-1)
        walked = [(at, steps) for at, steps in self.steps if lay_at < at <= until]
        is_up = sum(steps for _, steps in walked) >= RECOVERY_STEPS and stood_at > lay_at
        up_at = max(at for at, _ in walked) if is_up else None
        ok_at = max(ok, default=-1)
        return replace(
            self.fall,
            ok_at=min((at for at, said, in_time in self.answers if said == "ok" and in_time), default=None),
            help_at=helped,
            up_at=up_at,
            recovered_at=ok_at if ok_at > (helped or -1) else up_at,
        )


class DueFalls:
    """The falls of a home that are not over."""

    def __init__(self) -> None:
        self._open: list[tuple[_Signs, int]] = []

    def begin(self, check: FallCheck) -> None:
        """A suspected fall."""
        fall = Fall(
            subject=check.subject,
            episode=check.episode,
            sample=check.sample,
            due_at=check.due_at,
            retrospective=is_looked_back_on(check.sample.at, check.received_at),
        )
        self._open.append((_Signs(fall=fall), check.received_at))

    def hear(self, record: JudgedUplink) -> None:
        """What may be a sign."""
        for signs, heard_from in self._open:
            signs.hear(record, heard_from)

    def follow(self, now: int) -> Iterator[Finding]:
        """What there is to say by ``now``."""
        still: list[tuple[_Signs, int]] = []
        for signs, heard_from in self._open:
            fall, is_over = signs.known(), False
            # One course may make the next one due at once.
            while not is_over and _has_news(fall, now):
                course = course_of(fall, now)
                yield from course.findings
                is_over = course.ended_at is not None
                signs.fall = replace(fall, level=course.level, said=course.said, lying_at=course.lying_at)
                fall = signs.known()
            if not is_over:
                still.append((signs, heard_from))
        self._open = still


def _has_news(fall: Fall, now: int) -> bool:
    """As the query ``claim_falls`` decides it."""
    if fall.level is None:
        return fall.due_at <= now or any(one is not None for one in (fall.help_at, fall.ok_at, fall.up_at))
    if fall.level == NEAR_FALL:
        is_none = fall.ok_at is None and fall.up_at is None
        return fall.help_at is not None or fall.due_at + HELP_AFTER_NEAR_MS <= now or (fall.due_at <= now and is_none)
    is_due = fall.lying_at is not None and fall.lying_at <= now
    return fall.recovered_at is not None or is_due or fall.due_at + FORGOTTEN_AFTER_MS <= now
