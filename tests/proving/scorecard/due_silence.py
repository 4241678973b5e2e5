"""Which devices of a home are silent, without a database: what score's query finds, from the log.

What explains a silence ends with ``worn`` here: simulated bands always say so. The query also ends it with readings.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from schemas.alerts import Severity
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.records import JudgedUplink
from services.ingest.registry import RegisteredDevice
from services.runtime.clock import to_datetime, to_ms
from services.score.rules.silent_device import (
    EXPLAINED_FOR_MS,
    RESENDS,
    SILENT_DEVICE,
    SILENT_HOME,
)
from services.score.silent_homes import OverdueDevice, silences_of
from tests.proving.scorecard.said import Said

_OFF: Final = {EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.NOT_WORN, EventKind.CHARGING)}
_WORN: Final = EVENT_TYPE_BY_KIND[EventKind.WORN].number
_RESEND_AFTER_S: Final = 60
_LEAST: Final = timedelta(seconds=RESENDS * _RESEND_AFTER_S)
_LEAST_MS: Final = RESENDS * _RESEND_AFTER_S * 1000


class DueSilence:
    """When each device of a home was heard last, and which were said to be silent, by number; 0 is the home."""

    def __init__(self, devices: list[RegisteredDevice], start_ms: int) -> None:
        self._devices: Mapping[int, RegisteredDevice] = {device.device_no: device for device in devices}
        self._limit_ms = {
            number: max(device.type.silent_after_s * 1000, _LEAST_MS)
            for number, device in self._devices.items()
            if device.type.silent_after_s is not None
        }
        self._heard_at = dict.fromkeys(self._devices, start_ms)
        self._off_since: dict[int, int] = {}
        self._silent: dict[int, tuple[int, int]] = {}
        self._episodes: dict[int, int] = {}
        self._next = start_ms + min(self._limit_ms.values(), default=1 << 62)

    def hear(self, record: JudgedUplink) -> Iterator[Said]:
        """An uplink has come: whoever was silent is not any more."""
        number, now = record.device_no, record.received_at
        self._heard_at[number] = now
        for event in record.events:
            if event.kind in _OFF:
                self._off_since[number] = event.observed_at
            elif event.kind == _WORN:
                self._off_since.pop(number, None)
        if self._silent:
            for who in (number, 0):
                if who in self._silent:
                    episode, person_no = self._silent.pop(who)
                    self._next = now
                    yield self._said(number if who else 0, person_no, episode, 0, now, now)

    def look(self, now: int) -> Iterator[Said]:
        """Who is silent by ``now``."""
        if now < self._next:
            return
        if 0 not in self._silent:
            looked_at = (self._overdue(number, now) for number in self._limit_ms)
            overdue = [device for device in looked_at if device is not None]
            for one in silences_of(overdue, to_datetime(now), least=_LEAST):
                who = 0 if one.devices else one.device_no
                episode = self._episodes[one.person_no] = self._episodes.get(one.person_no, 0) + 1
                self._silent[who] = episode, one.person_no
                yield self._said(who, one.person_no, episode, 1, to_ms(one.silent_at), now)
        ends = (self._ends(number) for number in self._limit_ms if number not in self._silent)
        self._next = max(now + 1, min(ends, default=1 << 62))

    def _ends(self, number: int) -> int:
        """When the device is overdue, if nothing more is heard of it."""
        explained = self._off_since[number] + EXPLAINED_FOR_MS if number in self._off_since else 0
        return max(self._heard_at[number] + self._limit_ms[number], explained)

    def _overdue(self, number: int, now: int) -> OverdueDevice | None:
        ends = self._ends(number)
        if number in self._silent or now <= ends:
            return None
        expected = [
            other
            for other in self._limit_ms
            if other not in self._off_since or now > self._off_since[other] + EXPLAINED_FOR_MS
        ]
        last = max(self._heard_at, key=lambda other: (self._heard_at[other], -other))
        people = {bound.person_no for spans in self._devices[number].people.values() for bound in spans}
        return OverdueDevice(
            device_no=number,
            home_no=self._devices[number].home_no,
            person_no=people.pop() if len(people) == 1 else 0,
            last_heard_at=_moment(self._heard_at[number]),
            silent_at=_moment(ends),
            devices=len(expected),
            shortest=timedelta(milliseconds=min(self._limit_ms[other] for other in expected)),
            home_heard_at=_moment(self._heard_at[last]),
            heard_device_no=last,
        )

    def _said(self, who: int, person_no: int, episode: int, level: int, at: int, now: int) -> Said:
        concern = str(who) if who else SILENT_HOME
        home_no = next(iter(self._devices.values())).home_no
        return Said(
            home_no, person_no, SILENT_DEVICE.name, concern, episode, level, Severity.TECHNICAL, at, now, not level
        )


def _moment(at_ms: int) -> datetime:
    return to_datetime(at_ms)
