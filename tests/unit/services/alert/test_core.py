"""What findings do to an alert, as sentences, and as properties over any story."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import ALERT_TRANSITIONS, AlertState, Finding, Severity
from services.alert.core import (
    LAST_RETRY_S,
    LATER_REPEAT_MS,
    NOTIFYING,
    REPEAT_MS,
    Change,
    Happened,
    LiveAlert,
    fold,
    idempotency_key,
    next_repeat,
    page_link,
    retry_after_s,
)

NOW = 1_700_000_000_000
ALERT_ID = UUID(int=7)


def finding(*, level: int = 1, episode: int = 1, severity: Severity = Severity.MEDIUM, at: int = NOW - 500) -> Finding:
    return Finding(
        person_no=3,
        home_no=2,
        rule="spo2",
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
    """What the SQL function `acknowledge_alert` does to an alert that has not ended."""
    return replace(alert, state=AlertState.ACKNOWLEDGED, version=alert.version + 1)


def change_of(live: LiveAlert | None, found: Finding) -> Change:
    change = fold(live, found, NOW + 1000)
    assert change is not None
    return change


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


@pytest.mark.parametrize("level", [1, 2])
def test_the_same_or_a_lower_level_of_the_same_episode_changes_nothing(level: int) -> None:
    live = opened(level=2)

    assert change_of(live, finding(level=level)) == Change(alert=live, happened=Happened.NOTED)


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

    assert change_of(live, finding(episode=2, severity=Severity.LOW)) == Change(alert=live, happened=Happened.NOTED)


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

    assert change_of(live, finding(level=1)) == Change(alert=live, happened=Happened.NOTED)


def test_the_end_of_an_unknown_episode_is_noted() -> None:
    live = opened(episode=5)

    assert change_of(live, finding(level=0, episode=4)) == Change(alert=live, happened=Happened.NOTED)


STORIES = st.lists(
    st.one_of(
        st.just("acknowledge"),
        st.builds(
            finding,
            level=st.integers(0, 3),
            episode=st.integers(1, 3),
            severity=st.sampled_from([Severity.LOW, Severity.MEDIUM, Severity.HIGH]),
            at=st.integers(NOW, NOW + 10_000),
        ),
    ),
    max_size=30,
)


@given(STORIES)
def test_in_any_story_an_alert_moves_only_as_it_may_and_never_goes_unanswered(story: list[Finding | str]) -> None:
    live: LiveAlert | None = None
    for number, step in enumerate(story):
        if isinstance(step, str):
            if live is not None and live.state is AlertState.OPEN:
                live = acknowledged(live) if live.active_episodes else None
            continue
        before, change = live, fold(live, step, NOW + number)
        if change is None:
            assert before is None
            continue
        after = change.alert
        if before is not None and before.state is not after.state:
            assert after.state in ALERT_TRANSITIONS[before.state]
        if before is not None and before.state is AlertState.OPEN:
            assert after.state is AlertState.OPEN
        assert (after.ended_at is None) == bool(after.active_episodes)
        assert (after.closed_at is not None) == (after.state is AlertState.CLOSED)
        assert change.notifies == (change.happened in NOTIFYING)
        assert (after == before) == (change.happened is Happened.NOTED)
        live = None if after.state is AlertState.CLOSED else after


@given(STORIES)
def test_the_graver_a_finding_the_surer_people_are_notified(story: list[Finding | str]) -> None:
    live: LiveAlert | None = None
    for step in (one for one in story if isinstance(one, Finding)):
        change = fold(live, step, NOW)
        if change is not None and step.level and step.severity is not Severity.LOW:
            is_graver = live is None or step.level > live.level
            assert change.notifies == is_graver
        live = change.alert if change else live


def test_a_grave_alert_is_notified_every_quarter_of_an_hour_then_hourly_for_ever() -> None:
    waits = [next_repeat(Severity.HIGH, repeats, NOW, 1.0) for repeats in (0, 3, 4, 500)]

    assert waits == [NOW + REPEAT_MS, NOW + REPEAT_MS, NOW + LATER_REPEAT_MS, NOW + LATER_REPEAT_MS]


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.LOW, Severity.TECHNICAL])
def test_only_grave_alerts_are_repeated(severity: Severity) -> None:
    assert next_repeat(severity, 0, NOW, 1.0) is None


def test_a_fast_clock_does_not_flood_people() -> None:
    assert next_repeat(Severity.HIGH, 0, NOW, 600.0) == NOW + 10_000 * 600


def test_retries_come_quickly_at_first_and_never_stop() -> None:
    assert [retry_after_s(failures) for failures in (1, 2, 3, 4, 5, 5000)] == [
        5,
        15,
        45,
        120,
        LAST_RETRY_S,
        LAST_RETRY_S,
    ]


def test_the_idempotency_key_is_one_notification_to_one_doctor_over_one_channel() -> None:
    keys = {
        idempotency_key(ALERT_ID, step, doctor, channel)
        for step in (1, 2)
        for doctor in (1, 2)
        for channel in ("email", "webhook")
    }

    assert len(keys) == 8


def test_the_link_is_the_alerts_own_notification() -> None:
    assert page_link("https://console.example/", ALERT_ID) == f"https://console.example/alerts/{ALERT_ID}"
