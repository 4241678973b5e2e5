"""A reading as rules see it, and lists of them in few bytes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import astuple
from enum import StrEnum
from itertools import accumulate, chain, groupby, repeat
from operator import sub
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import Measuring
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import Flag
from schemas.vitals import VITAL_BY_CODE

SPOT_TYPES: Final = frozenset(kind.number for kind in DEVICE_TYPES if kind.measuring is Measuring.SPOT)
"""Numbers of device types that measure when somebody asks; of a type that is not known, nobody did."""
SHOWS_WORN: Final = int(Flag.MOVING | Flag.RESTING | Flag.UPRIGHT | Flag.LYING)
"""A reading with any of these was taken by a device on the body."""
SYMPTOM: Final = 1_000 + EVENT_TYPE_BY_KIND[EventKind.CHECK_IN_ANSWERED].number
"""In the place of a vital: somebody has said in a check-in that they have a symptom. No vital has such a number."""
INPUTS: Final[Mapping[str, int]] = MappingProxyType(
    {code: vital.number for code, vital in VITAL_BY_CODE.items()} | {EventKind.CHECK_IN_ANSWERED.value: SYMPTOM}
)
"""What rules read, by its code: vitals, and of events the symptoms that somebody has said."""
INPUT_CODES: Final[Mapping[int, str]] = MappingProxyType({number: code for code, number in INPUTS.items()})
SPEAKS_FOR_NOTHING: Final = int(
    Flag.JUMPED | Flag.OTHER_HOME | Flag.BEFORE_REBINDING | Flag.ASSIGNED | Flag.CUFFLESS | Flag.HELD
)
"""A reading with any of these says nothing of whether its vital was watched, poor or not."""
CUFFLESS: Final = int(Flag.CUFFLESS)
WHOLE_VALUES: Final[Mapping[float, float]] = MappingProxyType({float(value): float(value) for value in range(512)})
"""Most values are whole: the windows of everybody share these objects."""
_COLUMNS: Final = 8
"""Of samples, as they are saved."""
_MOVING: Final = int(Flag.MOVING)
_RESTING: Final = int(Flag.RESTING)


class Rest(StrEnum):
    """Whether a reading was taken at rest, as its device says."""

    KNOWN = "known"
    MOVING = "moving"
    UNKNOWN = "unknown"


class Sample(NamedTuple):
    """One reading. The order of the fields is the order of samples: the time first.

    ``value`` is in the vital's unit, 1 of a symptom; ``flags`` are those of ``schemas.reasons``; times are
    platform ms. ``device_type`` is a number of ``schemas.devices``, 0 where it is not known.
    """

    at: int
    value: float
    device_no: int
    epoch: int
    seq: int
    item: int
    vital: int = 0
    flags: int = 0
    received_at: int = 0
    device_type: int = 0

    @property
    def rest(self) -> Rest:
        """What the device said of this very reading."""
        if self.flags & _MOVING:
            return Rest.MOVING
        return Rest.KNOWN if self.flags & _RESTING else Rest.UNKNOWN

    @property
    def is_spot(self) -> bool:
        """Whether somebody asked for it; of a type that is not known, nobody did."""
        return self.device_type in SPOT_TYPES


class FlatState:
    """What a fold remembers, as a dataclass of numbers and samples."""

    __slots__ = ()

    def to_plain(self) -> list[Any]:
        """As plain values."""
        return list(astuple(self))  # type: ignore[call-overload]

    def from_plain(self, plain: Iterable[Any]) -> Any:
        """A state of this class as ``to_plain`` wrote it."""
        return rebuilt(self, plain)

    def copied(self) -> Any:
        """One that goes its own way."""
        return copy(self)


def rebuilt(start: Any, fields: Iterable[Any]) -> Any:
    """A state of the class of ``start`` from its saved fields, which are numbers and samples."""
    return type(start)(*(Sample(*one) if isinstance(one, list) else one for one in fields))


def pack(samples: Sequence[Sample]) -> list[Any]:
    """Columns of the samples of one vital in their order: differences, and runs of what stays the same."""
    if not samples:
        return [[] for _ in range(_COLUMNS)]
    at, values, device_nos, epochs, seqs, items, _, flags, received_at, types = zip(*samples, strict=True)
    return [
        differences(at),
        # Most values are whole, and shorter so.
        [int(value) if value.is_integer() else value for value in values],
        runs_of(zip(device_nos, epochs, strict=True)),
        runs_of(differences(seqs)),
        runs_of(items),
        runs_of(flags),
        list(map(sub, received_at, at)),
        runs_of(types),
    ]


def unpack(columns: Sequence[Any], vital: int, known: dict[int, int]) -> list[Sample]:
    """The samples that ``pack`` wrote. ``known`` are the numbers of the person's other vitals, and then of this one.

    What is the same is one object, as it is in samples that were never saved: else each would be half as large again.
    """
    at, values, sources, seq, items, flags, lags, types = columns
    runs = (unrolled(sources), unrolled(items), unrolled(flags), unrolled(types))
    rows = zip(accumulate(at), values, accumulate(unrolled(seq)), lags, *runs, strict=True)
    same, whole = known.setdefault, WHOLE_VALUES.get
    found = []
    for moment, value, number, lag, (device_no, epoch), item, flag, kind in rows:
        received_at = moment + lag
        found.append(
            Sample(
                same(moment, moment), whole(value) or float(value), same(device_no, device_no), same(epoch, epoch),
                same(number, number), item, vital, flag, same(received_at, received_at), kind,
            )
        )  # fmt: skip
    return found


def differences(numbers: Iterable[int]) -> list[int]:
    """The first number, and of each other how much it is more than the one before."""
    column = list(numbers)
    return [*column[:1], *map(sub, column[1:], column)]


def runs_of(values: Iterable[Any]) -> list[list[Any]]:
    """Each value with how often it comes in a row."""
    column = list(values)
    # Most columns say one thing.
    if column and column.count(column[0]) == len(column):
        return [[column[0], len(column)]]
    return [[value, len(list(run))] for value, run in groupby(column)]


def unrolled(runs: Iterable[Sequence[Any]]) -> Iterable[Any]:
    """What ``runs_of`` wrote."""
    return chain.from_iterable(repeat(value, count) for value, count in runs)
