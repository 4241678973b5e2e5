"""Alerts that no doctor answers: whatever goes on is said again and again, never later than its interval."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from schemas.alerts import Severity
from schemas.rule_names import LISTED, RULE_NAMES

_STANDING: Final = """
select a.alert_id::text as alert_id, a.rule, h.home_id::text as home_id, a.active_severity as severity,
       coalesce(array_agg(step.at order by step.at) filter (where step.at is not null), '{}') as said_at
from alerts a join homes h using (home_no)
left join lateral (
    -- What another alert said in its place counts: it was asked when it was due.
    select coalesce(min(n.created_at), case when s.suppressed then s.due_at end) as at
    from escalation_steps s left join notifications n using (alert_id, step)
    where s.alert_id = a.alert_id and s.due_at >= a.opened_at group by s.step, s.suppressed, s.due_at
) step on true
where a.state = 'open' and a.ended_at is null and a.active_severity >= 2 and not a.rule = any ($1::text[])
group by a.alert_id, h.home_id
"""
_QUIET_RULES: Final = [row.name for row in RULE_NAMES if row.technical or row.name in LISTED]
_SHORT: Final = {Severity.HIGH: (timedelta(minutes=15), 4), Severity.MEDIUM: (timedelta(hours=2), 1)}
"""How soon it is said again, and how often so soon."""
_LONG: Final = {Severity.HIGH: timedelta(hours=1), Severity.MEDIUM: timedelta(hours=8)}
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An open alert whose condition goes on; ``said_at``: when people were notified since it opened, platform time."""

    alert_id: str
    rule: str
    home_id: str
    severity: Severity
    said_at: Sequence[datetime]

    def due_at(self) -> datetime | None:
        """When it has to be said again; None where it has not been said yet."""
        if not self.said_at:
            return None
        interval, times = _SHORT[self.severity]
        return self.said_at[-1] + (interval if len(self.said_at) <= times else _LONG[self.severity])


@dataclass(slots=True, kw_only=True)
class Unanswered:
    """``repeats``: how often what stands was said again. ``silent``: alerts whose next time has passed."""

    standing: int = 0
    repeats: int = 0
    silent: int = 0
    examples: list[str] = field(default_factory=list)


async def load_standing(dsn: str, homes: Collection[str]) -> list[Standing]:
    """What stands open now about these homes."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_STANDING, _QUIET_RULES)
    finally:
        await connection.close()
    found = [Standing(**{**dict(row), "severity": Severity(row["severity"])}) for row in rows]
    return [one for one in found if one.home_id in homes]


def judge_unanswered(standing: Sequence[Standing], now: datetime, slack: timedelta) -> Unanswered:
    """``slack``: so much later than its interval a notification may come. One that was never said is silent."""
    outcome = Unanswered(standing=len(standing))
    for one in standing:
        outcome.repeats += max(0, len(one.said_at) - 1)
        due_at = one.due_at()
        if due_at is None or due_at + slack < now:
            outcome.silent += 1
            said = f"last at {one.said_at[-1]:%H:%M:%S}" if one.said_at else "never"
            outcome.examples.append(f"not said again: {one.rule} {one.alert_id}, {said}")
    outcome.examples = outcome.examples[:_EXAMPLES]
    return outcome
