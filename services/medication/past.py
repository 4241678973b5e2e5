"""Doses of before the platform was there: planned, counted and settled as all others; nobody is notified of any.

Two steps. ``begin_past`` comes before anything looks at doses: none of before that moment is planned by the planner.
``settle_past`` writes them once their events are stored, as what they came to, and never to be judged again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.adherence import CountedDose, recent
from schemas.doses import OPEN_STATES, TAKEN_STATES
from schemas.reasons import NO_TAKING
from services.medication.core import Heard, Moment, look
from services.medication.evidence import evidence_of
from services.medication.machine import DISPENSED, TAKING, Dose, DoseEvent, Taking, fold
from services.medication.planner import plan_of
from services.medication.planning import Plan, PlannedDose, plan_doses
from services.medication.rows import dose_row, new_dose_row
from services.runtime.database import Connection, Pool, load_queries, transaction

_KINDS: Final = (*TAKING, DISPENSED)
_ONE_DAY: Final = timedelta(days=1)
PAST_SQL: Final = "past.sql"


async def begin_past(connection: Connection, at: datetime) -> None:
    """Plans begin at ``at`` for the planner, and events of before it are no news."""
    sql, past = load_queries("services.medication"), load_queries("services.medication", PAST_SQL)
    await connection.execute(past["plan_from"], at)
    await connection.execute(sql["looked_at"], at)


async def settle_past(pool: Pool, since: datetime, until: datetime) -> int:
    """Writes the doses due in [``since``, ``until``) that are settled by then; says how many there are.

    The same again changes nothing. A dose that was still open by ``until`` is left out: it would be somebody's news.
    Raises what ``LOST_CONNECTION`` lists.
    """
    sql, past = load_queries("services.medication"), load_queries("services.medication", PAST_SQL)
    async with transaction(pool) as connection:
        await connection.execute(sql["take_turn"])
        plans = [plan_of(row) for row in await connection.fetch(past["versions_of_past"])]
        doses = [dose_of(plan, dose) for plan in plans for dose in plan_doses(plan, since, until)]
        devices = sorted({dose.device_no for dose in doses})
        rows = await connection.fetch(sql["events_of_devices"], devices, [since] * len(devices), _KINDS, int(NO_TAKING))
        events = [event for row in rows if (event := DoseEvent(**row)).observed_at < until]
        takings = fold(doses, events)
        settled = settled_by(doses, takings, until)
        await connection.executemany(sql["save_dose"], [new_dose_row(dose) for dose in settled])
        await connection.executemany(sql["settle_dose"], [dose_row(dose) for dose in settled])
        counted = {dose.dose_id: takings[dose.dose_id] for dose in settled}
        await connection.executemany(sql["count_event"], evidence_of(counted, {})[1])
        await connection.execute(past["fix_doses"], [dose.dose_id for dose in settled], until)
        await connection.executemany(
            load_queries("services.medication", "closing.sql")["close_day"], closed_days(settled, takings, until)
        )
    return len(settled)


def dose_of(plan: Plan, dose: PlannedDose) -> Dose:
    """As it is planned, before anything is known of it."""
    return Dose(
        dose_id=dose.dose_id,
        plan_id=plan.plan_id,
        version_no=plan.version_no,
        person_no=plan.person_no,
        home_no=plan.home_no,
        device_no=plan.device_no,
        compartment=plan.compartment,
        drug=plan.drug,
        strength=plan.strength,
        count=plan.count,
        zone=plan.recurrence.zone,
        time_critical=plan.time_critical,
        listed=plan.listed,
        early_after=dose.early_after,
        opens_at=dose.opens_at,
        due_at=dose.due_at,
        closes_at=dose.closes_at,
        missed_at=dose.missed_at,
    )


def settled_by(doses: Sequence[Dose], takings: Mapping[UUID, Taking], until: datetime) -> list[Dose]:
    """As they stand at ``until``, when their dispensers were heard last; without what would have been said of them."""
    heard = {dose.device_no: Heard(until) for dose in doses}
    first = Moment(now=until, watermark=until, heard=heard, pauses=(), next_episode={})
    # A dispenser that is heard for the first time is given some minutes to make up for what it has not sent yet.
    once = {dose.dose_id: dose for dose in look(doses, takings, first).doses}
    known = [once.get(dose.dose_id, dose) for dose in doses]
    looked = {dose.dose_id: dose for dose in look(known, {}, replace(first, watermark=until + _ONE_DAY)).doses}
    found = [looked.get(dose.dose_id, dose) for dose in known]
    # The other look is ahead of its time for what may be taken still.
    over = (dose for dose in found if dose.state in TAKEN_STATES or dose.missed_at < until)
    return [_unsaid(dose) for dose in over if dose.state not in OPEN_STATES]


def _unsaid(dose: Dose) -> Dose:
    return replace(
        dose, episode=None, said_last=None, said=0, double_episode=None, double_said=0, judged_from=None, reminders=0
    )


def closed_days(doses: Iterable[Dose], takings: Mapping[UUID, Taking], until: datetime) -> list[tuple[object, ...]]:
    """What each local day of each person came to, of those that had ended."""
    counted: dict[tuple[int, str], list[CountedDose]] = {}
    for dose in doses:
        taken_at = takings[dose.dose_id].taken_at
        in_window = taken_at is not None and dose.opens_at <= taken_at <= dose.closes_at
        day = dose.due_at.astimezone(ZoneInfo(dose.zone)).date()
        one = CountedDose(dose.plan_id, dose.due_at, day, dose.state, in_window)
        counted.setdefault((dose.person_no, dose.zone), []).append(one)
    rows: list[tuple[object, ...]] = []
    for (person_no, zone), theirs in counted.items():
        today = until.astimezone(ZoneInfo(zone)).date()
        for day in sorted({one.day for one in theirs if one.day < today}):
            measures = recent(theirs, day)
            rows.append((person_no, day, measures.taken, measures.known, until))
    return rows
