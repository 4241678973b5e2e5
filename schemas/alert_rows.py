"""An alert as a row of the table ``alerts``: read here for every service that moves one."""

from datetime import datetime
from typing import Any, Protocol

from schemas.alert_states import LiveAlert
from schemas.alerts import AlertState, Severity


class Row(Protocol):
    """What a database driver gives: values by the name of their column."""

    def __getitem__(self, column: str, /) -> Any: ...


def alert_of(row: Row) -> LiveAlert:
    """The alert that a row with all columns of ``alerts`` holds."""
    return LiveAlert(
        alert_id=row["alert_id"],
        home_no=row["home_no"],
        person_no=row["person_no"],
        rule=row["rule"],
        concern=row["concern"],
        severity=Severity(row["severity"]),
        level=row["level"],
        active_severity=Severity(row["active_severity"]),
        active_level=row["active_level"],
        state=AlertState(row["state"]),
        episode=row["episode"],
        episodes=row["episodes"],
        episodes_since_open=row["episodes_since_open"],
        active_episodes=tuple(row["active_episodes"]),
        first_at=_ms(row["first_at"]),
        opened_at=_ms(row["opened_at"]),
        condition_at=_ms(row["condition_at"]),
        doctor_text=row["doctor_text"],
        caregiver_text=row["caregiver_text"],
        rationale=row["rationale"],
        unverified=row["unverified"],
        ended_at=_ms_or_none(row["ended_at"]),
        acknowledged_at=_ms_or_none(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        acknowledged_note=row["acknowledged_note"],
        closed_at=_ms_or_none(row["closed_at"]),
        version=row["version"],
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _ms_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else _ms(moment)
