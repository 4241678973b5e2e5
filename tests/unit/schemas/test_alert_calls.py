"""Of a fall or an SOS call, whatever is said more is news, but nobody is notified twice within two minutes."""

import pytest

from schemas.alert_machine import CALLED_AGAIN_AFTER_MS, Happened, LiveAlert, acknowledge, fold
from schemas.alerts import AlertState, Finding, Severity

NOW = 1_700_000_000_000


def finding(*, rule: str, level: int = 1, episode: int = 1, words: str = "They fell.") -> Finding:
    return Finding(
        person_no=3,
        home_no=2,
        rule=rule,
        rule_version=1,
        episode=episode,
        level=level,
        severity=Severity.HIGH,
        observed_at=NOW - 500,
        evidence=(),
        doctor_text=words,
        caregiver_text="Something.",
        rationale="Because.",
    )


def press(number: int = 1, *, episode: int = 1) -> Finding:
    return finding(rule="sos", episode=episode, words=f"Pressed {number} times.")


def called(found: Finding) -> LiveAlert:
    change = fold(None, found, NOW)
    assert change is not None
    return change.alert


@pytest.mark.parametrize("episode", [1, 2])
def test_who_calls_again_after_somebody_took_it_on_opens_the_alert_again_however_soon(episode: int) -> None:
    taken_on = acknowledge(called(press()), 11, "calling", NOW).alert
    change = fold(taken_on, press(2, episode=episode), NOW + 1000, notified_at=NOW)

    assert change is not None
    assert change.happened is Happened.REOPENED
    assert change.notifies
    assert (change.alert.state, change.alert.doctor_text) == (AlertState.OPEN, "Pressed 2 times.")


@pytest.mark.parametrize("episode", [1, 2])
@pytest.mark.parametrize(
    ("since", "happened"),
    [
        (CALLED_AGAIN_AFTER_MS, Happened.CALLED_AGAIN),
        (CALLED_AGAIN_AFTER_MS - 1, Happened.JOINED),
        (0, Happened.JOINED),
        (None, Happened.CALLED_AGAIN),
    ],
)
def test_who_calls_again_notifies_people_unless_they_have_just_been_notified(
    since: int | None, happened: Happened, episode: int
) -> None:
    live, now = called(press()), NOW + 500_000
    change = fold(live, press(2, episode=episode), now, notified_at=None if since is None else now - since)

    assert change is not None
    assert change.happened is happened
    assert change.notifies is (happened is Happened.CALLED_AGAIN)
    assert (change.alert.state, change.alert.doctor_text) == (AlertState.OPEN, "Pressed 2 times.")
    assert change.alert.episodes == episode


def test_a_long_lie_is_said_on_the_alert_of_its_fall_even_where_people_have_just_been_notified() -> None:
    fallen = called(finding(rule="fall", level=2))
    lying = fold(fallen, finding(rule="fall", level=3), NOW + 1000, notified_at=NOW)
    assert lying is not None
    assert lying.happened is Happened.RAISED
    found = finding(rule="fall", level=3, words="Long lie.")
    long_lie = fold(lying.alert, found, NOW + 2000, notified_at=NOW + 1999)
    assert long_lie is not None

    assert (long_lie.happened, long_lie.alert.doctor_text) == (Happened.JOINED, "Long lie.")


def test_a_milder_finding_of_the_same_fall_is_noted() -> None:
    live = called(finding(rule="fall", level=3))

    change = fold(live, finding(rule="fall", level=2), NOW)
    assert change is not None
    assert (change.happened, change.alert) == (Happened.NOTED, live)
