"""What a finding does to an alert, when people are notified again, and what a notification says. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from schemas.alerts import FINDING_NAMESPACE, AlertState, Finding, Severity

REPEAT_MS: Final = 15 * 60_000
"""An unanswered HIGH alert is notified again every 15 platform minutes ..."""
SOON_REPEATS: Final = 4
"""... this many times, ..."""
LATER_REPEAT_MS: Final = 60 * 60_000
"""... and then every hour until somebody acts: an unanswered alert never expires."""
SHORTEST_REPEAT_REAL_MS: Final = 10_000
"""However fast the platform's clock runs, people are not notified again sooner than this, real time."""
RETRY_AFTER_S: Final = (5, 15, 45, 120)
"""Real seconds before another attempt, after the first, second, ... failure; then ``LAST_RETRY_S`` each."""
LAST_RETRY_S: Final = 300


class Happened(StrEnum):
    """What a finding did to an alert; the ``what`` of the audit."""

    OPENED = "opened"
    RAISED = "raised"
    REOPENED = "reopened"
    JOINED = "joined"
    NOTED = "noted"
    EPISODE_ENDED = "episode_ended"
    ENDED = "ended"
    CLOSED = "closed"


NOTIFYING: Final = frozenset({Happened.OPENED, Happened.RAISED, Happened.REOPENED})


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
    closed_at: int | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alert as it is after a finding. ``notifies``: people have to be notified now."""

    alert: LiveAlert
    happened: Happened

    @property
    def notifies(self) -> bool:
        """Technical alerts are shown on the console alone (docs/clinical.md#urgency)."""
        return self.happened in NOTIFYING and self.alert.severity is not Severity.TECHNICAL


def fold(live: LiveAlert | None, finding: Finding, now: int) -> Change | None:
    """What ``finding`` does to the live alert of its (person or home, rule); None: nothing to alert about.

    LOW findings never open an alert. A new episode joins an open alert and opens an acknowledged one again;
    a higher level raises it. The end of the last active episode closes an acknowledged alert, marks an open one.
    """
    if live is None:
        return _opened(finding, now) if finding.level and finding.severity is not Severity.LOW else None
    if finding.level == 0:
        return _ended(live, finding, now)
    if finding.severity is Severity.LOW:
        return Change(alert=live, happened=Happened.NOTED)
    return _risen(live, finding, now)


def _opened(finding: Finding, now: int) -> Change:
    alert = LiveAlert(
        alert_id=uuid5(FINDING_NAMESPACE, f"alert|{finding.finding_id}"),
        home_no=finding.home_no,
        person_no=finding.person_no,
        rule=finding.rule,
        severity=finding.severity,
        level=finding.level,
        state=AlertState.OPEN,
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
    return Change(alert=alert, happened=Happened.OPENED)


def _risen(live: LiveAlert, finding: Finding, now: int) -> Change:
    is_new = finding.episode not in live.active_episodes
    is_higher = finding.level > live.level
    if not is_new and not is_higher:
        return Change(alert=live, happened=Happened.NOTED)
    joined = replace(
        live,
        episode=max(live.episode, finding.episode),
        episodes=live.episodes + is_new,
        active_episodes=tuple(sorted({*live.active_episodes, finding.episode})),
        ended_at=None,
        version=live.version + 1,
    )
    if live.state is AlertState.ACKNOWLEDGED:
        again = replace(joined, state=AlertState.OPEN, opened_at=now, condition_at=finding.observed_at)
        return Change(alert=_speaking_of(again, finding), happened=Happened.REOPENED)
    if is_higher:
        return Change(alert=_speaking_of(joined, finding), happened=Happened.RAISED)
    if finding.level == live.level:
        joined = _speaking_of(joined, finding)
    return Change(alert=joined, happened=Happened.JOINED)


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
        return Change(alert=live, happened=Happened.NOTED)
    left = tuple(episode for episode in live.active_episodes if episode != finding.episode)
    alert = replace(live, active_episodes=left, version=live.version + 1)
    if left:
        return Change(alert=alert, happened=Happened.EPISODE_ENDED)
    alert = replace(alert, ended_at=finding.observed_at)
    if live.state is AlertState.ACKNOWLEDGED:
        return Change(alert=replace(alert, state=AlertState.CLOSED, closed_at=now), happened=Happened.CLOSED)
    return Change(alert=alert, happened=Happened.ENDED)


def next_repeat(severity: Severity, repeats: int, now: int, rate: float) -> int | None:
    """When people are notified again after ``repeats`` repetitions, in platform milliseconds; None: not at all."""
    if severity is not Severity.HIGH:
        return None
    wait = REPEAT_MS if repeats < SOON_REPEATS else LATER_REPEAT_MS
    return now + max(wait, round(SHORTEST_REPEAT_REAL_MS * rate))


def retry_after_s(failures: int) -> int:
    """Real seconds to wait after the ``failures``-th failed attempt, from 1."""
    return RETRY_AFTER_S[failures - 1] if failures <= len(RETRY_AFTER_S) else LAST_RETRY_S


def idempotency_key(alert_id: UUID, step: int, doctor_no: int, channel: str) -> str:
    """The same for every attempt at one notification, so that a receiver can distinguish a repetition."""
    return f"{alert_id}.{step}.{doctor_no}.{channel}"


def page_link(base_url: str, alert_id: UUID) -> str:
    """Where the console shows the alert."""
    return f"{base_url.rstrip('/')}/alerts/{alert_id}"
