"""What stored rows would answer a look back, without a database: rows of a time, and the devices that were off then."""

from collections.abc import Iterable

from schemas.records import JudgedUplink
from schemas.vitals import STEPS
from services.score.core import CHARGING, WEARING
from services.score.look_back import Off
from services.score.look_rows import moment_of
from services.score.sample import SHOWS_WORN


def between(rows: Iterable[JudgedUplink], since: int, until: int, *, received_by: int) -> list[JudgedUplink]:
    """Rows of one moment each that were observed from ``since`` up to before ``until``, and received by then, in ms."""
    return [one for one in rows if one.received_at <= received_by and since <= moment_of(one) < until]


def devices_off(rows: Iterable[JudgedUplink]) -> list[Off]:
    """Devices that have said in rows of one moment each that they are off the body, and have shown nothing since."""
    last: dict[int, Off] = {}
    for one in sorted(rows, key=moment_of):
        at, device_no = moment_of(one), one.device_no
        steps = any(item.vital == STEPS.number and item.value for item in one.readings)
        is_worn = steps or any(item.flags & SHOWS_WORN for item in one.readings)
        if is_worn and device_no in last and last[device_no].at < at:
            del last[device_no]
        for event in one.events:
            if WEARING.get(event.kind) is False:
                last[device_no] = Off(device_no, at, event.kind == CHARGING)
            elif WEARING.get(event.kind):
                last.pop(device_no, None)
    return list(last.values())
