"""What holds of an alert whatever findings come and whatever doctors do, in any order."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_events import Acknowledged, Advance, Event, Finished, Found, OutcomeSaid, Reason
from schemas.alert_machine import advance, fold
from schemas.alert_states import TRANSITIONS, Happened, IllegalTransitionError, LiveAlert
from schemas.alerts import AlertState, EndReason, Finding, Severity
from tests.unit.schemas.alert_stories import DOCTOR_NO, NOW, acknowledged, finding


def stories(rule: str) -> st.SearchStrategy[list[Finding | str]]:
    return st.lists(
        st.one_of(
            st.sampled_from(["acknowledge", "finish", "outcome"]),
            st.builds(
                finding,
                level=st.integers(0, 3),
                episode=st.integers(1, 3),
                severity=st.sampled_from([Severity.TECHNICAL, Severity.LOW, Severity.MEDIUM, Severity.HIGH]),
                at=st.integers(NOW, NOW + 10_000),
                rule=st.just(rule),
                end_reason=st.sampled_from([None, *EndReason]),
            ),
        ),
        max_size=30,
    )


STORIES = st.sampled_from(["spo2", "fall"]).flatmap(stories)
SAID: dict[str, Event] = {
    "acknowledge": Acknowledged(doctor_no=DOCTOR_NO),
    "finish": Finished(doctor_no=DOCTOR_NO),
    "outcome": OutcomeSaid(doctor_no=DOCTOR_NO),
}


def changes_of(story: list[Finding | str]) -> Iterator[tuple[LiveAlert | None, Advance]]:
    """Every change of a story, each with the alert before; where one has closed, the next finding opens another."""
    live: LiveAlert | None = None
    for number, said in enumerate(story):
        event = Found(finding=said) if isinstance(said, Finding) else SAID[said]
        try:
            change = advance(live, event, NOW + number)
        except IllegalTransitionError:
            assert not isinstance(event, Found)
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
        now = change.alert
        if live is not None and live.state is AlertState.OPEN and now.state is not AlertState.OPEN:
            assert change.happened is Happened.ACKNOWLEDGED
        assert now.ended_at is None or not now.goes_on
        assert (now.closed_at is not None) == (now.state is AlertState.CLOSED)
        assert now.state is AlertState.OPEN or now.acknowledged_at is not None
        assert (now == live) == (change.happened is Happened.NOTED)
        assert now.level >= now.active_level or live is None or live.state is AlertState.ACKNOWLEDGED
        assert 1 <= now.episodes_since_open <= now.episodes
        assert now.version == (0 if live is None else live.version + (change.happened is not Happened.NOTED))
        assert (change.notification is None) == (change.plan is None or change.plan.reason is not Reason.REPEAT)


@given(STORIES)
def test_in_any_story_only_what_recovered_or_a_doctor_closes_an_alert(story: list[Finding | str]) -> None:
    for _, change in changes_of(story):
        if change.alert.state is AlertState.CLOSED:
            assert change.alert.ended_at is not None or change.happened in {Happened.FINISHED, Happened.CLOSED}


@given(stories("fall"))
def test_in_any_story_of_calls_nothing_grave_is_only_noted(story: list[Finding | str]) -> None:
    live: LiveAlert | None = None
    for number, said in enumerate(story):
        if not isinstance(said, Finding):
            live = acknowledged(live) if live and live.state is AlertState.OPEN else live
            live = None if live and live.state is AlertState.CLOSED else live
            continue
        change = fold(live, Found(finding=said, notified_at=NOW), NOW + number)
        if live and change and said.level >= live.active_level and said.severity is not Severity.LOW:
            is_taken_on = live.state is AlertState.ACKNOWLEDGED
            assert change.happened in ({Happened.REOPENED} if is_taken_on else {Happened.RAISED, Happened.JOINED})
        live = change.alert if change and change.alert.state is not AlertState.CLOSED else None


@given(stories("spo2"))
def test_the_graver_a_finding_the_surer_people_are_notified(story: list[Finding | str]) -> None:
    live: LiveAlert | None = None
    for said in (one for one in story if isinstance(one, Finding)):
        change = fold(live, Found(finding=said, notified_at=NOW), NOW)
        if change is not None and said.level and said.severity is not Severity.LOW:
            known = 0 if live is None else live.active_level if live.goes_on else live.level
            is_again = live is not None and said.level == known and said.episode in live.active_episodes
            is_news = live is not None and not live.goes_on and live.ended_at is None
            is_said = said.level > known or is_again or is_news
            assert (change.notification is not None) == (is_said and change.alert.notifies)
        live = change.alert if change else live
