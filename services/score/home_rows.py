"""What is stored of a home as its log again: records in the order of reception, as score was given them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import UNSETTLED, Flag
from schemas.records import JudgedUplink
from schemas.vitals import VITAL_BY_NUMBER
from services.runtime.clock import to_datetime
from services.runtime.database import Connection, Pool, load_queries
from services.score.source import records_of, stored_event, stored_reading

SQL: Final = load_queries("services.score", "explain.sql")
_VITALS: Final = list(VITAL_BY_NUMBER)
_FLAGGED_SINCE: Final = int(Flag.REPEATED | Flag.HELD)
"""By store, and by what score had found: a record comes without them."""
_ASSIGNED: Final = int(Flag.ASSIGNED)


async def read_home(pool: Pool | Connection, home_no: int, since: int, until: int) -> list[JudgedUplink]:
    """Everything of the home that was received from ``since`` to ``until`` (ms), but for pasts that were filled in."""
    moments = to_datetime(since), to_datetime(until)
    readings = await pool.fetch(SQL["readings_of_home"], home_no, _VITALS, *moments)
    events = await pool.fetch(SQL["events_of_home"], home_no, *moments)
    heard = await pool.fetch(SQL["heard_of_home"], home_no, *moments, list(UNSETTLED))
    pasts = {row["epoch"]: row["until_ms"] for row in await pool.fetch(SQL["filled_pasts"])}
    items = [stored_reading(row) for row in readings] + [stored_event(row) for row in events]
    # What was nobody's when it came was rejected then.
    late = [one for one in items if one.item.flags & _ASSIGNED]
    records = records_of(one for one in items if not one.item.flags & _ASSIGNED)
    unread = [_heard(row) for row in heard] + [one._replace(readings=(), events=()) for one in records_of(late)]
    return [one for one in with_unread(records, unread) if one.received_at > pasts.get(one.epoch, 0)]


def with_unread(records: Sequence[JudgedUplink], unread: Iterable[JudgedUplink]) -> list[JudgedUplink]:
    """``records`` with the uplinks of which nothing else is stored, in the order of reception."""
    known = {_identity(one) for one in records}
    more = {_identity(one): one for one in unread if _identity(one) not in known}
    return sorted([*records, *more.values()], key=lambda one: (one.received_at, *_identity(one)))


def as_scored(records: Iterable[JudgedUplink]) -> list[JudgedUplink]:
    """The records as they were on the log: without flags that stored items have got since."""
    return [
        one._replace(
            readings=tuple(item._replace(flags=item.flags & ~_FLAGGED_SINCE) for item in one.readings),
            events=tuple(item._replace(flags=item.flags & ~_FLAGGED_SINCE) for item in one.events),
        )
        for one in records
    ]


def _identity(one: JudgedUplink) -> tuple[int, int, int]:
    return one.device_no, one.epoch, one.seq


def _heard(row: Any) -> JudgedUplink:
    kind = DEVICE_TYPE_BY_CODE.get(row["device_type"])
    return JudgedUplink(
        device_no=row["device_no"], device=row["device"], home_no=row["home_no"], shard=row["shard"],
        epoch=row["epoch"], seq=row["seq"], oldest=0, sent_at=row["received_ms"], received_at=row["received_ms"],
        device_type=kind.number if kind else 0,
    )  # fmt: skip
