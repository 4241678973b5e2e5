"""What became of a demo's past: stored as it was written, and nobody notified of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import asyncpg

from deploy.demo.past import Progress

_STORED: Final = """
select (select count(*) from readings where epoch = $1 and received_at < $2) as readings,
       (select count(*) from device_events where epoch = $1 and received_at < $2) as events,
       (select count(*) from findings where observed_at < $2) as findings
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOutcome:
    """``readings`` and ``events`` as they are stored, ``findings`` of what happened before the demo: none are to be."""

    days: int
    of_days: int
    readings: int
    events: int
    doses: int
    findings: int
    done: bool
    failures: list[str] = field(default_factory=list)


async def judge_past(dsn: str, epoch: int, origin: datetime, filled: Progress | None) -> PastOutcome:
    """Holds what is stored under ``epoch``, and was received before ``origin``, against what was written.

    A past that is under way fails nothing by that. A device that somebody added by hand may have the same epoch.
    """
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchrow(_STORED, epoch, origin)
    finally:
        await connection.close()
    assert found is not None  # noqa: S101 - the query has no from
    filled = filled or Progress()
    said = {
        f"of the history {filled.readings} readings and {filled.events} events were written, "
        f"{found['readings']} and {found['events']} are stored": (
            filled.done and (filled.readings, filled.events) != (found["readings"], found["events"])
        ),
        f"{filled.rejections} items of the history rejected": filled.rejections > 0,
        f"{found['findings']} findings of what was before the demo": found["findings"] > 0,
    }
    return PastOutcome(
        days=filled.days,
        of_days=filled.of_days,
        readings=found["readings"],
        events=found["events"],
        doses=filled.doses,
        findings=found["findings"],
        done=filled.done,
        failures=[what for what, true in said.items() if true],
    )
