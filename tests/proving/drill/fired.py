"""When rows that had a due time fired, read from what they left behind: how late, how often. Platform time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import numpy as np

_LATEST_S: Final = 5.0
FIRED: Final[Mapping[str, str]] = {
    "escalation steps": """
        select s.due_at, o.created_at as fired_at,
               (select count(*) from alert_audit u where u.alert_id = s.alert_id and u.what = 'repeated'
                and u.at < s.due_at + interval '14 minutes')::int as times
        from escalation_steps s join notifications o using (alert_id, step) join alerts a using (alert_id)
        where s.step = 2 and a.rule = 'spo2' and o.attempts > 0
    """,
    "fall checks": """
        select c.due_at, min(f.raised_at) as fired_at, count(*)::int as times
        from fall_checks c join findings f on f.person_no = c.person_no and f.rule = 'fall' and f.level > 0
        group by c.person_no, c.due_at
    """,
    "sos calls": """
        select c.due_at, min(f.raised_at) as fired_at, count(*)::int as times
        from sos_calls c join findings f on f.person_no = c.person_no and f.rule = 'sos' and f.level = 0
        group by c.person_no, c.due_at
    """,
    "doses": """
        select c.missed_at as due_at, min(f.raised_at) as fired_at, count(*)::int as times
        from doses c join findings f on f.person_no = c.person_no and f.rule = 'missed_dose' and f.level > 0
        where c.state = 'missed' group by c.dose_id, c.missed_at
    """,
}


@dataclass(frozen=True, slots=True)
class Fired:
    """One row: when it was due, when it fired, how often."""

    due_at: datetime
    fired_at: datetime
    times: int


async def load_fired(dsn: str) -> dict[str, list[Fired]]:
    """By kind."""
    connection = await asyncpg.connect(dsn)
    try:
        return {kind: [Fired(**dict(row)) for row in await connection.fetch(query)] for kind, query in FIRED.items()}
    finally:
        await connection.close()


def judge(fired: Iterable[Fired], *, pending: int, started_at: datetime, rate: float) -> dict[str, Any]:
    """How late each was, in real seconds after it was due, or after the start where it had been due before."""
    rows = list(fired)
    late = [(row.fired_at - max(row.due_at, started_at)).total_seconds() / rate for row in rows]
    return {
        "pending": pending,
        "fired": len(rows),
        "due_while_down": sum(row.due_at <= started_at for row in rows),
        "early": sum(row.fired_at < row.due_at for row in rows),
        "twice": sum(row.times > 1 for row in rows),
        "late_s": {
            **{f"p{quantile}": round(float(np.percentile(late or [0.0], quantile)), 2) for quantile in (50, 90, 99)},
            "max": round(max(late, default=0.0), 2),
        },
    }


def wrong(kind: str, found: Mapping[str, Any]) -> list[str]:
    """What is wrong with a kind; empty for nothing."""
    checks = {
        f"{kind}: {found['fired']} of {found['pending']} fired": found["fired"] == found["pending"],
        f"{kind}: {found['early']} early": not found["early"],
        f"{kind}: {found['twice']} twice": not found["twice"],
        f"{kind}: the last {found['late_s']['max']} s late": found["late_s"]["max"] <= _LATEST_S,
    }
    return [what for what, well in checks.items() if not well]
