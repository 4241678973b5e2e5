"""Builds the records that the tests of score make their stories of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.alerts import Finding
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.records import DeviceWord, JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from services.score.core import step, with_answers
from services.score.device_words import hear_status
from services.score.followups import Effect, QuarterLook, Tally
from services.score.home_state import HomeState

START = 1_700_000_000_000
PERSON, HOME, BAND = 7, 3, 11
EPOCH = 9_007_199_254_740_000


def minute(number: float) -> int:
    """Platform milliseconds so many minutes into the story."""
    return START + round(number * 60_000)


def uplink(
    seq: int,
    at: float,
    vitals: Mapping[str, float] | None = None,
    *,
    events: Sequence[str] = (),
    flags: int = 0,
    person: int = PERSON,
    device: int = BAND,
    epoch: int = EPOCH,
    received: float | None = None,
    details: Mapping[str, Any] | None = None,
    device_type: int = 0,
) -> JudgedUplink:
    """One record with ``vitals`` and ``events`` of minute ``at``."""
    readings = tuple(
        JudgedReading(item, person, VITAL_BY_CODE[code].number, float(value), minute(at), flags)
        for item, (code, value) in enumerate((vitals or {}).items())
    )
    return JudgedUplink(
        device_no=device,
        device=f"device-{device}",
        home_no=HOME,
        shard=0,
        epoch=epoch,
        seq=seq,
        oldest=0,
        sent_at=minute(at if received is None else received),
        received_at=minute(at if received is None else received),
        device_type=device_type,
        readings=readings,
        events=tuple(
            JudgedEvent(item, person, EVENT_TYPE_BY_KIND[kind].number, minute(at), flags, details or {})
            for item, kind in enumerate(events, start=len(readings))
        ),
    )


def series(
    vital: str, samples: Iterable[tuple[float, float]], *, flags: int = 0, device_type: int = 0, device: int = BAND
) -> list[JudgedUplink]:
    """One uplink for each ``(minute, value)``."""
    return [
        uplink(seq, at, {vital: value}, flags=flags, device_type=device_type, device=device)
        for seq, (at, value) in enumerate(samples)
    ]


def word(at: float, percent: float | None = None, *, device: int = BAND, person: int = PERSON) -> DeviceWord:
    """What a device says of itself at minute ``at``."""
    return DeviceWord(
        device_no=device,
        home_no=HOME,
        person_no=person,
        received_at=minute(at),
        state="online",
        battery_percent=percent,
    )


def run(records: Iterable[JudgedUplink | DeviceWord], state: HomeState | None = None) -> list[Effect]:
    """What follows from ``records`` in their order, but for what NEWS2 was at quarter hours."""
    state = HomeState() if state is None else state
    effects: list[Effect] = []
    for record in records:
        found = [*hear_status(state, record)] if isinstance(record, DeviceWord) else step(state, record, Tally())
        answered = with_answers(list(found), {HOME: state}.__getitem__)
        effects += [one for one in answered if not isinstance(one, QuarterLook)]
    return effects


def levels(effects: Iterable[Effect]) -> list[tuple[str, int, int, float]]:
    """Rule, episode, level and minute of each finding."""
    return [
        (effect.rule, effect.episode, effect.level, (effect.observed_at - START) / 60_000)
        for effect in effects
        if isinstance(effect, Finding)
    ]
