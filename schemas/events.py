"""What a device can report besides readings: one row per kind of event."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, get_args

from schemas.messages import Posture


class EventKind(StrEnum):
    """The name of an event on the wire."""

    FALL_SUSPECTED = "fall_suspected"
    FALL_ANSWERED = "fall_answered"
    SOS_PRESSED = "sos_pressed"
    DOSE_DISPENSED = "dose_dispensed"
    CUP_LIFTED = "cup_lifted"
    DOSE_CONFIRMED = "dose_confirmed"
    CHECK_IN_ANSWERED = "check_in_answered"
    NOT_WORN = "not_worn"
    CHARGING = "charging"
    LOW_BATTERY = "low_battery"
    COMMAND_RESULT = "command_result"
    WORN = "worn"


class FallMethod(StrEnum):
    """How a device came to suspect a fall."""

    IMU = "imu"
    VISION = "vision"
    RADAR = "radar"
    BUTTON = "button"


class Answer(StrEnum):
    """What somebody answers who is asked whether they are all right; a device that leaves it out has not understood."""

    OK = "ok"
    HELP = "help"
    UNCLEAR = "unclear"


class Whose(StrEnum):
    """What somebody answers who is asked whether a reading was theirs."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


NO_SYMPTOM: Final = frozenset(
    {"", "n/a", "no", "no symptom", "no symptoms", "none", "normal", "nothing", "ok", "unclear", "well"}
)
"""What devices send in the place of a symptom where there is none, or where nobody has understood the answer."""


def names_symptom(answer: Mapping[str, Any]) -> bool:
    """Whether the details of an answer to a check-in name a symptom; which one does not matter."""
    said = answer.get("symptom")
    return isinstance(said, str) and said.strip(" .!-").casefold() not in NO_SYMPTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One field an event may carry. ``choices`` or the inclusive range bound it.

    Text is at most ``schemas.validity.TEXT_LIMIT`` characters. ``int`` is a whole number, written as 2 or as 2.0.
    """

    name: str
    type: type[str] | type[int] | type[float] | type[bool]
    required: bool = False
    choices: tuple[str, ...] = ()
    lowest: float = float("-inf")
    highest: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A kind of event: its number in the database and the fields it may carry.

    An emergency is never rejected for its clock or binding; an event that needs no person says
    something about the device.
    """

    number: int
    kind: EventKind
    details: tuple[Detail, ...] = ()
    is_emergency: bool = False
    needs_person: bool = True


_ANSWER = Detail(name="answer", type=str, choices=tuple(Answer))
_COMPARTMENT = Detail(name="compartment", type=int, required=True, lowest=0, highest=63)

EVENT_TYPES: Final[tuple[EventType, ...]] = (
    EventType(
        number=1,
        kind=EventKind.FALL_SUSPECTED,
        is_emergency=True,
        details=(
            Detail(name="method", type=str, required=True, choices=tuple(FallMethod)),
            Detail(name="confidence", type=float, lowest=0, highest=1),
            Detail(name="peak_g", type=float, lowest=0, highest=32),
            Detail(name="tilt_deg", type=float, lowest=0, highest=180),
            Detail(name="still_s", type=float, lowest=0, highest=86_400),
            Detail(name="posture", type=str, choices=get_args(Posture)),
            Detail(name="room", type=str),
        ),
    ),
    EventType(number=2, kind=EventKind.FALL_ANSWERED, details=(_ANSWER,)),
    EventType(number=3, kind=EventKind.SOS_PRESSED, is_emergency=True, details=(Detail(name="room", type=str),)),
    EventType(number=4, kind=EventKind.DOSE_DISPENSED, details=(_COMPARTMENT,)),
    EventType(number=5, kind=EventKind.CUP_LIFTED, details=(_COMPARTMENT,)),
    EventType(number=6, kind=EventKind.DOSE_CONFIRMED, details=(_COMPARTMENT,)),
    EventType(
        number=7,
        kind=EventKind.CHECK_IN_ANSWERED,
        details=(
            _ANSWER,
            Detail(name="symptom", type=str),
            Detail(name="mine", type=str, choices=tuple(Whose)),
        ),
    ),
    EventType(number=8, kind=EventKind.NOT_WORN, needs_person=False),
    EventType(number=9, kind=EventKind.CHARGING, needs_person=False),
    EventType(
        number=10,
        kind=EventKind.LOW_BATTERY,
        needs_person=False,
        details=(Detail(name="percent", type=float, lowest=0, highest=100),),
    ),
    EventType(
        number=11,
        kind=EventKind.COMMAND_RESULT,
        needs_person=False,
        details=(
            Detail(name="command_id", type=str, required=True),
            Detail(name="result", type=str, required=True, choices=("done", "expired", "failed", "unsupported")),
        ),
    ),
    EventType(number=12, kind=EventKind.WORN, needs_person=False),
)
EVENT_TYPE_BY_KIND: Final[Mapping[str, EventType]] = MappingProxyType({row.kind.value: row for row in EVENT_TYPES})
EVENT_TYPE_BY_NUMBER: Final[Mapping[int, EventType]] = MappingProxyType({row.number: row for row in EVENT_TYPES})
