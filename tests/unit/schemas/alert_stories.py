"""Findings and alerts as tests of the alert machine make them."""

from dataclasses import replace

from schemas.alert_events import Acknowledged, Advance, Found
from schemas.alert_machine import acknowledge, fold
from schemas.alert_states import LiveAlert
from schemas.alerts import EndReason, Finding, Severity

NOW = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DOCTOR_NO = 11


def finding(
    *,
    level: int = 1,
    episode: int = 1,
    severity: Severity = Severity.MEDIUM,
    at: int = NOW - 500,
    rule: str = "spo2",
    end_reason: EndReason | None = None,
    words: str = "",
) -> Finding:
    """A finding about person 3; level 0 is an end."""
    return Finding(
        person_no=3,
        home_no=2,
        rule=rule,
        rule_version=1,
        episode=episode,
        level=level,
        severity=severity,
        observed_at=at,
        evidence=(),
        doctor_text=words or f"Level {level} in episode {episode}.",
        caregiver_text="Something.",
        rationale="Because.",
        end_reason=end_reason,
    )


def ended(reason: EndReason | None = EndReason.RECOVERED, *, episode: int = 1, rule: str = "spo2") -> Finding:
    """The end of an episode."""
    return finding(level=0, episode=episode, end_reason=reason, rule=rule)


def after(live: LiveAlert | None, found: Finding, now: int = NOW + 1000, *, notified_at: int | None = NOW) -> Advance:
    """What a finding does; there has to be something."""
    advance = fold(live, Found(finding=found, notified_at=notified_at), now)
    assert advance is not None
    return advance


def opened(*, level: int = 1, episode: int = 1, severity: Severity = Severity.MEDIUM, rule: str = "spo2") -> LiveAlert:
    """An alert that has just opened."""
    return after(None, finding(level=level, episode=episode, severity=severity, rule=rule), NOW).alert


def acknowledged(alert: LiveAlert) -> LiveAlert:
    """The same, taken on."""
    return acknowledge(alert, Acknowledged(doctor_no=DOCTOR_NO, note="called them"), NOW).alert


def of_concern(alert: LiveAlert, rule: str) -> LiveAlert:
    """The same of another rule."""
    return replace(alert, rule=rule, concern=rule)
