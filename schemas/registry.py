"""The register file: homes, people, devices, bindings, dose plans and doctors, as an administrator writes them."""

from datetime import date, time
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.topics import DEVICE_ID, RESERVED_DEVICES


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone") from error
    return name


def _known_device_type(code: str) -> str:
    if code not in DEVICE_TYPE_BY_CODE:
        raise ValueError(f"{code!r} is not one of {', '.join(DEVICE_TYPE_BY_CODE)}")
    return code


def _not_reserved(device: str) -> str:
    if device in RESERVED_DEVICES:
        raise ValueError(f"{device!r} is a name of the platform's own")
    return device


Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254, to_lower=True)]
DeviceId = Annotated[str, StringConstraints(pattern=f"^{DEVICE_ID.pattern}$"), AfterValidator(_not_reserved)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Binding(_Row):
    """(device, slot) belongs to a person from now on. Slot 1 is the only one of an unshared device."""

    slot: int = Field(default=1, ge=1, le=8)
    person_id: UUID


class Device(_Row):
    """A device of a home; ``device`` is also its broker user name and client id."""

    device: DeviceId
    type: Annotated[str, AfterValidator(_known_device_type)]
    bindings: tuple[Binding, ...] = ()


class DosePlan(_Row):
    """One drug in one compartment of a dispenser at wall-clock times of the home's zone, each day."""

    plan_id: UUID
    device: DeviceId
    compartment: int = Field(ge=0, le=63)
    drug: Name
    at: tuple[time, ...] = Field(min_length=1, max_length=12)
    time_critical: bool = False


class Person(_Row):
    """Somebody cared for."""

    person_id: UUID
    name: Name
    born_on: date
    plans: tuple[DosePlan, ...] = ()


class Home(_Row):
    """A household with its gateway."""

    home_id: UUID
    label: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    people: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()


class Doctor(_Row):
    """A family doctor and the people in their care. ``webhook`` is an https address (http on loopback)."""

    email: Email
    name: Name
    people: tuple[UUID, ...] = ()
    email_alerts: bool = True
    webhook: str | None = None


class Register(_Row):
    """A whole register file."""

    homes: tuple[Home, ...] = ()
    doctors: tuple[Doctor, ...] = ()
