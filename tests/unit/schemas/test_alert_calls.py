"""Of a fall or an SOS call, whatever is said more is news, but nobody is notified twice within two minutes."""

import pytest

from schemas.alert_events import Acknowledged, Reason
from schemas.alert_machine import acknowledge
from schemas.alert_states import Happened, LiveAlert
from schemas.alert_timing import CALLED_AGAIN_AFTER_MS
from schemas.alerts import AlertState, Finding, Severity
from tests.unit.schemas.alert_stories import NOW, after, finding


def press(number: int = 1, *, episode: int = 1) -> Finding:
    return finding(rule="sos", episode=episode, severity=Severity.HIGH, words=f"Pressed {number} times.")


def fall(*, level: int, words: str = "They fell.") -> Finding:
    return finding(rule="fall", level=level, severity=Severity.HIGH, words=words)


def called(found: Finding) -> LiveAlert:
    return after(None, found, NOW).alert


@pytest.mark.parametrize("episode", [1, 2])
def test_who_calls_again_after_somebody_took_it_on_opens_the_alert_again_however_soon(episode: int) -> None:
    taken_on = acknowledge(called(press()), Acknowledged(doctor_no=11, note="calling"), NOW).alert
    change = after(taken_on, press(2, episode=episode), NOW + 1000, notified_at=NOW)

    assert change.happened is Happened.REOPENED
    assert change.notification is not None
    assert change.notification.reason is Reason.CAME_BACK
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
    change = after(live, press(2, episode=episode), now, notified_at=None if since is None else now - since)

    assert change.happened is happened
    assert (change.notification is not None) is (happened is Happened.CALLED_AGAIN)
    assert (change.alert.state, change.alert.doctor_text) == (AlertState.OPEN, "Pressed 2 times.")
    assert change.alert.episodes == episode
    # Who called too soon to be said at once is not forgotten.
    assert change.plan is not None
    assert change.plan.reason is (Reason.REPEAT if happened is Happened.CALLED_AGAIN else Reason.AGAIN)


def test_a_long_lie_is_said_on_the_alert_of_its_fall_even_where_people_have_just_been_notified() -> None:
    fallen = called(fall(level=2))
    lying = after(fallen, fall(level=3), NOW + 1000, notified_at=NOW)
    assert lying.happened is Happened.RAISED
    long_lie = after(lying.alert, fall(level=3, words="Long lie."), NOW + 2000, notified_at=NOW + 1999)

    assert (long_lie.happened, long_lie.alert.doctor_text) == (Happened.JOINED, "Long lie.")


def test_a_milder_finding_of_the_same_fall_is_noted() -> None:
    live = called(fall(level=3))
    change = after(live, fall(level=2), NOW)

    assert (change.happened, change.alert) == (Happened.NOTED, live)
