"""The naive rival: an alert each time a value passes the first limit of its concern, and for each suspected fall."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from schemas.alerts import Severity
from schemas.default_limits import usual_of
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.limits import CONCERNS, Concern
from schemas.records import JudgedUplink
from tests.proving.scorecard.said import Said

_GRAVEST: Final = 9
"""Whatever it says counts as grave enough."""
_AT_ONCE: Final = {
    EVENT_TYPE_BY_KIND[EventKind.FALL_SUSPECTED].number: "fall",
    EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number: "sos",
}


class _Limit(NamedTuple):
    concern: str
    rule: str
    on: float
    side: int
    inclusive: bool


def _limit_of(concern: Concern) -> _Limit:
    first = min((one for one in usual_of(concern.name).levels if not one.moving), key=lambda one: one.level)
    return _Limit(concern.name, concern.rule, first.on, int(concern.side), first.inclusive)


_NOT_A_VALUE: Final = frozenset({"news2"})
_LIMITS: Final[Mapping[int, tuple[_Limit, ...]]] = {
    vital: tuple(
        _limit_of(one)
        for one in CONCERNS
        if one.vital.number == vital and not one.distance and one.name not in _NOT_A_VALUE
    )
    for vital in {one.vital.number for one in CONCERNS}
}
"""Of vitals whose limits are values, not distances from what is usual for somebody."""


class LimitAlone:
    """It knows no duration, no rest, no quality, no answer; over is what is on the good side of the limit again."""

    def __init__(self) -> None:
        self._beyond: dict[tuple[int, str], int] = {}
        self._episodes = 0

    def hear(self, record: JudgedUplink) -> Iterator[Said]:
        """What it says of an uplink."""
        for _, person_no, vital, value, at, _ in record.readings:
            for limit in _LIMITS.get(vital, ()):
                key = person_no, limit.concern
                is_beyond = (value - limit.on) * limit.side > 0 or (limit.inclusive and value == limit.on)
                if is_beyond != (key in self._beyond):
                    yield self._say(record, person_no, limit.rule, limit.concern, at, is_beyond=is_beyond)
        for event in record.events:
            rule = _AT_ONCE.get(event.kind)
            if rule is not None:
                yield self._say(record, event.person_no, rule, rule, event.observed_at, is_beyond=True)

    def _say(self, record: JudgedUplink, person_no: int, rule: str, concern: str, at: int, *, is_beyond: bool) -> Said:
        if is_beyond:
            self._episodes += 1
            self._beyond[person_no, concern] = self._episodes
        episode = self._beyond[person_no, concern]
        if not is_beyond:
            del self._beyond[person_no, concern]
        level = _GRAVEST if is_beyond else 0
        return Said(
            record.home_no, person_no, rule, concern, episode, level, Severity.HIGH, at, record.received_at,
            is_over=not is_beyond,
        )  # fmt: skip
