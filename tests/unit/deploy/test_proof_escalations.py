"""What the proof of pages and audit finds: each thing that may go wrong, and nothing where all is well."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.proof.escalations import Change, Escalations, Outage, Step, judge_audit, judge_steps

DUE = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD = Step(
    alert_id="a", step=1, state="done", due_at=DUE, acknowledged_at=None, fired_at=DUE + MINUTE, pages=2, sent=2
)


def judged(*steps: Step, outages: tuple[Outage, ...] = ()) -> Escalations:
    return judge_steps(steps, outages, allowed=2 * MINUTE)


def test_steps_in_order_and_in_time_are_well() -> None:
    verdict = judged(GOOD, replace(GOOD, step=2, due_at=DUE + 5 * MINUTE, fired_at=DUE + 6 * MINUTE))
    assert verdict.hold
    assert verdict.steps == 2


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("unpaged", replace(GOOD, fired_at=None, pages=0, sent=0)),
        ("undelivered", replace(GOOD, sent=1)),
        ("early", replace(GOOD, fired_at=DUE - MINUTE)),
        ("late", replace(GOOD, fired_at=DUE + 3 * MINUTE)),
        ("after_answer", replace(GOOD, acknowledged_at=DUE)),
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
    never = replace(GOOD, fired_at=None, pages=0, sent=0)
    assert judged(replace(never, state="pending"), replace(never, state="cancelled")).hold


def test_what_fell_due_in_an_outage_has_its_time_from_the_end_of_it() -> None:
    late = replace(GOOD, fired_at=DUE + 9 * MINUTE)
    one = Outage(start=DUE - MINUTE, end=DUE + 5 * MINUTE)
    next_one = Outage(start=DUE + 4 * MINUTE, end=DUE + 8 * MINUTE)
    assert judged(late, outages=(one,)).late == 1
    assert judged(late, outages=(next_one, one)).late == 0
    assert judged(late, outages=(next_one,)).late == 1


def test_a_trail_that_leads_to_the_state_is_whole() -> None:
    verdict = judged()
    trail = [
        Change(alert_id="a", from_state=None, to_state="open"),
        Change(alert_id="b", from_state=None, to_state="open"),
    ]
    judge_audit(
        verdict, {"a": "closed", "b": "open"}, [*trail, Change(alert_id="a", from_state="open", to_state="closed")]
    )
    assert verdict.hold


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [Change(alert_id="a", from_state=None, to_state="open")],
        [Change(alert_id="a", from_state="open", to_state="closed")],
    ],
)
def test_a_change_that_nobody_recorded_is_found(changes: list[Change]) -> None:
    verdict = judged()
    judge_audit(verdict, {"a": "closed"}, changes)
    assert verdict.unrecorded == 1
