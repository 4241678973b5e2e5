"""What there is to say of a suspected fall, from what is known of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.alerts import EndReason, Finding, Message
from services.runtime.clock import to_ms
from services.score.age import is_looked_back_on
from services.score.rule import ENDED, Mark, Subject, finding_from
from services.score.rules.fall import (
    ANSWER_WITHIN_MS,
    ANSWERED,
    ASKED_FOR_HELP,
    CONFIRMED,
    FALL,
    HELP_AFTER_NEAR_MS,
    LIES_ON,
    LIES_ON_AFTER_MS,
    LONG_LIE,
    LONG_LIE_AFTER_MS,
    NEAR_FALL,
    NOT_UP,
    UNANSWERED,
    UP_AGAIN,
    level_of_fall,
)
from services.score.sample import Sample

_LIES_ON_MS: Final = LIES_ON_AFTER_MS - ANSWER_WITHIN_MS
_LONG_LIE_MS: Final = LONG_LIE_AFTER_MS - ANSWER_WITHIN_MS
"""Both after the end of the minute, which begins when the fall was heard of, if that is later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A row of ``fall_checks`` with the signs that there are by now. Times in ms.

    ``level`` is None before it was decided; ``said`` counts its findings; ``lying_at`` is when it is said next that
    nobody has got up. ``ok_at``: answered "ok" within the minute; ``help_at``: answered "help"; ``up_at``: up and
    walking, until it is confirmed within the minute; ``recovered_at``: of a confirmed one, by an answer or on foot.
    """

    subject: Subject
    episode: int
    sample: Sample
    due_at: int
    retrospective: bool
    level: int | None = None
    said: int = 0
    lying_at: int | None = None
    ok_at: int | None = None
    help_at: int | None = None
    up_at: int | None = None
    recovered_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is said of a fall now, and what its row holds from then on."""

    level: int
    said: int
    findings: Sequence[Finding] = ()
    lying_at: int | None = None
    ended_at: int | None = None


def fall_of(row: Any) -> Fall:
    """The fall of a row of ``claim_falls``."""
    observed_at = to_ms(row["observed_at"])
    received_at = _ms(row["received_at"])
    return Fall(
        subject=Subject(row["person_no"], row["home_no"]),
        episode=row["episode"],
        sample=Sample(observed_at, 0.0, row["device_no"], row["epoch"], row["seq"], row["item"]),
        due_at=to_ms(row["due_at"]),
        retrospective=received_at is not None and is_looked_back_on(observed_at, received_at),
        level=row["level"],
        said=row["said"],
        lying_at=_ms(row["lying_at"]),
        ok_at=_ms(row["ok_in_time_at"]),
        help_at=_ms(row["help_at"]),
        up_at=_ms(row["up_at"]),
        recovered_at=_ms(row["recovered_at"]),
    )


def course_of(fall: Fall, now: int, *, unverified: bool = False) -> Course:
    """What follows at ``now``, where something does. ``unverified``: an answer may still be on its way."""
    if fall.level is None:
        return _decided(fall, unverified=unverified)
    if fall.level == NEAR_FALL:
        return _looked_at_again(fall, now)
    return _lain_on(fall, now)


def _decided(fall: Fall, *, unverified: bool) -> Course:
    level = level_of_fall(answered=fall.ok_at is not None, helped=fall.help_at is not None, up=fall.up_at is not None)
    if level == CONFIRMED:
        return _confirmed(fall, unverified=unverified)
    words, at = (UP_AGAIN, fall.up_at) if fall.ok_at is None else (ANSWERED, fall.ok_at)
    at, said = _stamped(fall, at), fall.said + 1
    # A near fall begins and is over at once.
    findings = (
        _finding(fall, NEAR_FALL, at, said=said, words=words),
        _finding(fall, ENDED, at, said=said + 1, end_reason=EndReason.RECOVERED),
    )
    return Course(level=NEAR_FALL, said=said + 1, findings=findings)


def _confirmed(fall: Fall, *, unverified: bool = False) -> Course:
    helped = fall.help_at is not None
    at = fall.due_at if fall.help_at is None else _stamped(fall, fall.help_at)
    finding = _finding(
        fall,
        CONFIRMED,
        at,
        said=fall.said + 1,
        words=ASKED_FOR_HELP if helped else UNANSWERED,
        unverified=unverified and not helped,
    )
    lying_at = None if fall.retrospective else fall.due_at + _LIES_ON_MS
    return Course(level=CONFIRMED, said=fall.said + 1, findings=(finding,), lying_at=lying_at)


def _looked_at_again(fall: Fall, now: int) -> Course:
    """A near fall: who then asks for help, or lay again when the minute was over, has fallen after all."""
    if fall.help_at is not None or (fall.ok_at is None and fall.up_at is None):
        return _confirmed(fall)
    assert now >= fall.due_at + HELP_AFTER_NEAR_MS  # noqa: S101 - nothing else is claimed
    return Course(level=NEAR_FALL, said=fall.said, ended_at=fall.due_at)


def _lain_on(fall: Fall, now: int) -> Course:
    """A confirmed fall: over, or said again."""
    level, said = fall.level or CONFIRMED, fall.said + 1
    if fall.recovered_at is not None:
        at = min(max(fall.recovered_at, fall.sample.at), now)
        end = _finding(fall, ENDED, at, said=said, end_reason=EndReason.RECOVERED)
        return Course(level=level, said=said, findings=(end,), ended_at=at)
    if fall.lying_at is None or fall.lying_at > now:
        end = _finding(fall, ENDED, now, said=said, end_reason=EndReason.NO_DATA)
        return Course(level=level, said=said, findings=(end,), ended_at=now)
    # After an outage of ours both moments may have passed.
    is_long = now >= fall.due_at + _LONG_LIE_MS
    at = fall.due_at + (_LONG_LIE_MS if is_long else _LIES_ON_MS)
    finding = _finding(fall, LIES_ON, at, said=said, words=LONG_LIE if is_long else NOT_UP)
    lying_at = None if is_long else fall.due_at + _LONG_LIE_MS
    return Course(level=LIES_ON, said=said, findings=(finding,), lying_at=lying_at)


def _stamped(fall: Fall, at: int | None) -> int:
    """What was decided before the minute was over is stamped with the sign for it."""
    return fall.due_at if at is None else min(at, fall.due_at)


def _finding(
    fall: Fall,
    level: int,
    at: int,
    *,
    said: int,
    words: Message | None = None,
    unverified: bool = False,
    end_reason: EndReason | None = None,
) -> Finding:
    mark = Mark(level, fall.sample, fall.sample, end_reason)
    finding = finding_from(
        FALL, fall.subject, fall.episode, mark, said=said, observed_at=at, unverified=unverified, message=words
    )
    return replace(finding, retrospective=fall.retrospective)


def _ms(moment: Any) -> int | None:
    return None if moment is None else to_ms(moment)
