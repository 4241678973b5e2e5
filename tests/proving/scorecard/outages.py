"""When a lone device's silence would be said, by the product's rule and by fixed limits; outages made by hand. Pure.

Of the rule this drives the pure part, ``silences_of``. Which device is overdue is a query over rows (``newly_silent``
in ``services/score/silence.sql``); of it, a device alone in its home that explains nothing needs one condition only:
it was heard longer ago than its kind may be.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from services.score.silent_homes import OverdueDevice, silences_of

MARKER_MIN: Final = 1.0
"""How often this looks; the platform looks each few seconds."""
OUTAGE_MIN: Final = 24 * 60.0
_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)


class Said(NamedTuple):
    """A silence: when the device was heard last, when its limit was over, when it was said, in minutes."""

    last_heard: float
    silent_at: float
    at: float


def silences(heard: Sequence[float], limit_min: float) -> list[Said]:
    """What is said of a device that was heard at these minutes, in order, up to the last of them."""
    found: list[Said] = []
    for last, again in pairwise(heard):
        # The first look at which more than the limit has passed; who is heard by then is not silent.
        look = (np.floor((last + limit_min) / MARKER_MIN) + 1) * MARKER_MIN
        if look >= again:
            continue
        row = OverdueDevice(
            device_no=1,
            home_no=1,
            person_no=1,
            last_heard_at=_moment(last),
            silent_at=_moment(last + limit_min),
            devices=1,
            shortest=timedelta(minutes=limit_min),
            home_heard_at=_moment(last),
            heard_device_no=1,
        )
        found += [
            Said(_minute(one.last_heard_at), _minute(one.silent_at), float(look))
            for one in silences_of([row], _moment(look), least=timedelta())
        ]
    return found


def longer_than(heard: Sequence[float], limit_min: float) -> list[float]:
    """When somebody would hear of it who is warned as soon as the newest value is older than the limit."""
    return [last + limit_min for last, again in pairwise(heard) if again - last > limit_min]


def longer_than_by_night(heard: Sequence[float], day_min: float, night_min: float) -> list[float]:
    """The same with another limit from 22:00 to 07:00, by when the device was heard last."""
    found = []
    for last, again in pairwise(heard):
        limit = day_min if 7 * 60 <= last % (24 * 60) < 22 * 60 else night_min
        if again - last > limit:
            found.append(last + limit)
    return found


def outages(heard: Sequence[float], count: int, *, seed: int) -> list[float]:
    """Minutes at which a device was heard and then fell silent for a day; fewer where it was hardly heard that long."""
    last = bisect_left(heard, heard[-1] - OUTAGE_MIN) if heard else 0
    if last <= 0:
        return []
    generator = np.random.default_rng(seed)
    places = sorted(generator.choice(last, size=min(count, last), replace=False).tolist())
    return [heard[place] for place in places]


def without(heard: Sequence[float], begins: float) -> list[float]:
    """What was heard up to a minute, and again a day after it."""
    return [*heard[: bisect_right(heard, begins)], *heard[bisect_left(heard, begins + OUTAGE_MIN) :]]


def _moment(minute: float) -> datetime:
    return _EPOCH + timedelta(minutes=minute)


def _minute(moment: datetime) -> float:
    return (moment - _EPOCH) / timedelta(minutes=1)
