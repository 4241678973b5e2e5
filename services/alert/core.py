"""When a notification is tried again, and what identifies it. Pure."""

from datetime import date
from typing import Final
from uuid import UUID

SHORTEST_REPEAT_S: Final = 10.0
"""However fast the platform's clock runs, people are not notified again sooner than this, real time."""
RETRY_AFTER_S: Final = (5, 15, 45, 120)
"""Real seconds before another attempt, after the first, second, ... failure; then ``LAST_RETRY_S`` each."""
LAST_RETRY_S: Final = 300


def retry_after_s(failures: int) -> int:
    """Real seconds to wait after the ``failures``-th failed attempt, from 1."""
    return RETRY_AFTER_S[failures - 1] if failures <= len(RETRY_AFTER_S) else LAST_RETRY_S


def idempotency_key(alert_id: UUID, step: int, doctor_no: int, channel: str) -> str:
    """The same for every attempt at one notification: a receiver recognises a repetition by it."""
    return f"{alert_id}.{step}.{doctor_no}.{channel}"


def page_link(base_url: str, alert_id: UUID) -> str:
    """Where the console shows the alert."""
    return f"{base_url.rstrip('/')}/alerts/{alert_id}"


def list_key(doctor_no: int, day: date, channel: str) -> str:
    """The same for every attempt at the list of one morning over one channel, and no notification's."""
    return f"list.{doctor_no}.{day:%Y-%m-%d}.{channel}"


def list_link(base_url: str) -> str:
    """Where the console shows the list of the morning."""
    return f"{base_url.rstrip('/')}/morning"
