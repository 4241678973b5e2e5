"""What a device says of itself on its status topic, judged: nothing passes that a row could not hold. Pure."""

from typing import Final

from schemas.codec import CodecError, decode_status
from schemas.messages import DeviceStatus
from schemas.records import DeviceWord
from schemas.validity import TEXT_LIMIT
from services.ingest.registry import RegisteredDevice

_LONGEST: Final = 1_024
"""Bytes of a status; the contract's have less than a hundred."""


def word_of(payload: bytes, *, entry: RegisteredDevice | None, shard: int, received_at: int) -> DeviceWord | None:
    """None where nothing is to be noted: no status, or not of a registered device on its shard.

    What is wrong about battery or firmware is left out, and the rest counts. ``received_at`` in platform ms.
    """
    if entry is None or shard != entry.shard or not payload or len(payload) > _LONGEST:
        return None
    try:
        status = decode_status(payload)
    except CodecError:
        return None
    return DeviceWord(
        device_no=entry.device_no,
        home_no=entry.home_no,
        person_no=_whose(entry, received_at),
        received_at=received_at,
        state=status.state,
        leaving=bool(status.leaving) and status.state == "offline",
        battery_percent=_battery_of(status),
        firmware=_firmware_of(status),
    )


def _whose(entry: RegisteredDevice, at: int) -> int:
    """The one person who has it; 0 where several do, nobody, or somebody who lives elsewhere."""
    people = {one for slot in entry.people if (one := entry.person_at(slot, at)) is not None}
    if len(people) != 1:
        return 0
    (person,) = people
    return person.person_no if person.home_no == entry.home_no else 0


def _battery_of(status: DeviceStatus) -> float | None:
    percent = status.battery_percent
    return percent if percent is not None and 0 <= percent <= 100 else None  # noqa: PLR2004 - percent


def _firmware_of(status: DeviceStatus) -> str | None:
    name = status.firmware
    return name if name is not None and name.isprintable() and len(name) <= TEXT_LIMIT else None
