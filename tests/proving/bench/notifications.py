"""From the press of an SOS button to the doctor's inbox: a real mail server, arrivals matched with presses."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final

import asyncpg
from aiosmtpd.controller import Controller

from deploy.reconcile.latency import quantile_of

_ALERTS: Final = """
select d.device, a.alert_id::text as alert_id
from alerts a
join device_events e on e.person_no = a.person_no and e.observed_at = a.condition_at
join devices d using (device_no)
where a.rule = 'sos'
"""
_ARRIVE_WITHIN_S: Final = 20.0


@dataclass(slots=True)
class Inbox:
    """When the first notification of each alert arrived, in seconds of ``time.monotonic()``."""

    arrived_s: dict[str, float] = field(default_factory=dict)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Takes every mail; the Message-ID of a notification begins with its alert, that of a list does not."""
        now = time.monotonic()
        key = str(message_from_bytes(envelope.content)["Message-ID"])
        self.arrived_s.setdefault(key.strip("<>").partition(".")[0], now)
        return "250 OK"


@contextmanager
def open_inbox(port: int) -> Iterator[Inbox]:
    """A mail server on loopback."""
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield inbox
    finally:
        server.stop()


def notification_latency(
    presses: Mapping[str, float], alerts: Mapping[str, str], arrived_s: Mapping[str, float]
) -> dict[str, float | int | None]:
    """Milliseconds from press (device to seconds) over alert (device to alert) to notification (alert to seconds)."""
    taken = [
        1000 * (arrived_s[alerts[device]] - pressed_s)
        for device, pressed_s in presses.items()
        if alerts.get(device) in arrived_s
    ]
    taken.sort()
    return {
        "p50": quantile_of(taken, 0.5),
        "p99": quantile_of(taken, 0.99),
        "most": taken[-1] if taken else None,
        "notifications": len(taken),
        "missed": len(presses) - len(taken),
    }


async def wait_for_notifications(
    dsn: str, presses: Sequence[Mapping[str, Any]], inbox: Inbox
) -> dict[str, float | int | None]:
    """Waits until every press has become a notification, at most twenty seconds."""
    pressed = {press["device"]: press["at_monotonic_s"] for press in presses}
    deadline = time.monotonic() + _ARRIVE_WITHIN_S
    while True:
        connection = await asyncpg.connect(dsn)
        try:
            alerts = {row["device"]: row["alert_id"] for row in await connection.fetch(_ALERTS)}
        finally:
            await connection.close()
        found = notification_latency(pressed, alerts, inbox.arrived_s)
        if not found["missed"] or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
