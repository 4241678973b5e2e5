"""What findings and acknowledgements do to an alert, as sentences, and as properties over any story."""

from dataclasses import replace

import pytest

from schemas.alert_events import (
    Acknowledged,
    Advance,
    CancelSteps,
    DoctorAction,
    Event,
    Finished,
    Found,
    OutcomeSaid,
    Reason,
    StepDue,
    Verdict,
    WithdrawHeld,
)
from schemas.alert_machine import acknowledge, advance, finish, fold, is_said_already, say_outcome
from schemas.alert_states import TRANSITIONS, Happened, IllegalTransitionError, LiveAlert, Step, step_of
from schemas.alerts import AlertState, EndReason, Finding, Severity
from tests.unit.schemas.alert_stories import DOCTOR_NO, NOW, acknowledged, after, ended, finding, of_concern, opened

OVER = (CancelSteps(), WithdrawHeld())


def noted(live: LiveAlert) -> Advance:
    return Advance(alert=live, steps=(Step(Happened.NOTED, live.state, live.state),))


def reason_of(change: Advance) -> Reason | None:
    return change.notification.reason if change.notification else None


def test_a_finding_opens_an_alert_and_notifies_people() -> None:
    change = after(None, finding(severity=Severity.HIGH))

    assert (change.happened, reason_of(change)) == (Happened.OPENED, Reason.FIRST)
    assert change.alert.state is AlertState.OPEN
    assert (change.alert.condition_at, change.alert.opened_at, change.alert.first_at) == (
        NOW - 500,
        NOW + 1000,
        NOW + 1000,
    )


def test_the_alert_of_a_finding_has_the_same_id_whoever_opens_it() -> None:
    assert opened().alert_id == opened().alert_id != opened(episode=2).alert_id


@pytest.mark.parametrize(
    "found", [finding(severity=Severity.LOW), finding(level=0), replace(finding(), retrospective=True)]
)
def test_low_findings_and_ends_and_what_came_too_late_open_nothing(found: Finding) -> None:
    assert fold(None, Found(finding=found), NOW) is None


@pytest.mark.parametrize(
    ("rule", "others", "said"),
    [
        ("news2", [("heart_rate", Severity.MEDIUM)], True),
        ("news2", [("blood_pressure", Severity.HIGH)], True),
        ("news2", [("spo2", Severity.LOW)], False),
        ("news2", [("glucose_low", Severity.HIGH), ("fall", Severity.HIGH)], False),
        ("news2", [], False),
        ("heart_rate", [("news2", Severity.HIGH), ("spo2", Severity.HIGH)], False),
    ],
)
def test_news2_is_said_already_where_a_rule_of_its_inputs_says_as_much(
    rule: str, others: list[tuple[str, Severity]], *, said: bool
) -> None:
    assert is_said_already(opened(rule=rule), others) is said


@pytest.mark.parametrize(("rule", "severity"), [("clock", Severity.TECHNICAL), ("weight", Severity.MEDIUM)])
def test_a_technical_alert_and_a_listed_one_notify_no_doctor_and_plan_nothing(rule: str, severity: Severity) -> None:
    change = after(None, finding(severity=severity, rule=rule))
    again = after(change.alert, finding(severity=severity, rule=rule, episode=2), notified_at=None)

    assert (change.happened, change.effects) == (Happened.OPENED, ())
    assert (again.happened, again.effects) == (Happened.JOINED, ())


def test_a_higher_level_raises_an_open_alert_and_notifies_people_again() -> None:
    change = after(opened(), finding(level=2, severity=Severity.HIGH))

    assert (change.happened, reason_of(change)) == (Happened.RAISED, Reason.WORSE)
    assert (change.alert.level, change.alert.severity) == (2, Severity.HIGH)
    assert (change.alert.active_level, change.alert.active_severity) == (2, Severity.HIGH)
    assert change.alert.doctor_text == "Level 2 in episode 1."


def test_a_lower_level_of_the_same_episode_changes_nothing() -> None:
    live = opened(level=2)

    assert after(live, finding(level=1)) == noted(live)


def test_what_is_measured_says_a_level_again_only_because_it_got_worse_and_people_are_notified() -> None:
    change = after(opened(level=2), finding(level=2))
    again = after(acknowledged(opened(level=2)), finding(level=2))

    assert (change.happened, reason_of(change)) == (Happened.RAISED, Reason.WORSE)
    assert (again.happened, reason_of(again)) == (Happened.REOPENED, Reason.WORSE)
    missed = of_concern(opened(level=2), "missed_dose")
    assert after(missed, finding(level=2, rule="missed_dose")) == noted(missed)


def test_a_milder_episode_after_a_grave_one_that_gets_worse_is_said() -> None:
    over = after(opened(level=2, severity=Severity.HIGH), ended()).alert
    mild = after(over, finding(episode=2))
    worse = after(mild.alert, finding(episode=2))

    assert (mild.happened, reason_of(mild)) == (Happened.JOINED, None)
    assert (mild.alert.active_severity, mild.alert.severity) == (Severity.MEDIUM, Severity.HIGH)
    assert (mild.alert.active_level, mild.alert.level) == (1, 2)
    assert mild.alert.doctor_text == "Level 1 in episode 2."
    assert (worse.happened, reason_of(worse)) == (Happened.RAISED, Reason.WORSE)


@pytest.mark.parametrize(
    ("reason", "happened"), [(EndReason.TURNED, Happened.TURNED), (EndReason.DISPROVED, Happened.DISPROVED)]
)
def test_what_was_not_so_is_not_repeated_and_what_begins_after_it_is_news(
    reason: EndReason, happened: Happened
) -> None:
    over = after(opened(), ended(reason))
    next_one = after(over.alert, finding(episode=2))
    taken_on = after(acknowledged(opened()), ended(reason))

    assert (over.happened, over.effects) == (happened, OVER)
    assert (over.alert.state, over.alert.ended_at, over.alert.goes_on) == (AlertState.OPEN, None, False)
    assert [step.happened for step in next_one.steps] == [Happened.JOINED, Happened.NOTIFIED]
    assert reason_of(next_one) is Reason.AGAIN
    assert (taken_on.happened, taken_on.alert.state) == (happened, AlertState.ACKNOWLEDGED)


@pytest.mark.parametrize("rule", ["spo2", "fall", "sos", "missed_dose", "news2"])
@pytest.mark.parametrize("taken_on", [False, True])
def test_a_pause_without_data_changes_nothing_whatever_the_rule(rule: str, *, taken_on: bool) -> None:
    live = opened(rule=rule, severity=Severity.HIGH)
    live = acknowledged(live) if taken_on else live

    assert after(live, ended(EndReason.NO_DATA, rule=rule)) == noted(live)


def test_a_lower_level_that_joins_leaves_the_words_of_the_graver_one() -> None:
    change = after(opened(level=2), finding(level=1, episode=2))

    assert change.alert.doctor_text == "Level 2 in episode 1."
    assert (change.alert.episodes, change.alert.episodes_since_open, change.alert.episode) == (2, 2, 2)


def test_a_low_finding_is_noted_on_an_open_alert() -> None:
    live = opened()

    assert after(live, finding(episode=2, severity=Severity.LOW)) == noted(live)


@pytest.mark.parametrize("reason", [EndReason.RECOVERED, None])
def test_an_unanswered_alert_that_recovered_stays_open_and_is_not_repeated(reason: EndReason | None) -> None:
    change = after(opened(), ended(reason))

    assert (change.happened, change.effects) == (Happened.ENDED, OVER)
    assert (change.alert.state, change.alert.ended_at) == (AlertState.OPEN, NOW - 500)


def test_an_ended_alert_that_joins_a_new_episode_is_no_longer_ended() -> None:
    over = after(opened(), ended()).alert

    assert after(over, finding(episode=2)).alert.ended_at is None


def test_an_acknowledged_alert_closes_when_its_last_episode_recovers() -> None:
    two = after(opened(), finding(episode=2)).alert
    one_left = after(acknowledged(two), ended(episode=1))
    none_left = after(one_left.alert, ended(episode=2))

    assert (one_left.happened, one_left.alert.state) == (Happened.EPISODE_ENDED, AlertState.ACKNOWLEDGED)
    assert (none_left.happened, none_left.alert.state) == (Happened.CLOSED, AlertState.CLOSED)
    assert none_left.alert.closed_at == NOW + 1000


@pytest.mark.parametrize(
    ("found", "reason"), [(finding(level=2), Reason.WORSE), (finding(episode=2), Reason.CAME_BACK)]
)
def test_an_acknowledged_alert_opens_again_on_a_higher_level_or_a_new_episode(found: Finding, reason: Reason) -> None:
    first = after(opened(), finding(episode=9)).alert
    change = after(acknowledged(first), found)

    assert (change.happened, reason_of(change)) == (Happened.REOPENED, reason)
    assert (change.alert.state, change.alert.opened_at, change.alert.first_at) == (AlertState.OPEN, NOW + 1000, NOW)
    assert change.alert.episodes_since_open == 1


def test_an_acknowledged_alert_is_not_bothered_by_what_is_known() -> None:
    live = acknowledged(opened(level=2))

    assert after(live, finding(level=1)) == noted(live)


def test_the_end_of_an_unknown_episode_is_noted() -> None:
    live = opened(episode=5)

    assert after(live, ended(episode=4)) == noted(live)


def test_an_acknowledged_alert_holds_who_took_it_on_when_and_with_what_words() -> None:
    event = Acknowledged(doctor_no=DOCTOR_NO, note="called them", verdict=Verdict.REAL, action=DoctorAction.CALLED)
    change = acknowledge(opened(), event, NOW + 5)
    taken_on = change.alert

    assert (taken_on.state, taken_on.closed_at, taken_on.version) == (AlertState.ACKNOWLEDGED, None, 1)
    assert (taken_on.acknowledged_at, taken_on.acknowledged_by, taken_on.acknowledged_note) == (
        NOW + 5,
        DOCTOR_NO,
        "called them",
    )
    assert change.steps == (Step(Happened.ACKNOWLEDGED, AlertState.OPEN, AlertState.ACKNOWLEDGED),)
    assert change.effects == OVER


def test_acknowledging_what_is_over_closes_it_in_a_second_step_of_one_change() -> None:
    over = after(opened(), ended()).alert
    change = acknowledge(over, Acknowledged(doctor_no=DOCTOR_NO), NOW + 5)

    assert (change.alert.state, change.alert.closed_at) == (AlertState.CLOSED, NOW + 5)
    assert change.alert.version == over.version + 1
    assert change.steps == (
        Step(Happened.ACKNOWLEDGED, AlertState.OPEN, AlertState.ACKNOWLEDGED),
        Step(Happened.CLOSED, AlertState.ACKNOWLEDGED, AlertState.CLOSED),
    )


def test_an_alert_that_opens_again_keeps_who_had_taken_it_on() -> None:
    again = after(acknowledged(opened()), finding(level=2)).alert

    assert (again.state, again.acknowledged_by) == (AlertState.OPEN, DOCTOR_NO)


def test_nobody_acknowledges_what_is_not_open() -> None:
    taken_on = acknowledged(opened())
    closed = after(taken_on, ended()).alert
    for alert in (taken_on, closed):
        with pytest.raises(IllegalTransitionError):
            acknowledge(alert, Acknowledged(doctor_no=DOCTOR_NO), NOW)


def test_what_came_of_an_alert_is_said_once_somebody_took_it_on_and_also_after_it_closed() -> None:
    said = OutcomeSaid(doctor_no=DOCTOR_NO, verdict=Verdict.FALSE)
    taken_on = acknowledged(opened())
    closed, again = after(taken_on, ended()).alert, after(taken_on, finding(episode=2)).alert

    for alert in (taken_on, closed, again):
        change = say_outcome(alert, said)
        assert (change.happened, change.effects) == (Happened.OUTCOME_SAID, ())
        assert change.alert == replace(alert, version=alert.version + 1)
    with pytest.raises(IllegalTransitionError):
        say_outcome(opened(), said)


def test_an_alert_whose_condition_nobody_sees_recover_is_finished_by_a_doctor_who_took_it_on() -> None:
    taken_on = acknowledged(opened(rule="fall"))
    change = finish(taken_on, Finished(doctor_no=DOCTOR_NO), NOW + 7)

    assert (change.happened, change.alert.state, change.alert.closed_at) == (
        Happened.FINISHED,
        AlertState.CLOSED,
        NOW + 7,
    )
    for alert in (opened(), change.alert):
        with pytest.raises(IllegalTransitionError):
            finish(alert, Finished(doctor_no=DOCTOR_NO), NOW)


@pytest.mark.parametrize("found", [finding(), finding(level=2), finding(episode=2), ended(episode=9)])
def test_nothing_is_found_of_a_closed_alert(found: Finding) -> None:
    closed = after(acknowledged(opened()), ended()).alert

    with pytest.raises(IllegalTransitionError):
        fold(closed, Found(finding=found), NOW)


@pytest.mark.parametrize(
    "event",
    [
        Acknowledged(doctor_no=1),
        OutcomeSaid(doctor_no=1),
        Finished(doctor_no=1),
        StepDue(reason=Reason.REPEAT, repeats=1),
    ],
)
def test_what_somebody_does_needs_an_alert_and_every_event_goes_through_one_function(event: Event) -> None:
    with pytest.raises(IllegalTransitionError):
        advance(None, event, NOW)
    live = opened(severity=Severity.HIGH)
    taken_on = acknowledged(live)
    first = {Acknowledged: live, OutcomeSaid: taken_on, Finished: taken_on, StepDue: live}[type(event)]
    happened = {
        Acknowledged: Happened.ACKNOWLEDGED,
        OutcomeSaid: Happened.OUTCOME_SAID,
        Finished: Happened.FINISHED,
        StepDue: Happened.REPEATED,
    }
    change = advance(first, event, NOW)
    assert change is not None
    assert change.happened is happened[type(event)]


def test_a_way_that_is_not_in_the_table_is_refused_by_name() -> None:
    every = {(before, happened) for before in (None, *AlertState) for happened in Happened}
    for before, happened in every - set(TRANSITIONS):
        with pytest.raises(IllegalTransitionError, match=str(happened)):
            step_of(before, happened)
    for (before, happened), state in TRANSITIONS.items():
        assert step_of(before, happened) == Step(happened, before, state)
