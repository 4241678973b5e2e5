"""When people are notified again: new episodes, repetitions, what another alert says already; and over any story."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_events import (
    Acknowledged,
    Advance,
    CancelSteps,
    Event,
    Found,
    PlanStep,
    Reason,
    StepDue,
    Suppress,
    WithdrawHeld,
)
from schemas.alert_machine import advance, fold, plan_missing, take_step
from schemas.alert_states import Happened, IllegalTransitionError, LiveAlert
from schemas.alert_timing import wait_after
from schemas.alerts import AlertState, EndReason, Finding, Severity
from tests.unit.schemas.alert_stories import HOUR, MINUTE, NOW, acknowledged, after, ended, finding, opened

HIGH, MEDIUM = Severity.HIGH, Severity.MEDIUM
OVER = (CancelSteps(), WithdrawHeld())
AGAIN_AFTER = {HIGH: 15 * MINUTE, MEDIUM: 2 * HOUR}


@pytest.mark.parametrize(
    ("severity", "waits"),
    [
        (HIGH, [15 * MINUTE] * 4 + [HOUR] * 3),
        (MEDIUM, [2 * HOUR] + [8 * HOUR] * 3),
        (Severity.LOW, [None]),
        (Severity.TECHNICAL, [None]),
    ],
)
def test_the_repetitions_of_each_severity(severity: Severity, waits: list[int | None]) -> None:
    assert [wait_after(severity, repeats) for repeats in range(len(waits))] == waits


@pytest.mark.parametrize("severity", [HIGH, MEDIUM])
def test_an_alert_that_nobody_answers_is_repeated_for_ever_and_keeps_its_version(severity: Severity) -> None:
    change, now = after(None, finding(severity=severity), NOW), NOW
    live, waits = change.alert, []
    for _ in range(8):
        assert change.plan is not None
        waits.append(change.plan.due - now)
        now = change.plan.due
        change = take_step(live, StepDue(reason=change.plan.reason, repeats=change.plan.repeats), now)
        assert [step.happened for step in change.steps] == [Happened.REPEATED]
        assert change.alert == live

    first, later, soon = {HIGH: (15 * MINUTE, HOUR, 4), MEDIUM: (2 * HOUR, 8 * HOUR, 1)}[severity]
    assert waits == [first] * soon + [later] * (8 - soon)


@pytest.mark.parametrize(
    "live",
    [
        acknowledged(opened(severity=HIGH)),
        after(opened(severity=HIGH), ended()).alert,
        after(opened(severity=HIGH), ended(EndReason.TURNED)).alert,
        after(opened(severity=HIGH), ended(EndReason.DISPROVED)).alert,
    ],
)
def test_a_step_that_is_due_once_somebody_acted_or_it_is_over_notifies_nobody(live: LiveAlert) -> None:
    change = take_step(live, StepDue(reason=Reason.REPEAT, repeats=1), NOW + HOUR)

    assert (change.alert, change.steps, change.effects) == (live, (), OVER)


def test_what_pauses_is_repeated_and_what_was_grave_is_repeated_by_what_goes_on() -> None:
    paused = after(opened(severity=HIGH), ended(EndReason.NO_DATA)).alert
    over = after(opened(level=2, severity=HIGH), ended()).alert
    milder = after(over, finding(episode=2)).alert
    due = StepDue(reason=Reason.AGAIN, repeats=0)

    for live, severity in ((paused, HIGH), (milder, MEDIUM)):
        change = take_step(live, due, NOW)
        assert change.notification is not None
        assert change.plan is not None
        assert change.plan.due == NOW + AGAIN_AFTER[severity]


@pytest.mark.parametrize("severity", [HIGH, MEDIUM])
@pytest.mark.parametrize("recovered", [False, True])
def test_a_new_episode_of_an_open_alert_is_said_once_people_have_not_been_notified_for_long(
    severity: Severity, *, recovered: bool
) -> None:
    live = opened(severity=severity)
    live = after(live, ended()).alert if recovered else live
    wait = AGAIN_AFTER[severity]
    soon = after(live, finding(episode=2, severity=severity), NOW + wait - 1)
    late = after(live, finding(episode=2, severity=severity), NOW + wait)

    assert [step.happened for step in soon.steps] == [Happened.JOINED]
    plan = PlanStep(reason=Reason.AGAIN, repeats=0, due=NOW + wait, since=NOW)
    assert soon.effects == (CancelSteps(), plan)
    assert [step.happened for step in late.steps] == [Happened.JOINED, Happened.NOTIFIED]
    assert late.notification is not None
    assert late.notification.reason is Reason.AGAIN
    assert after(soon.alert, ended(episode=2)).effects == (() if not recovered else OVER)


def test_a_step_that_is_planned_sooner_stays() -> None:
    live = opened(severity=HIGH)
    found = Found(finding=finding(episode=2, severity=HIGH), notified_at=NOW, pending_due=NOW + 10 * MINUTE)
    change = fold(live, found, NOW + MINUTE)
    later = fold(live, replace(found, pending_due=NOW + HOUR), NOW + MINUTE)

    assert change is not None
    assert later is not None
    assert (change.effects, later.plan is not None) == ((), True)


def test_news2_is_kept_back_while_a_rule_of_its_inputs_says_as_much_and_asked_again_when_it_is_due() -> None:
    found, others = finding(rule="news2"), (("heart_rate", MEDIUM),)
    first = fold(None, Found(finding=found, others=others), NOW)
    assert first is not None
    assert [step.happened for step in first.steps] == [Happened.OPENED, Happened.SUPPRESSED]
    plan = PlanStep(reason=Reason.FIRST, repeats=0, due=NOW + 2 * HOUR, since=NOW)
    assert first.effects == (CancelSteps(), Suppress(reason=Reason.FIRST), plan)

    still = take_step(first.alert, StepDue(reason=Reason.FIRST, repeats=0, others=others), plan.due)
    alone = take_step(first.alert, StepDue(reason=Reason.FIRST, repeats=0), plan.due)
    assert [step.happened for step in still.steps] == [Happened.SUPPRESSED]
    assert still.plan == replace(plan, due=plan.due + 2 * HOUR, since=plan.due)
    assert [step.happened for step in alone.steps] == [Happened.NOTIFIED]
    assert alone.notification is not None
    assert alone.notification.reason is Reason.FIRST
    assert still.alert == alone.alert == first.alert


def test_an_alert_without_a_step_gets_the_one_it_lacks_and_no_other_does() -> None:
    live, now = opened(severity=HIGH), NOW + 10 * HOUR
    lacks = PlanStep(reason=Reason.REPEAT, repeats=1, due=NOW + 15 * MINUTE, since=NOW)

    assert plan_missing(live, NOW, NOW + 1) == lacks
    assert plan_missing(live, NOW, now) == replace(lacks, due=now)
    assert plan_missing(live, None, now) == PlanStep(reason=Reason.FIRST, repeats=0, due=now, since=now)
    taken_on, over = acknowledged(live), after(live, ended()).alert
    turned, listed = after(live, ended(EndReason.TURNED)).alert, opened(rule="weight")
    technical = opened(rule="clock", severity=Severity.TECHNICAL)
    assert [plan_missing(one, NOW, now) for one in (taken_on, over, turned, listed, technical)] == [None] * 5


@dataclass(slots=True)
class Practice:
    """Plays one concern: what happened to it, when people were notified, over which reason, and the planned step."""

    now: int = NOW
    live: LiveAlert | None = None
    plan: PlanStep | None = None
    notified: list[tuple[int, Reason]] = field(default_factory=list)
    begun_at: int = NOW
    changes: list[Advance] = field(default_factory=list)

    def happens(self, event: Event) -> None:
        """Does what the machine says, as the service does."""
        try:
            change = advance(self.live, event, self.now)
        except IllegalTransitionError:
            return
        if change is None:
            return
        self.changes.append(change)
        had = self.live
        for effect in change.effects:
            if isinstance(effect, CancelSteps):
                self.plan = None
            elif isinstance(effect, PlanStep):
                self.plan = effect
        if change.notification is not None:
            self.notified.append((self.now, change.notification.reason))
        goes_on = change.alert.state is AlertState.OPEN and change.alert.goes_on and change.alert.notifies
        had_gone_on = had is not None and had.state is AlertState.OPEN and had.goes_on and had.notifies
        if goes_on and not had_gone_on:
            self.begun_at = self.now
        self.live = None if change.alert.state is AlertState.CLOSED else change.alert
        if self.live is None:
            self.notified = []

    def passes(self, ms: int) -> None:
        """Time passes; steps are taken when they are due."""
        until = self.now + ms
        while self.plan is not None and self.plan.due <= until:
            plan, self.plan = self.plan, None
            self.now = max(self.now, plan.due)
            self.happens(StepDue(reason=plan.reason, repeats=plan.repeats))
        self.now = until

    def finds(self, found: Finding) -> None:
        """A finding comes."""
        at = self.notified[-1][0] if self.notified else None
        due = self.plan.due if self.plan else None
        self.happens(Found(finding=found, notified_at=at, pending_due=due))

    def longest_wait(self) -> int | None:
        """How long people may wait at most by now; None where nobody waits for anything."""
        live = self.live
        if live is None or live.state is not AlertState.OPEN or not live.goes_on or not live.notifies:
            return None
        return {HIGH: HOUR, MEDIUM: 8 * HOUR}[live.active_severity]


def moves(rule: str) -> st.SearchStrategy[object]:
    severities = st.sampled_from([MEDIUM, HIGH, Severity.LOW])
    found = st.builds(
        lambda episode, severity: finding(rule=rule, episode=episode, severity=severity, level=max(1, severity - 1)),
        st.integers(1, 4),
        severities,
    )
    ends = st.builds(
        lambda episode, reason: ended(reason, episode=episode, rule=rule),
        st.integers(1, 4),
        st.sampled_from(list(EndReason)),
    )
    time = st.integers(1, 12 * HOUR) | st.integers(1, 20 * MINUTE)
    return st.one_of(found, ends, time, time, st.just(Acknowledged(doctor_no=1)))


STORIES = st.sampled_from(["spo2", "sos"]).flatmap(lambda rule: st.lists(moves(rule), max_size=40))


@given(STORIES)
def test_in_any_story_nothing_that_goes_on_unanswered_is_without_notification_for_longer_than_its_repetition(
    story: list[object],
) -> None:
    practice = Practice()
    for move in story:
        if isinstance(move, int):
            practice.passes(move)
        elif isinstance(move, Finding):
            practice.finds(move)
        elif isinstance(move, Acknowledged):
            practice.happens(move)
        most = practice.longest_wait()
        if most is not None:
            last = max([practice.begun_at, *(at for at, _ in practice.notified)])
            assert practice.plan is not None
            assert practice.plan.due - last <= most
            assert practice.now - last <= most
            assert practice.notified or practice.now == last


@given(STORIES)
def test_in_any_story_nobody_is_notified_of_what_they_took_on_unless_it_got_worse_or_came_back(
    story: list[object],
) -> None:
    practice = Practice()
    for move in story:
        before, count = practice.live, len(practice.changes)
        if isinstance(move, int):
            practice.passes(move)
        elif isinstance(move, Finding):
            practice.finds(move)
        elif isinstance(move, Acknowledged):
            practice.happens(move)
        if before is None or before.state is not AlertState.ACKNOWLEDGED:
            continue
        for change in practice.changes[count:]:
            if change.notification is None:
                continue
            assert isinstance(move, Finding)
            assert change.notification.reason in {Reason.WORSE, Reason.CAME_BACK}
            is_new = move.episode not in before.active_episodes
            is_call = move.rule == "sos" and move.level >= before.active_level
            assert is_new or is_call or move.level >= before.active_level


@given(STORIES)
def test_in_any_story_nobody_is_notified_of_what_is_over(story: list[object]) -> None:
    practice = Practice()
    for move in story:
        if isinstance(move, int):
            over = practice.live is not None and not practice.live.goes_on
            count = len(practice.notified)
            practice.passes(move)
            assert not over or len(practice.notified) == count
        elif isinstance(move, Finding):
            practice.finds(move)
        elif isinstance(move, Acknowledged):
            practice.happens(move)
