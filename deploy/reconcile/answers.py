"""What doctors saw at the console must be true: acknowledgements kept, each once, and every alert listed once."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

_RECORDED: Final = """
select t.alert_id::text as alert_id, d.email, t.note,
       exists (
           select from audit a
           where a.alert_id = t.alert_id and a.doctor_no = t.doctor_no and a.action = 'acknowledge' and a.allowed
       ) as audited
from alert_audit t join doctors d using (doctor_no) where t.what = 'acknowledged'
"""
_WAITING: Final = """
select d.email, a.alert_id::text as alert_id
from alerts a cross join doctors d
where a.state <> 'closed' and exists (
    select from care_relations c join people p using (person_no)
    where c.doctor_no = d.doctor_no and c.valid @> $1::timestamptz
      and (p.person_no = a.person_no or (a.person_no = 0 and p.home_no = a.home_no))
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An acknowledgement that a doctor sent; ``note`` is no other's. ``said_yes``: the console answered that it is."""

    alert_id: str
    email: str
    note: str
    said_yes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An acknowledgement in the trail of its alert; ``audited``: the audit of what doctors do has it, too."""

    alert_id: str
    email: str
    note: str
    audited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """What the database says that the console must have done, and must show now."""

    recorded: Sequence[Recorded]
    waiting: Collection[tuple[str, str]]
    """(Doctor, alert) of everything that is not closed, by who cares."""


async def load(dsn: str, now: datetime) -> Console:
    """Reads it; ``now`` is platform time."""
    connection = await asyncpg.connect(dsn)
    try:
        return Console(
            recorded=[Recorded(**dict(row)) for row in await connection.fetch(_RECORDED)],
            waiting={(row["email"], row["alert_id"]) for row in await connection.fetch(_WAITING, now)},
        )
    finally:
        await connection.close()


def wrong_answers(sent: Sequence[Answer], recorded: Sequence[Recorded]) -> list[str]:
    """I5: what was answered with yes is in the database once, what is there was sent, and the audit knows of it."""
    times = Counter((one.alert_id, one.email, one.note) for one in recorded)
    known = {(one.alert_id, one.email, one.note) for one in sent}
    wrong = [
        f"alert {one.alert_id}: {one.email} saw that it is acknowledged, and it is not"
        for one in sent
        if one.said_yes and not times[one.alert_id, one.email, one.note]
    ]
    wrong += [
        f"alert {key[0]}: acknowledged {number} times by one answer" for key, number in times.items() if number > 1
    ]
    wrong += [f"alert {key[0]}: acknowledged by nobody we know" for key in times if key not in known]
    wrong += [f"alert {one.alert_id}: acknowledged without audit" for one in recorded if not one.audited]
    return wrong


def wrongly_listed(waiting: Collection[tuple[str, str]], listed: Mapping[str, Sequence[str]]) -> list[str]:
    """I2: each doctor's console lists each alert that is not closed once, and nothing else."""
    wrong = []
    for email, alerts in listed.items():
        expected = {alert for doctor, alert in waiting if doctor == email}
        times = Counter(alerts)
        wrong += [f"alert {alert} is not shown to {email}" for alert in sorted(expected - times.keys())]
        wrong += [f"alert {alert} is shown to {email}, though closed" for alert in sorted(times.keys() - expected)]
        wrong += [f"alert {alert} is shown {number} times" for alert, number in times.items() if number > 1]
    return wrong
