"""What goes wrong between a device and the platform, drawn from the seed: never to what the truth rests on."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from device_sim.chance import dice
from device_sim.observations import Planned
from schemas.messages import Reading

HOUR_MS: Final = 3_600_000


class Fault(StrEnum):
    """What may happen to an uplink, or to a device."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    WRONG_CLOCK = "wrong_clock"
    WRONG_UNIT = "wrong_unit"
    LOST_STORAGE = "lost_storage"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRate:
    """How often a fault strikes: its share of uplinks, or for lost storage of device hours."""

    fault: Fault
    share: float


FAULT_RATES: Final = (
    FaultRate(fault=Fault.DROP, share=0.01),
    FaultRate(fault=Fault.DELAY, share=0.01),
    FaultRate(fault=Fault.DUPLICATE, share=0.01),
    FaultRate(fault=Fault.REORDER, share=0.01),
    FaultRate(fault=Fault.WRONG_CLOCK, share=0.004),
    FaultRate(fault=Fault.WRONG_UNIT, share=0.004),
)
LOST_STORAGE: Final = FaultRate(fault=Fault.LOST_STORAGE, share=0.03)
LONGEST_DELAY_S: Final = 2.0
_CLOCK_ERRORS_MS: Final = (24 * HOUR_MS, -40 * 24 * HOUR_MS, 10 * 365 * 24 * HOUR_MS)


def fault_of(seed: int, device: str, planned: Planned) -> Fault | None:
    """The fault of an uplink, the same for the same seed."""
    if planned.sheltered:
        return None
    chance = dice(seed, "fault", device, planned.at_ms).random()
    for row in FAULT_RATES:
        if chance < row.share:
            return row.fault
        chance -= row.share
    return None


def spoil(seed: int, device: str, planned: Planned, fault: Fault | None) -> Planned:
    """The uplink as a device with a wrong clock or a wrong unit reports it; the platform will reject items."""
    if not planned.readings or fault not in {Fault.WRONG_CLOCK, Fault.WRONG_UNIT}:
        return planned
    draw = dice(seed, "spoil", device, planned.at_ms)
    if fault is Fault.WRONG_UNIT:
        place = draw.randrange(len(planned.readings))
        readings = [_other_unit(row) if number == place else row for number, row in enumerate(planned.readings)]
        return replace(planned, readings=tuple(readings))
    error_ms = draw.choice(_CLOCK_ERRORS_MS)
    return replace(planned, readings=tuple(replace(row, at=row.at + error_ms) for row in planned.readings))


def _other_unit(reading: Reading) -> Reading:
    """Fahrenheit on a Celsius value is out of range; the others are no units at all."""
    return replace(reading, unit="[degF]" if reading.unit == "Cel" else "furlong")


def loses_storage(seed: int, device: str, hour: int) -> int | None:
    """The millisecond within an hour of platform time at which the device forgets everything, if it does."""
    draw = dice(seed, "storage", device, hour)
    return draw.randrange(HOUR_MS) if draw.random() < LOST_STORAGE.share else None
