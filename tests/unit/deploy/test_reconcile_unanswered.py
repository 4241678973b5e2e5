"""The proof that what nobody answers is said again finds alerts that fell silent, and only these."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.reconcile.unanswered import Standing, judge_unanswered
from schemas.alerts import Severity

START = datetime(2026, 3, 3, 10, tzinfo=UTC)
SLACK = timedelta(minutes=1)


def alert(severity: Severity, *minutes: float) -> Standing:
    return Standing(
        alert_id="one",
        rule="sos",
        home_id="home",
        severity=severity,
        said_at=[START + timedelta(minutes=minute) for minute in minutes],
    )


@pytest.mark.parametrize(
    ("severity", "minutes", "next_min"),
    [
        (Severity.HIGH, (0,), 15),
        (Severity.HIGH, (0, 15, 30, 45), 60),
        (Severity.HIGH, (0, 15, 30, 45, 60), 120),
        (Severity.HIGH, (0, 15, 30, 45, 60, 120), 180),
        (Severity.MEDIUM, (0,), 120),
        (Severity.MEDIUM, (0, 120), 600),
    ],
)
def test_an_alert_is_silent_once_its_interval_and_some_slack_have_passed(
    severity: Severity, minutes: tuple[float, ...], next_min: float
) -> None:
    one, due = alert(severity, *minutes), START + timedelta(minutes=next_min)
    just = judge_unanswered([one], due + SLACK, SLACK)
    assert (just.standing, just.repeats, just.silent, just.examples) == (1, len(minutes) - 1, 0, [])
    late = judge_unanswered([one], due + SLACK + timedelta(seconds=1), SLACK)
    assert (late.silent, len(late.examples)) == (1, 1)


def test_what_was_never_said_is_silent_from_the_first() -> None:
    outcome = judge_unanswered([alert(Severity.MEDIUM)], START, SLACK)
    assert (outcome.silent, outcome.examples) == (1, ["not said again: sos one, never"])


def test_examples_are_a_few() -> None:
    outcome = judge_unanswered([alert(Severity.HIGH)] * 9, START, SLACK)
    assert (outcome.silent, len(outcome.examples)) == (9, 5)
