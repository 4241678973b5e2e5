"""What findings and acknowledgements do to an alert: the one state machine of alert and console. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from schemas.alerts import FINDING_NAMESPACE, AlertState, EndReason, Finding, Severity
from schemas.rule_names import CALLS, LISTED, MEASURED, RESTS_ON


class Happened(StrEnum):
    """What happened to an alert; the ``what`` of its trail."""

    OPENED = "opened"
    RAISED = "raised"
    REOPENED = "reopened"
    CALLED_AGAIN = "called_again"
    JOINED = "joined"
    NOTED = "noted"
    EPISODE_ENDED = "episode_ended"
    ENDED = "ended"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


TRANSITIONS: Final[Mapping[tuple[AlertState | None, Happened], AlertState]] = MappingProxyType(
    {
        (None, Happened.OPENED): AlertState.OPEN,
        (AlertState.OPEN, Happened.RAISED): AlertState.OPEN,
        (AlertState.OPEN, Happened.CALLED_AGAIN): AlertState.OPEN,
        (AlertState.OPEN, Happened.JOINED): AlertState.OPEN,
        (AlertState.OPEN, Happened.NOTED): AlertState.OPEN,
        (AlertState.OPEN, Happened.EPISODE_ENDED): AlertState.OPEN,
        (AlertState.OPEN, Happened.ENDED): AlertState.OPEN,
        (AlertState.OPEN, Happened.ACKNOWLEDGED): AlertState.ACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Happened.REOPENED): AlertState.OPEN,
        (AlertState.ACKNOWLEDGED, Happened.NOTED): AlertState.ACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Happened.EPISODE_ENDED): AlertState.ACKNOWLEDGED,
        (AlertState.ACKNOWLEDGED, Happened.CLOSED): AlertState.CLOSED,
    }
)
"""Where an alert is after what happened to it; whatever is not in here can't happen.

Only somebody's acknowledgement takes an alert out of ``open``, and nothing leads out of ``closed``.
"""
NOTIFYING: Final = frozenset({Happened.OPENED, Happened.RAISED, Happened.REOPENED, Happened.CALLED_AGAIN})
CALLED_AGAIN_AFTER_MS: Final = 2 * 60_000
"""Who presses the button again, or falls again, sooner than this after the last notification notifies nobody anew."""


class IllegalTransitionError(ValueError):
    """That can't happen to an alert in that state: a bug, or an old version of the alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAlert:
    """An alert that isn't closed. ``level`` is the highest since it last opened; times are platform milliseconds."""

    alert_id: UUID
    home_no: int
    person_no: int
    rule: str
    severity: Severity
    level: int
    state: AlertState
    episode: int
    episodes: int
    active_episodes: tuple[int, ...]
    opened_at: int
    condition_at: int
    doctor_text: str
    caregiver_text: str
    rationale: str
    unverified: bool
    ended_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: int | None = None
    acknowledged_note: str | None = None
    closed_at: int | None = None
    version: int = 0


class Step(NamedTuple):
    """One way through ``TRANSITIONS``; a line of the trail."""

    happened: Happened
    before: AlertState | None
    after: AlertState


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alert as it is after something happened, and the steps that led there, one at least."""

    alert: LiveAlert
    steps: tuple[Step, ...]

    @property
    def happened(self) -> Happened:
        """What came first; what else there is follows from it."""
        return self.steps[0].happened

    @property
    def notifies(self) -> bool:
        """People have to be notified now. Technical alerts, and those that are but listed, are shown on the console."""
        shown_alone = self.alert.severity is Severity.TECHNICAL or self.alert.rule in LISTED
        return self.happened in NOTIFYING and not shown_alone


def step_of(before: AlertState | None, happened: Happened) -> Step:
    """The transition of that name. Raises IllegalTransitionError where there is none."""
    after = TRANSITIONS.get((before, happened))
    if after is None:
        raise IllegalTransitionError(f"{happened} can't happen to an alert that is {before or 'not there'}")
    return Step(happened, before, after)


def acknowledge(alert: LiveAlert, doctor_no: int, note: str, at: int) -> Change:
    """A doctor takes ``alert`` on: acknowledged, and closed at once where the condition is over.

    Raises IllegalTransitionError for an alert that isn't open.
    """
    steps = [step_of(alert.state, Happened.ACKNOWLEDGED)]
    if alert.ended_at is not None:
        steps.append(step_of(steps[-1].after, Happened.CLOSED))
    taken_on = replace(
        alert,
        state=steps[-1].after,
        acknowledged_at=at,
        acknowledged_by=doctor_no,
        acknowledged_note=note,
        closed_at=None if alert.ended_at is None else at,
        version=alert.version + 1,
    )
    return Change(alert=taken_on, steps=tuple(steps))


def fold(live: LiveAlert | None, finding: Finding, now: int, *, notified_at: int | None = None) -> Change | None:
    """What ``finding`` does to the live alert of its (person or home, rule); None: nothing to alert about.

    LOW findings never open an alert, and what became known too late changes none. A new episode joins an open alert
    and opens an acknowledged one again; a higher level, or a worse value, raises it. Of a fall or an SOS call, whatever
    is said more is news: it opens an acknowledged alert again, and on an open one it notifies people, unless they were
    notified less than CALLED_AGAIN_AFTER_MS before ``now``: ``notified_at``, None if never. The end of the last active
    episode closes an acknowledged alert, marks an open one: where it has recovered. A pause without data changes
    nothing, since nothing is known to be over.
    """
    if finding.retrospective:
        return None
    if live is None:
        return _opened(finding, now) if finding.level and finding.severity is not Severity.LOW else None
    if finding.level == 0 and finding.end_reason is EndReason.NO_DATA and finding.rule in MEASURED:
        return _noted(live)
    if finding.level == 0:
        return _ended(live, finding, now)
    if finding.severity is Severity.LOW:
        return _noted(live)
    return _risen(live, finding, now, notified_at)


def is_withdrawn(before: LiveAlert, after: LiveAlert) -> bool:
    """Whether nothing of the alert goes on any more, though nothing has recovered: nobody is notified of it again."""
    return bool(before.active_episodes) and not after.active_episodes and after.ended_at is None


def is_said_already(alert: LiveAlert, others: Iterable[tuple[str, Severity]]) -> bool:
    """Whether a rule that ``alert`` rests on says as much: ``others`` are the person's alerts that go on, by rule."""
    return any(rule in RESTS_ON.get(alert.rule, ()) and severity >= alert.severity for rule, severity in others)


def _noted(live: LiveAlert) -> Change:
    return Change(alert=live, steps=(step_of(live.state, Happened.NOTED),))


def _opened(finding: Finding, now: int) -> Change:
    step = step_of(None, Happened.OPENED)
    alert = LiveAlert(
        alert_id=uuid5(FINDING_NAMESPACE, f"alert|{finding.finding_id}"),
        home_no=finding.home_no,
        person_no=finding.person_no,
        rule=finding.rule,
        severity=finding.severity,
        level=finding.level,
        state=step.after,
        episode=finding.episode,
        episodes=1,
        active_episodes=(finding.episode,),
        opened_at=now,
        condition_at=finding.observed_at,
        doctor_text=finding.doctor_text,
        caregiver_text=finding.caregiver_text,
        rationale=finding.rationale,
        unverified=finding.unverified,
    )
    return Change(alert=alert, steps=(step,))


def _risen(live: LiveAlert, finding: Finding, now: int, notified_at: int | None) -> Change:
    is_new = finding.episode not in live.active_episodes
    # Of what is measured an episode says a level again only because it got worse.
    is_worse = finding.level > live.level or (not is_new and finding.rule in MEASURED and finding.level == live.level)
    # What it was about was not so, or is not so any more: what begins now is news.
    is_news = is_new and not live.active_episodes and live.ended_at is None
    is_call = finding.rule in CALLS and finding.level >= live.level
    if not is_new and not is_worse and not is_call:
        return _noted(live)
    joined = replace(
        live,
        episode=max(live.episode, finding.episode),
        episodes=live.episodes + is_new,
        active_episodes=tuple(sorted({*live.active_episodes, finding.episode})),
        # An episode goes on again, so an end noted before no longer holds.
        ended_at=None,
        version=live.version + 1,
    )
    if live.state is AlertState.ACKNOWLEDGED:
        again = replace(joined, opened_at=now, condition_at=finding.observed_at)
        return _moved(live, Happened.REOPENED, _speaking_of(again, finding))
    if is_worse or is_news:
        return _moved(live, Happened.RAISED, _speaking_of(joined, finding))
    # The words of the newest episode, unless it is milder than what people were notified of.
    if finding.level == live.level:
        joined = _speaking_of(joined, finding)
    has_waited = notified_at is None or now - notified_at >= CALLED_AGAIN_AFTER_MS
    if finding.rule in CALLS and has_waited:
        return _moved(live, Happened.CALLED_AGAIN, joined)
    return _moved(live, Happened.JOINED, joined)


def _moved(live: LiveAlert, happened: Happened, after: LiveAlert) -> Change:
    """``after``, in the state that the table says."""
    step = step_of(live.state, happened)
    return Change(alert=replace(after, state=step.after), steps=(step,))


def _speaking_of(alert: LiveAlert, finding: Finding) -> LiveAlert:
    return replace(
        alert,
        severity=finding.severity,
        level=finding.level,
        doctor_text=finding.doctor_text,
        caregiver_text=finding.caregiver_text,
        rationale=finding.rationale,
        unverified=finding.unverified,
    )


def _ended(live: LiveAlert, finding: Finding, now: int) -> Change:
    if finding.episode not in live.active_episodes:
        return _noted(live)
    left = tuple(episode for episode in live.active_episodes if episode != finding.episode)
    alert = replace(live, active_episodes=left, version=live.version + 1)
    if left or finding.end_reason in {EndReason.TURNED, EndReason.DISPROVED}:
        return _moved(live, Happened.EPISODE_ENDED, alert)
    alert = replace(alert, ended_at=finding.observed_at)
    if live.state is AlertState.ACKNOWLEDGED:
        return _moved(live, Happened.CLOSED, replace(alert, closed_at=now))
    return _moved(live, Happened.ENDED, alert)
