"""When people are notified again, when a notification is tried again, and what identifies it."""

from uuid import UUID

import pytest

from schemas.alerts import Severity
from services.alert.core import (
    LAST_RETRY_S,
    LATER_REPEAT_MS,
    REPEAT_MS,
    idempotency_key,
    next_repeat,
    page_link,
    retry_after_s,
)

NOW = 1_700_000_000_000
ALERT_ID = UUID(int=7)


def test_a_grave_alert_is_notified_every_quarter_of_an_hour_then_hourly_for_ever() -> None:
    waits = [next_repeat(Severity.HIGH, repeats, NOW, shortest_ms=10_000) for repeats in (0, 3, 4, 500)]

    assert waits == [NOW + REPEAT_MS, NOW + REPEAT_MS, NOW + LATER_REPEAT_MS, NOW + LATER_REPEAT_MS]


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.LOW, Severity.TECHNICAL])
def test_only_grave_alerts_are_repeated(severity: Severity) -> None:
    assert next_repeat(severity, 0, NOW, shortest_ms=10_000) is None


def test_a_fast_clock_does_not_flood_people() -> None:
    assert next_repeat(Severity.HIGH, 0, NOW, shortest_ms=10_000 * 600) == NOW + 10_000 * 600


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
