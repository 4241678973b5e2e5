"""When a notification is tried again, and what identifies it."""

from uuid import UUID

from services.alert.core import LAST_RETRY_S, idempotency_key, page_link, retry_after_s

ALERT_ID = UUID(int=7)


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
