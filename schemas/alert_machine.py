"""What findings, doctors and time do to an alert: the one state machine of alert and console. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never
from uuid import uuid5

from schemas.alert_concerns import concern_of
from schemas.alert_events import (
    Acknowledged,
    Advance,
    CancelSteps,
    Effect,
    Event,
    Finished,
    Found,
    Notify,
    OutcomeSaid,
    PlanStep,
    Reason,
    StepDue,
    Suppress,
    WithdrawHeld,
)
from schemas.alert_states import Happened, IllegalTransitionError, LiveAlert, Step, step_of
from schemas.alert_timing import CALLED_AGAIN_AFTER_MS, wait_after
from schemas.alerts import FINDING_NAMESPACE, AlertState, EndReason, Finding, Severity
from schemas.rule_names import CALLS, MEASURED, RESTS_ON

_OVER: tuple[Effect, ...] = (CancelSteps(), WithdrawHeld())


def advance(alert: LiveAlert | None, event: Event, now: int) -> Advance | None:
    """What ``event`` does at ``now``, platform ms, to the alert of its concern; None: there is nothing to alert about.

    Raises IllegalTransitionError where that can't happen to an alert in its state.
    """
    if isinstance(event, Found):
        return fold(alert, event, now)
    if alert is None:
        raise IllegalTransitionError(f"{type(event).__name__} can't happen to an alert that is not there")
    match event:
        case Acknowledged():
            return acknowledge(alert, event, now)
        case OutcomeSaid():
            return say_outcome(alert, event)
        case Finished():
            return finish(alert, event, now)
        case StepDue():
            return take_step(alert, event, now)
        case _:
            assert_never(event)


def acknowledge(alert: LiveAlert, event: Acknowledged, now: int) -> Advance:
    """A doctor takes ``alert`` on: acknowledged, and closed at once where the condition has recovered.

    Raises IllegalTransitionError for an alert that isn't open.
    """
    steps = [step_of(alert.state, Happened.ACKNOWLEDGED)]
    if alert.ended_at is not None:
        steps.append(step_of(steps[-1].after, Happened.CLOSED))
    taken_on = replace(
        alert,
        state=steps[-1].after,
        acknowledged_at=now,
        acknowledged_by=event.doctor_no,
        acknowledged_note=event.note,
        closed_at=None if alert.ended_at is None else now,
        version=alert.version + 1,
    )
    return Advance(alert=taken_on, steps=tuple(steps), effects=_OVER)


def say_outcome(alert: LiveAlert, event: OutcomeSaid) -> Advance:
    """A doctor says later what came of ``alert``, which somebody has taken on once.

    Raises IllegalTransitionError where nobody has.
    """
    if alert.acknowledged_at is None:
        raise IllegalTransitionError(f"{type(event).__name__} can't happen to an alert that nobody has taken on")
    return _moved(alert, Happened.OUTCOME_SAID, replace(alert, version=alert.version + 1))


def finish(alert: LiveAlert, _event: Finished, now: int) -> Advance:
    """A doctor closes ``alert``, whose condition nobody will see recover.

    Raises IllegalTransitionError for an alert that isn't acknowledged.
    """
    return _moved(alert, Happened.FINISHED, replace(alert, closed_at=now, version=alert.version + 1), _OVER)


def take_step(alert: LiveAlert, event: StepDue, now: int) -> Advance:
    """People are notified as planned, unless somebody took ``alert`` on, or nothing of it goes on any more.

    The next step follows. That is no change of the alert: its version stays.
    """
    if alert.state is not AlertState.OPEN or not alert.goes_on:
        return Advance(alert=alert, steps=(), effects=_OVER)
    return _notified(Advance(alert=alert, steps=()), event.reason, event.others, now, repeats=event.repeats)


def fold(live: LiveAlert | None, found: Found, now: int) -> Advance | None:
    """What a finding does to the live alert of its concern; None: nothing to alert about.

    LOW findings never open an alert, and what became known too late changes none. A new episode opens an acknowledged
    alert again; it joins an open one, and people are notified of it once they have not been notified for as long as
    they wait for the first repetition, or at once where it is worse. A higher level, or a worse value, raises an alert.
    Of a fall or an SOS call, whatever is said more is news: people are notified, unless they were less than
    CALLED_AGAIN_AFTER_MS before ``now``. When the last active episode has recovered, that closes an acknowledged alert
    and ends the repetition of an open one; what turned, or was disproved, ends the repetition alone. A pause without
    data changes nothing, since nothing is known to be over.
    """
    finding = found.finding
    if finding.retrospective:
        return None
    if live is None:
        return _opened(found, now) if finding.level and finding.severity is not Severity.LOW else None
    if finding.level == 0:
        return _ended(live, finding, now)
    if finding.severity is Severity.LOW:
        return _noted(live)
    return _risen(live, found, now)


def is_said_already(alert: LiveAlert, others: Iterable[tuple[str, Severity]]) -> bool:
    """Whether a rule that ``alert`` rests on says as much: ``others`` are the person's alerts that go on, by rule."""
    rests_on = RESTS_ON.get(alert.rule, ())
    return any(rule in rests_on and severity >= alert.active_severity for rule, severity in others)


def plan_missing(alert: LiveAlert, notified_at: int | None, now: int) -> PlanStep | None:
    """The step that an alert lacks which goes on unanswered and has none planned, as one of an older version.

    No earlier than ``now``; None where people are not notified of it.
    """
    wait = wait_after(alert.active_severity, 0)
    if wait is None or not alert.notifies or alert.state is not AlertState.OPEN or not alert.goes_on:
        return None
    if notified_at is None:
        return PlanStep(reason=Reason.FIRST, repeats=0, due=now, since=now)
    return PlanStep(reason=Reason.REPEAT, repeats=1, due=max(now, notified_at + wait), since=notified_at)


def _noted(live: LiveAlert) -> Advance:
    return Advance(alert=live, steps=(step_of(live.state, Happened.NOTED),))


def _moved(live: LiveAlert, happened: Happened, after: LiveAlert, effects: tuple[Effect, ...] = ()) -> Advance:
    """``after``, in the state that the table says."""
    step = step_of(live.state, happened)
    return Advance(alert=replace(after, state=step.after), steps=(step,), effects=effects)


def _opened(found: Found, now: int) -> Advance:
    finding, step = found.finding, step_of(None, Happened.OPENED)
    alert = LiveAlert(
        alert_id=uuid5(FINDING_NAMESPACE, f"alert|{finding.finding_id}"),
        home_no=finding.home_no,
        person_no=finding.person_no,
        rule=finding.rule,
        concern=concern_of(finding),
        severity=finding.severity,
        level=finding.level,
        active_severity=finding.severity,
        active_level=finding.level,
        state=step.after,
        episode=finding.episode,
        episodes=1,
        episodes_since_open=1,
        active_episodes=(finding.episode,),
        first_at=now,
        opened_at=now,
        condition_at=finding.observed_at,
        doctor_text=finding.doctor_text,
        caregiver_text=finding.caregiver_text,
        rationale=finding.rationale,
        unverified=finding.unverified,
    )
    return _notified(Advance(alert=alert, steps=(step,)), Reason.FIRST, found.others, now)


def _risen(live: LiveAlert, found: Found, now: int) -> Advance:
    finding = found.finding
    is_new = finding.episode not in live.active_episodes
    # Against what goes on; where nothing does, against what people were notified of since it opened.
    known = live.active_level if live.goes_on else live.level
    # Of what is measured an episode says a level again only because it got worse.
    is_worse = finding.level > known or (not is_new and finding.rule in MEASURED and finding.level == known)
    is_call = finding.rule in CALLS and finding.level >= known
    if not is_new and not is_worse and not is_call:
        return _noted(live)
    joined = _joined(live, finding, is_new=is_new)
    if live.state is AlertState.ACKNOWLEDGED:
        again = replace(
            joined,
            severity=finding.severity,
            level=finding.level,
            active_severity=finding.severity,
            active_level=finding.level,
            episodes_since_open=1,
            opened_at=now,
            condition_at=finding.observed_at,
        )
        reason = Reason.CAME_BACK if is_new or finding.rule in CALLS else Reason.WORSE
        return _notified(_moved(live, Happened.REOPENED, _speaking_of(again, finding)), reason, found.others, now)
    if is_worse:
        raised = _moved(live, Happened.RAISED, _speaking_of(joined, finding))
        return _notified(raised, Reason.WORSE, found.others, now)
    # The words of the newest episode, unless it is milder than what goes on besides.
    if not live.goes_on or finding.level >= live.active_level:
        joined = _speaking_of(joined, finding)
    has_waited = found.notified_at is None or now - found.notified_at >= CALLED_AGAIN_AFTER_MS
    if finding.rule in CALLS and has_waited:
        return _notified(_moved(live, Happened.CALLED_AGAIN, joined), Reason.CALLED, found.others, now)
    moved = _moved(live, Happened.JOINED, joined)
    # What it was about was not so, or is not so any more: what begins now is news.
    is_news = not live.goes_on and live.ended_at is None
    return _notified(moved, Reason.AGAIN, found.others, now) if is_news else _joins(moved, found, now)


def _joined(live: LiveAlert, finding: Finding, *, is_new: bool) -> LiveAlert:
    """``live`` with the episode of ``finding`` among what goes on."""
    is_alone = not live.goes_on
    return replace(
        live,
        severity=max(live.severity, finding.severity),
        level=max(live.level, finding.level),
        active_severity=finding.severity if is_alone else max(live.active_severity, finding.severity),
        active_level=finding.level if is_alone else max(live.active_level, finding.level),
        episode=max(live.episode, finding.episode),
        episodes=live.episodes + is_new,
        episodes_since_open=live.episodes_since_open + is_new,
        active_episodes=tuple(sorted({*live.active_episodes, finding.episode})),
        # An episode goes on again, so an end noted before no longer holds.
        ended_at=None,
        version=live.version + 1,
    )


def _speaking_of(alert: LiveAlert, finding: Finding) -> LiveAlert:
    return replace(
        alert,
        doctor_text=finding.doctor_text,
        caregiver_text=finding.caregiver_text,
        rationale=finding.rationale,
        unverified=finding.unverified,
    )


def _joins(moved: Advance, found: Found, now: int) -> Advance:
    """A new episode of an open alert: people are notified once they have not been for long enough."""
    wait = wait_after(found.finding.severity, 0)
    if wait is None or not moved.alert.notifies:
        return moved
    if found.notified_at is None or found.notified_at + wait <= now:
        return _notified(moved, Reason.AGAIN, found.others, now)
    due = found.notified_at + wait
    if found.pending_due is not None and found.pending_due <= due:
        return moved
    plan = PlanStep(reason=Reason.AGAIN, repeats=0, due=due, since=found.notified_at)
    return replace(moved, effects=(CancelSteps(), plan))


def _notified(
    moved: Advance, reason: Reason, others: Iterable[tuple[str, Severity]], now: int, *, repeats: int = 0
) -> Advance:
    """``moved``, and people are notified of it, if they are of such an alert and nothing else says as much already.

    Where something does, the same is asked again when they would have been notified again.
    """
    alert = moved.alert
    wait = wait_after(alert.active_severity, repeats)
    if wait is None or not alert.notifies:
        return moved
    due = now + wait
    if is_said_already(alert, others):
        steps, kept = (step_of(alert.state, Happened.SUPPRESSED),), Suppress(reason=reason, repeats=repeats)
        plan = PlanStep(reason=reason, repeats=repeats, due=due, since=now)
        return replace(moved, steps=(*moved.steps, *steps), effects=(CancelSteps(), kept, plan))
    return replace(
        moved,
        steps=(*moved.steps, *_said_of(moved, reason)),
        effects=(
            CancelSteps(),
            Notify(reason=reason, repeats=repeats),
            PlanStep(reason=Reason.REPEAT, repeats=repeats + 1, due=due, since=now),
        ),
    )


def _said_of(moved: Advance, reason: Reason) -> tuple[Step, ...]:
    """The line of the trail that says so, where what happened does not say by itself that people are notified."""
    if moved.steps and moved.happened is not Happened.JOINED:
        return ()
    said = Happened.REPEATED if reason is Reason.REPEAT else Happened.NOTIFIED
    return (step_of(moved.alert.state, said),)


def _ended(live: LiveAlert, finding: Finding, now: int) -> Advance:
    if finding.episode not in live.active_episodes or finding.end_reason is EndReason.NO_DATA:
        return _noted(live)
    left = tuple(episode for episode in live.active_episodes if episode != finding.episode)
    alert = replace(live, active_episodes=left, version=live.version + 1)
    if left:
        return _moved(live, Happened.EPISODE_ENDED, alert)
    if finding.end_reason is EndReason.TURNED:
        return _moved(live, Happened.TURNED, alert, _OVER)
    if finding.end_reason is EndReason.DISPROVED:
        return _moved(live, Happened.DISPROVED, alert, _OVER)
    alert = replace(alert, ended_at=finding.observed_at)
    if live.state is AlertState.ACKNOWLEDGED:
        return _moved(live, Happened.CLOSED, replace(alert, closed_at=now), _OVER)
    return _moved(live, Happened.ENDED, alert, _OVER)
