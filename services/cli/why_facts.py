"""What the database knows about a person about whom nobody was notified."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.cli.session import RefusedError, Session, settings_of
from services.cli.why import (
    LOOK_BACK,
    BoundDevice,
    Facts,
    OpenAlert,
    Reading,
    Recipient,
    Rejections,
)
from services.runtime.database import load_queries
from services.runtime.settings import BrokerSettings

_REJECTED_WITHIN: Final = timedelta(hours=24)
_READINGS_WITHIN: Final = timedelta(days=30)
_THROTTLED_WITHIN: Final = timedelta(minutes=5)
_FOUND_WITHIN: Final = timedelta(hours=24)


async def facts_about(session: Session, person_id: UUID) -> Facts:
    """As of now. Raises RefusedError where there is no such person."""
    sql, pool, now = load_queries("services.cli", "why.sql"), session.pool, session.now
    person = await pool.fetchrow(sql["person"], person_id)
    if person is None:
        raise RefusedError(f"There is no person {person_id}.")
    person_no, home_no = person["person_no"], person["home_no"]
    devices = [BoundDevice(**dict(row)) for row in await pool.fetch(sql["devices"], person_no)]
    names = sorted({one.device for one in devices})
    home = await pool.fetchrow(sql["heard_in_home"], home_no)
    recent = await pool.fetch(sql["newest_readings"], person_no, now - LOOK_BACK, now)
    last = await pool.fetch(sql["last_readings"], person_no, now - _READINGS_WITHIN)
    rejections = await pool.fetch(sql["rejections"], names, now - _REJECTED_WITHIN)
    throttled = await pool.fetch(sql["throttled"], names, now - _THROTTLED_WITHIN)
    alerts = await pool.fetch(sql["alerts"], person_no, home_no)
    findings = await pool.fetch(sql["findings"], person_no, now - _FOUND_WITHIN)
    return Facts(
        now=now,
        rate=session.clock.rate,
        checks_devices=settings_of(BrokerSettings).kind != "unchecked",
        watermark=await pool.fetchval(sql["watermark"]),
        devices=devices,
        home_devices=home["devices"] if home else 0,
        home_heard_at=home["heard_at"] if home else None,
        recent=[_reading(row) for row in recent],
        last=[_reading(row) for row in last],
        rejections=[Rejections(**dict(row)) for row in rejections],
        throttled=[(row["device"], row["throttled"]) for row in throttled],
        recipients=[Recipient(**dict(row)) for row in await pool.fetch(sql["recipients"], person_no, now)],
        alerts=[OpenAlert(**{name: row[name] for name in OpenAlert._fields}) for row in alerts],
        findings=[f"{row['rule']}, level {row['level']}, {row['raised_at']:%Y-%m-%d %H:%M} UTC" for row in findings],
    )


def _reading(row: object) -> Reading:
    return Reading(**{name: row[name] for name in Reading._fields})  # type: ignore[index]
