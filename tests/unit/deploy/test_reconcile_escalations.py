"""What the proof of notifications and audit finds: each thing that may go wrong, and nothing where all is well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.reconcile.escalations import (
    Change,
    Escalations,
    Outage,
    Step,
    judge_answers,
    judge_audit,
    judge_notified,
    judge_steps,
)

DUE = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD = Step(alert_id="a", step=1, state="done", due_at=DUE, fired_at=DUE + MINUTE, notifications=2, sent=2)
LATER = DUE + timedelta(hours=1)


def judged(*steps: Step, outages: tuple[Outage, ...] = ()) -> Escalations:
    return judge_steps(steps, outages, allowed=2 * MINUTE, ended_at=LATER)


def change(before: str | None, after: str, *, what: str = "", at: datetime = DUE + MINUTE, alert: str = "a") -> Change:
    return Change(alert_id=alert, at=at, what=what, from_state=before, to_state=after)


def answered(*changes: Change, steps: tuple[Step, ...] = (GOOD,), state: str = "open") -> Escalations:
    verdict = judged()
    judge_answers(verdict, steps, {"a": state}, changes)
    return verdict


def test_steps_in_order_and_in_time_are_well() -> None:
    verdict = judged(GOOD, replace(GOOD, step=2, due_at=DUE + 5 * MINUTE, fired_at=DUE + 6 * MINUTE))
    assert verdict.hold
    assert verdict.steps == 2


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("unsent", replace(GOOD, fired_at=None, notifications=0, sent=0)),
        ("undelivered", replace(GOOD, sent=1)),
        ("early", replace(GOOD, fired_at=DUE - MINUTE)),
        ("late", replace(GOOD, fired_at=DUE + 3 * MINUTE)),
        ("late", replace(GOOD, state="pending", fired_at=None, notifications=0, sent=0)),
    ],
)
def test_a_step_that_went_wrong_is_named(what: str, step: Step) -> None:
    verdict = judged(step)
    assert getattr(verdict, what) == 1
    assert not verdict.hold
    assert "alert a step 1" in verdict.examples[0]


def test_a_second_step_before_the_first_is_out_of_order() -> None:
    assert judged(GOOD, replace(GOOD, step=2, fired_at=DUE)).out_of_order == 1


def test_steps_that_wait_or_were_cancelled_are_not_judged() -> None:
    never = replace(GOOD, fired_at=None, notifications=0, sent=0)
    assert judged(replace(never, state="pending", due_at=LATER), replace(never, state="cancelled")).hold


def test_what_fell_due_in_an_outage_has_its_time_from_the_end_of_it() -> None:
    late = replace(GOOD, fired_at=DUE + 9 * MINUTE)
    one = Outage(start=DUE - MINUTE, end=DUE + 5 * MINUTE)
    next_one = Outage(start=DUE + 4 * MINUTE, end=DUE + 8 * MINUTE)
    assert judged(late, outages=(one,)).late == 1
    assert judged(late, outages=(next_one, one)).late == 0
    assert judged(late, outages=(next_one,)).late == 1


OPENED = change(None, "open", what="opened")
ACKNOWLEDGED = change("open", "acknowledged", what="acknowledged", at=DUE + 2 * MINUTE)
REPEATED = change("open", "open", what="repeated", at=DUE + 3 * MINUTE)
SECOND = replace(GOOD, step=2, due_at=DUE + 3 * MINUTE, fired_at=DUE + 3 * MINUTE)


def test_who_is_notified_before_somebody_took_it_on_is_notified_rightly() -> None:
    assert answered(OPENED, REPEATED, ACKNOWLEDGED, steps=(GOOD, SECOND), state="acknowledged").hold


def test_nobody_is_repeated_of_what_was_taken_on() -> None:
    verdict = answered(OPENED, ACKNOWLEDGED, REPEATED, steps=(GOOD, SECOND), state="acknowledged")
    assert verdict.after_answer == 1
    assert verdict.examples == ["after answer: alert a step 2"]


def test_what_was_taken_on_and_opens_again_is_repeated() -> None:
    reopened = change("acknowledged", "open", what="reopened", at=SECOND.due_at)
    assert answered(OPENED, ACKNOWLEDGED, reopened, steps=(GOOD, SECOND)).hold


def test_a_notification_that_the_trail_does_not_know_is_found() -> None:
    assert answered(OPENED, steps=(GOOD, SECOND)).unrecorded == 1


@pytest.mark.parametrize(
    "left",
    [
        replace(GOOD, step=2, state="cancelled"),
        replace(GOOD, step=2, state="pending", fired_at=None, notifications=0, sent=0),
    ],
)
def test_a_cancelled_step_has_no_notifications_and_none_waits_once_somebody_has_taken_it_on(left: Step) -> None:
    verdict = answered(OPENED, ACKNOWLEDGED, steps=(GOOD, left), state="acknowledged")
    assert verdict.after_answer == 1


def notified(*changes: Change, steps: tuple[Step, ...] = (GOOD,)) -> int:
    verdict = judged()
    judge_notified(verdict, steps, changes)
    assert verdict.hold is (verdict.unnotified == 0)
    return verdict.unnotified


def test_an_alert_that_began_and_was_notified_at_that_moment_was_notified() -> None:
    assert notified(OPENED, ACKNOWLEDGED, change("acknowledged", "closed", what="closed")) == 0


@pytest.mark.parametrize("what", ["opened", "raised", "reopened"])
@pytest.mark.parametrize(
    "steps",
    [(), (replace(GOOD, sent=0),), (replace(GOOD, state="pending"),), (replace(GOOD, fired_at=DUE),), (SECOND,)],
)
def test_an_alert_of_which_no_notification_of_that_moment_arrived_is_unnotified(
    what: str, steps: tuple[Step, ...]
) -> None:
    assert notified(change(None, "open", what=what), steps=steps) == 1


def test_of_technical_alerts_nobody_is_notified() -> None:
    assert notified(replace(OPENED, clinical=False), steps=()) == 0


def test_a_trail_that_leads_to_the_state_is_whole() -> None:
    verdict = judged()
    trail = [change(None, "open"), change(None, "open", alert="b")]
    judge_audit(verdict, {"a": "closed", "b": "open"}, [*trail, change("open", "closed")])
    assert verdict.hold


@pytest.mark.parametrize("changes", [[], [change(None, "open")], [change("open", "closed")]])
def test_a_change_that_nobody_recorded_is_found(changes: list[Change]) -> None:
    verdict = judged()
    judge_audit(verdict, {"a": "closed"}, changes)
    assert verdict.unrecorded == 1


def test_what_another_alert_says_or_quiet_hours_hold_counts_as_said() -> None:
    opened, kept_back = change(None, "open", what="opened"), change("open", "open", what="suppressed")
    held = replace(GOOD, notifications=0, sent=0, held=2)
    for steps, changes in (((), (opened, kept_back)), ((held,), (opened,)), ((), (opened,))):
        verdict = judged(*steps)
        judge_notified(verdict, steps, changes)
        assert verdict.unnotified == (not steps and len(changes) == 1)
    assert judged(held).hold
    assert judged(replace(GOOD, fired_at=None, notifications=0, sent=0, suppressed=True)).hold


def test_a_step_that_was_planned_and_taken_after_an_acknowledgement_is_found_whatever_it_was_for() -> None:
    for what in ("repeated", "notified"):
        planned = change("acknowledged", "open", what=what, at=DUE + MINUTE)
        verdict = answered(change("open", "acknowledged", at=DUE), planned)
        assert verdict.after_answer == 1
