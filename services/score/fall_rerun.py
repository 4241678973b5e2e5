"""What is known of a suspected fall by a beginning of its home's log: the signs that ``claim_falls`` asks for. Pure."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import STEPS
from services.score.age import is_looked_back_on
from services.score.falls import Fall
from services.score.followups import FallCheck
from services.score.rules.fall import ANSWER_WITHIN_MS, CLOCK_LAG_MS, RECOVERY_STEPS

_ANSWERS: Final = {EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.FALL_ANSWERED, EventKind.CHECK_IN_ANSWERED)}
_NOT_SCORED, _RETAINED = int(NOT_SCORED), int(Flag.RETAINED)
_LYING, _UPRIGHT = int(Flag.LYING), int(Flag.UPRIGHT)
_STEPS: Final = STEPS.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What may say something of a fall: ``records`` of its home as stored, ``people`` who live there.

    ``totals``: devices whose steps are a running total, and say nothing.
    """

    records: Sequence[JudgedUplink]
    people: Collection[int]
    totals: Collection[int] = ()


def known_of(
    check: FallCheck, around: Around, known_by: int, *, level: int | None, said: int, lying_at: int | None
) -> Fall:
    """The fall as its row stood at ``level``, with the signs received by ``known_by``, in ms."""
    records = [one for one in around.records if one.received_at <= known_by]
    answers = list(_answers(check, records, around.people))
    ok = [event.observed_at for event, _ in answers if event.details.get("answer") == "ok"]
    in_time = [event.observed_at for event, soon in answers if soon and event.details.get("answer") == "ok"]
    asked = [event.observed_at for event, _ in answers if event.details.get("answer") == "help"]
    ok_at, help_at, up_at = (
        max(ok, default=None),
        max(asked, default=None),
        _up_at(check, records, level, around.totals),
    )
    recovered_at = ok_at if ok_at is not None and (help_at is None or ok_at > help_at) else up_at
    return Fall(
        subject=check.subject, episode=check.episode, sample=check.sample, due_at=check.due_at,
        retrospective=is_looked_back_on(check.sample.at, check.received_at),
        level=level, said=said, lying_at=lying_at,
        ok_at=min(in_time, default=None), help_at=help_at, up_at=up_at, recovered_at=recovered_at,
    )  # fmt: skip


def _answers(
    check: FallCheck, records: Iterable[JudgedUplink], people: Collection[int]
) -> Iterator[tuple[JudgedEvent, bool]]:
    """Each answer that counts, and whether it was given within the minute."""
    person_no, fell_at = check.subject.person_no, check.sample.at
    whose = {0, *(people if not person_no else [person_no])}
    for record in records:
        own = record.device_no == check.sample.device_no
        since = fell_at if own else min(fell_at, check.received_at)
        for event in record.events:
            counts = event.kind in _ANSWERS and not event.flags & _RETAINED and event.person_no in whose
            if counts and event.observed_at >= since:
                at = event.observed_at
                soon = at - fell_at <= ANSWER_WITHIN_MS or record.received_at <= check.due_at
                yield event, soon if own else at <= check.due_at


def _up_at(check: FallCheck, records: Iterable[JudgedUplink], level: int | None, totals: Collection[int]) -> int | None:
    """When the person had walked enough since they were seen lying, and was upright at last; None where not."""
    seen = list(_seen_since(check, records, level))
    lay_at = max((one.observed_at for _, one in seen if one.flags & _LYING), default=None)
    stood_at = max((one.observed_at for _, one in seen if one.flags & _UPRIGHT), default=None)
    walked = [
        one
        for device_no, one in seen
        if one.vital == _STEPS
        and one.value > 0
        and device_no not in totals
        and (lay_at is None or one.observed_at > lay_at)
    ]
    is_up = stood_at is not None and (lay_at is None or stood_at > lay_at)
    if not is_up or sum(one.value for one in walked) < RECOVERY_STEPS:
        return None
    return max(one.observed_at for one in walked)


def _seen_since(
    check: FallCheck, records: Iterable[JudgedUplink], level: int | None
) -> Iterator[tuple[int, JudgedReading]]:
    fell_at = check.sample.at
    others_from = min(check.received_at, fell_at + CLOCK_LAG_MS)
    is_open = level is not None and level >= 2  # noqa: PLR2004 - confirmed: later signs count as well
    for record in records:
        since = fell_at if record.device_no == check.sample.device_no else others_from
        for one in record.readings:
            if one.person_no != check.subject.person_no or one.flags & _NOT_SCORED or one.observed_at <= since:
                continue
            if is_open or one.observed_at <= check.due_at:
                yield record.device_no, one
