"""Which silences are each device's own, and which are a whole home's. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.score.rules.silent_device import FEWEST_DEVICES, HOME_QUIET_SHARE


class OverdueDevice(NamedTuple):
    """A device that was not heard for too long, without an explanation, and what is known of its home.

    ``devices`` of the home should be heard, of which the least patient may be silent for ``shortest``; of any device of
    it, number ``heard_device_no`` was heard last, at ``home_heard_at``. None and 0 where there is no such device.
    ``offline_at`` is when its connection ended after that, None where it is not known to have; ``leaving``: it said so
    itself.
    """

    device_no: int
    home_no: int
    person_no: int
    last_heard_at: datetime
    silent_at: datetime
    devices: int = 0
    shortest: timedelta | None = None
    home_heard_at: datetime | None = None
    heard_device_no: int | None = None
    offline_at: str | None = None
    leaving: bool | None = None


class Silence(NamedTuple):
    """What is said: of a device, or, with ``devices`` above 0, of a home that has so many.

    ``device_no`` of a home's is the device that was heard last.
    """

    home_no: int
    person_no: int
    device_no: int
    last_heard_at: datetime
    silent_at: datetime
    devices: int = 0
    offline_at: str = ""
    leaving: bool = False


def silences_of(overdue: Sequence[OverdueDevice], watermark: datetime, *, least: timedelta) -> list[Silence]:
    """One of a home of which nothing is heard any more, else one of each device. Quiet up to ``least`` is none.

    Nobody waits until the most patient device of a silent home is overdue: by then each of the others would have been
    called silent by itself, one after the other.
    """
    found: list[Silence] = []
    homes: dict[int, Silence] = {}
    for one in overdue:
        home = _home_of(one, watermark, least)
        if home is None:
            found.append(_own(one))
        elif one.home_no not in homes or home.silent_at < homes[one.home_no].silent_at:
            homes[one.home_no] = home
    return [*found, *homes.values()]


def _own(one: OverdueDevice) -> Silence:
    return Silence(
        one.home_no,
        one.person_no,
        one.device_no,
        one.last_heard_at,
        one.silent_at,
        offline_at=one.offline_at or "",
        leaving=bool(one.leaving),
    )


def _home_of(one: OverdueDevice, watermark: datetime, least: timedelta) -> Silence | None:
    """The silence of its home; None where something of it was heard lately, or it has too few devices."""
    if one.devices < FEWEST_DEVICES or not one.shortest or not one.home_heard_at or not one.heard_device_no:
        return None
    quiet_at = one.home_heard_at + max(one.shortest * HOME_QUIET_SHARE, least)
    if watermark <= quiet_at:
        return None
    return Silence(
        one.home_no, 0, one.heard_device_no, one.home_heard_at, max(quiet_at, one.silent_at), devices=one.devices
    )
