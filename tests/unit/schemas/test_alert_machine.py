"""What findings and acknowledgements do to an alert, as sentences, and as properties over any story."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_machine import (
    NOTIFYING,
    TRANSITIONS,
    Change,
    Happened,
    IllegalTransitionError,
    LiveAlert,
    Step,
    acknowledge,
    fold,
    is_said_already,
    is_withdrawn,
    step_of,
)
from schemas.alerts import AlertState, EndReason, Finding, Severity

NOW = 1_700_000_000_000
DOCTOR_NO = 11


def finding(
    *,
    level: int = 1,
    episode: int = 1,
    severity: Severity = Severity.MEDIUM,
    at: int = NOW - 500,
    rule: str = "spo2",
) -> Finding:
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
        doctor_text=f"Level {level} in episode {episode}.",
        caregiver_text="Something.",
        rationale="Because.",
    )


def opened(*, level: int = 1, episode: int = 1) -> LiveAlert:
    change = fold(None, finding(level=level, episode=episode), NOW)
    assert change is not None
    return change.alert


def acknowledged(alert: LiveAlert) -> LiveAlert:
    return acknowledge(alert, DOCTOR_NO, "called them", NOW).alert


def change_of(live: LiveAlert | None, found: Finding) -> Change:
    change = fold(live, found, NOW + 1000)
    assert change is not None
    return change


def noted(live: LiveAlert) -> Change:
    return Change(alert=live, steps=(Step(Happened.NOTED, live.state, live.state),))


def test_a_finding_opens_an_alert_and_notifies_people() -> None:
    change = change_of(None, finding(severity=Severity.HIGH))

    assert change.happened is Happened.OPENED
    assert change.notifies
    assert change.alert.state is AlertState.OPEN
    assert (change.alert.condition_at, change.alert.opened_at) == (NOW - 500, NOW + 1000)


def test_the_alert_of_a_finding_has_the_same_id_whoever_opens_it() -> None:
    assert opened().alert_id == opened().alert_id != opened(episode=2).alert_id


@pytest.mark.parametrize("found", [finding(severity=Severity.LOW), finding(level=0)])
def test_low_findings_and_ends_open_nothing(found: Finding) -> None:
    assert fold(None, found, NOW) is None


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
    change = fold(None, finding(rule=rule), NOW)
    assert change is not None
    assert is_said_already(change.alert, others) is said


def test_a_technical_alert_notifies_no_doctor() -> None:
    change = change_of(None, finding(severity=Severity.TECHNICAL))

    assert change.happened is Happened.OPENED
    assert not change.notifies


def test_a_higher_level_raises_an_open_alert_and_notifies_people_again() -> None:
    change = change_of(opened(), finding(level=2, severity=Severity.HIGH))

    assert change.happened is Happened.RAISED
    assert change.notifies
    assert (change.alert.level, change.alert.severity) == (2, Severity.HIGH)
    assert change.alert.doctor_text == "Level 2 in episode 1."


def test_a_lower_level_of_the_same_episode_changes_nothing() -> None:
    live = opened(level=2)

    assert change_of(live, finding(level=1)) == noted(live)


def test_what_is_measured_says_a_level_again_only_because_it_got_worse_and_people_are_notified() -> None:
    change = change_of(opened(level=2), finding(level=2))
    again = change_of(acknowledged(opened(level=2)), finding(level=2))

    assert (change.happened, change.notifies) == (Happened.RAISED, True)
    assert (again.happened, again.notifies) == (Happened.REOPENED, True)
    missed = replace(opened(level=2), rule="missed_dose")
    assert change_of(missed, replace(finding(level=2), rule="missed_dose")) == noted(missed)


@pytest.mark.parametrize("reason", [EndReason.TURNED, EndReason.DISPROVED])
def test_what_was_not_so_is_not_repeated_and_what_begins_after_it_is_news(reason: EndReason) -> None:
    live = opened()
    ended = change_of(live, replace(finding(level=0), end_reason=reason)).alert
    after = change_of(ended, finding(episode=2))

    assert is_withdrawn(live, ended)
    assert (ended.state, ended.ended_at) == (AlertState.OPEN, None)
    assert (after.happened, after.notifies) == (Happened.RAISED, True)
    assert not is_withdrawn(live, change_of(live, replace(finding(level=0), end_reason=EndReason.RECOVERED)).alert)
    assert not is_withdrawn(live, change_of(live, finding(episode=2)).alert)


def test_a_new_episode_joins_an_open_alert_without_notifying_anybody() -> None:
    change = change_of(opened(), finding(episode=2))

    assert change.happened is Happened.JOINED
    assert not change.notifies
    assert (change.alert.episodes, change.alert.episode) == (2, 2)


def test_a_lower_level_that_joins_leaves_the_words_of_the_graver_one() -> None:
    change = change_of(opened(level=2), finding(level=1, episode=2))

    assert change.alert.doctor_text == "Level 2 in episode 1."


def test_a_low_finding_is_noted_on_an_open_alert() -> None:
    live = opened()

    assert change_of(live, finding(episode=2, severity=Severity.LOW)) == noted(live)


def test_an_unanswered_alert_stays_open_when_its_episode_ends() -> None:
    change = change_of(opened(), finding(level=0, at=NOW + 7))

    assert change.happened is Happened.ENDED
    assert (change.alert.state, change.alert.ended_at) == (AlertState.OPEN, NOW + 7)


def test_an_ended_alert_that_joins_a_new_episode_is_no_longer_ended() -> None:
    ended = change_of(opened(), finding(level=0)).alert

    assert change_of(ended, finding(episode=2)).alert.ended_at is None


def test_an_acknowledged_alert_closes_when_its_last_episode_ends() -> None:
    two = change_of(opened(), finding(episode=2)).alert
    one_left = change_of(acknowledged(two), finding(episode=1, level=0))
    none_left = change_of(one_left.alert, finding(episode=2, level=0))

    assert (one_left.happened, one_left.alert.state) == (Happened.EPISODE_ENDED, AlertState.ACKNOWLEDGED)
    assert (none_left.happened, none_left.alert.state) == (Happened.CLOSED, AlertState.CLOSED)
    assert none_left.alert.closed_at == NOW + 1000


@pytest.mark.parametrize("found", [finding(level=2), finding(episode=2)])
def test_an_acknowledged_alert_opens_again_on_a_higher_level_or_a_new_episode(found: Finding) -> None:
    change = change_of(acknowledged(opened()), found)

    assert change.happened is Happened.REOPENED
    assert change.notifies
    assert change.alert.state is AlertState.OPEN


def test_an_acknowledged_alert_is_not_bothered_by_what_is_known() -> None:
    live = acknowledged(opened(level=2))

    assert change_of(live, finding(level=1)) == noted(live)


def test_the_end_of_an_unknown_episode_is_noted() -> None:
    live = opened(episode=5)

    assert change_of(live, finding(level=0, episode=4)) == noted(live)


def test_an_acknowledged_alert_holds_who_took_it_on_when_and_with_what_words() -> None:
    change = acknowledge(opened(), DOCTOR_NO, "called them", NOW + 5)
    after = change.alert

    assert (after.state, after.closed_at, after.version) == (AlertState.ACKNOWLEDGED, None, 1)
    assert (after.acknowledged_at, after.acknowledged_by, after.acknowledged_note) == (
        NOW + 5,
        DOCTOR_NO,
        "called them",
    )
    assert change.steps == (Step(Happened.ACKNOWLEDGED, AlertState.OPEN, AlertState.ACKNOWLEDGED),)
    assert not change.notifies


def test_acknowledging_what_is_over_closes_it_in_a_second_step_of_one_change() -> None:
    ended = change_of(opened(), finding(level=0)).alert
    change = acknowledge(ended, DOCTOR_NO, "", NOW + 5)

    assert (change.alert.state, change.alert.closed_at) == (AlertState.CLOSED, NOW + 5)
    assert change.alert.version == ended.version + 1
    assert change.steps == (
        Step(Happened.ACKNOWLEDGED, AlertState.OPEN, AlertState.ACKNOWLEDGED),
        Step(Happened.CLOSED, AlertState.ACKNOWLEDGED, AlertState.CLOSED),
    )


def test_an_alert_that_opens_again_keeps_who_had_taken_it_on() -> None:
    again = change_of(acknowledged(opened()), finding(level=2)).alert

    assert (again.state, again.acknowledged_by) == (AlertState.OPEN, DOCTOR_NO)


def test_nobody_acknowledges_what_is_not_open() -> None:
    taken_on = acknowledged(opened())
    closed = change_of(taken_on, finding(level=0)).alert
    for alert in (taken_on, closed):
        with pytest.raises(IllegalTransitionError):
            acknowledge(alert, DOCTOR_NO, "", NOW)


@pytest.mark.parametrize("found", [finding(), finding(level=2), finding(episode=2), finding(level=0, episode=9)])
def test_nothing_happens_to_a_closed_alert(found: Finding) -> None:
    closed = change_of(acknowledged(opened()), finding(level=0)).alert

    with pytest.raises(IllegalTransitionError):
        fold(closed, found, NOW)


def test_a_way_that_is_not_in_the_table_is_refused_by_name() -> None:
    every = {(before, happened) for before in (None, *AlertState) for happened in Happened}
    for before, happened in every - set(TRANSITIONS):
        with pytest.raises(IllegalTransitionError, match=str(happened)):
            step_of(before, happened)
    for (before, happened), after in TRANSITIONS.items():
        assert step_of(before, happened) == Step(happened, before, after)


def stories(rule: str) -> st.SearchStrategy[list[Finding | str]]:
    return st.lists(
        st.one_of(
            st.just("acknowledge"),
            st.builds(
                finding,
                level=st.integers(0, 3),
                episode=st.integers(1, 3),
                severity=st.sampled_from([Severity.TECHNICAL, Severity.LOW, Severity.MEDIUM, Severity.HIGH]),
                at=st.integers(NOW, NOW + 10_000),
                rule=st.just(rule),
            ),
        ),
        max_size=30,
    )


STORIES = st.sampled_from(["spo2", "fall"]).flatmap(stories)


def changes_of(story: list[Finding | str]) -> Iterator[tuple[LiveAlert | None, Change]]:
    """Every change of a story, each with the alert before; where one has closed, the next finding opens another."""
    live: LiveAlert | None = None
    for number, event in enumerate(story):
        if isinstance(event, Finding):
            change = fold(live, event, NOW + number)
        elif live is not None and live.state is AlertState.OPEN:
            change = acknowledge(live, DOCTOR_NO, "", NOW + number)
        else:
            continue
        if change is None:
            assert live is None
            continue
        yield live, change
        live = None if change.alert.state is AlertState.CLOSED else change.alert


@given(STORIES)
def test_any_story_goes_through_the_table_alone(story: list[Finding | str]) -> None:
    for live, change in changes_of(story):
        state = live.state if live else None
        for step in change.steps:
            assert step.before is state
            assert TRANSITIONS[step.before, step.happened] is step.after
            state = step.after
        assert change.alert.state is state


@given(STORIES)
def test_in_any_story_an_alert_never_goes_unanswered_and_says_what_changed(story: list[Finding | str]) -> None:
    for live, change in changes_of(story):
        after = change.alert
        if live is not None and live.state is AlertState.OPEN and after.state is not AlertState.OPEN:
            assert change.happened is Happened.ACKNOWLEDGED
        assert (after.ended_at is None) == bool(after.active_episodes)
        assert (after.closed_at is not None) == (after.state is AlertState.CLOSED)
        assert after.state is AlertState.OPEN or after.acknowledged_at is not None
        assert (after == live) == (change.happened is Happened.NOTED)
        assert change.notifies == (change.happened in NOTIFYING and after.severity is not Severity.TECHNICAL)
        assert after.version == (0 if live is None else live.version + (change.happened is not Happened.NOTED))


@given(STORIES)
def test_in_any_story_an_acknowledgement_does_what_the_sql_function_did(story: list[Finding | str]) -> None:
    """What the SQL function did that decided this before, column by column, and the rows it wrote to the trail."""
    for live, change in changes_of(story):
        if change.happened is not Happened.ACKNOWLEDGED:
            continue
        assert live is not None
        after, at = change.alert, change.alert.acknowledged_at
        assert after == replace(
            live,
            state=AlertState.ACKNOWLEDGED if live.ended_at is None else AlertState.CLOSED,
            closed_at=None if live.ended_at is None else at,
            acknowledged_at=at,
            acknowledged_by=DOCTOR_NO,
            acknowledged_note="",
            version=live.version + 1,
        )
        rows = [("acknowledged", "open", "acknowledged")]
        rows += [("closed", "acknowledged", "closed")] if live.ended_at is not None else []
        assert [tuple(map(str, step)) for step in change.steps] == rows


@given(stories("fall"))
def test_in_any_story_of_calls_nothing_grave_is_only_noted_and_nobody_who_took_one_on_misses_the_next(
    story: list[Finding | str],
) -> None:
    live: LiveAlert | None = None
    for number, event in enumerate(story):
        if not isinstance(event, Finding):
            live = acknowledged(live) if live and live.state is AlertState.OPEN else live
            live = None if live and live.state is AlertState.CLOSED else live
            continue
        change = fold(live, event, NOW + number, notified_at=NOW)
        if live and change and event.level >= live.level and event.severity is not Severity.LOW:
            is_taken_on = live.state is AlertState.ACKNOWLEDGED
            assert change.happened in ({Happened.REOPENED} if is_taken_on else {Happened.RAISED, Happened.JOINED})
        live = change.alert if change and change.alert.state is not AlertState.CLOSED else None


@given(stories("spo2"))
def test_the_graver_a_finding_the_surer_people_are_notified(story: list[Finding | str]) -> None:
    live: LiveAlert | None = None
    for step in (one for one in story if isinstance(one, Finding)):
        change = fold(live, step, NOW)
        if change is not None and step.level and step.severity is not Severity.LOW:
            is_graver = live is None or step.level > live.level
            is_again = live is not None and step.level == live.level and step.episode in live.active_episodes
            is_news = live is not None and not live.active_episodes and live.ended_at is None
            notifies = is_graver or is_again or is_news
            assert change.notifies == (notifies and step.severity is not Severity.TECHNICAL)
        live = change.alert if change else live
