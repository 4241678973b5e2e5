"""The register file: homes, people, devices, bindings, dose plans and doctors, as an administrator writes them."""

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Annotated, Final, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from schemas.alerts import Severity
from schemas.contact_addresses import CHANNEL_NAME, CHECK_BY_CHANNEL, email_address, one_line
from schemas.default_limits import worse_by_of
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.limits import Condition, LevelLimit, Limits, LimitsError
from schemas.limits import check as check_limits
from schemas.plan_terms import HIGHEST_COMPARTMENT, Name, PlanTerms
from schemas.topics import DEVICE_ID, RESERVED_DEVICE

_OLDEST_BIRTHDAY: Final = date(1880, 1, 1)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder, or a name too long for a file
        raise ValueError(f"{name[:60]!r} is not an IANA time zone") from error
    return name


def _known_device_type(code: str) -> str:
    if code not in DEVICE_TYPE_BY_CODE:
        raise ValueError(f"{code!r} is not one of {', '.join(DEVICE_TYPE_BY_CODE)}")
    return code


def _not_reserved(device: str) -> str:
    if RESERVED_DEVICE.fullmatch(device):
        raise ValueError(f"{device!r} is a name of the platform's own")
    return device


Email = Annotated[str, AfterValidator(email_address)]
DeviceId = Annotated[str, StringConstraints(pattern=f"^{DEVICE_ID.pattern}$"), AfterValidator(_not_reserved)]


class _Row(BaseModel):
    """Errors name the field and hide what stood there: names, and addresses, which may hold a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Binding(_Row):
    """(device, slot) belongs to a person from now on. Slot 1 is the only one of an unshared device."""

    slot: int = Field(default=1, ge=1, le=8, strict=True)
    person_id: UUID


class Device(_Row):
    """A device of a home; ``device`` is also its broker user name and client id."""

    device: DeviceId
    type: Annotated[str, AfterValidator(_known_device_type)]
    bindings: tuple[Binding, ...] = ()


class DosePlan(PlanTerms):
    """One drug in one compartment of a dispenser. ``stock``: how much is in the house when the file first says so.

    What a doctor edits stays until the file says something else of the plan than at its last import.
    """

    plan_id: UUID
    device: DeviceId
    compartment: int = Field(ge=0, le=HIGHEST_COMPARTMENT, strict=True)
    stock: float | None = Field(default=None, ge=0, le=100_000, strict=True, allow_inf_nan=False)


class LevelEntry(_Row):
    """When a level counts: beyond ``on``, in the vital's unit, for ``persist_min`` minutes, in ``least`` readings.

    Several may be of one ``level``, of which one has to hold. ``moving``: it holds in movement, the others at rest.
    ``level`` left out of all limits at rest is 1, 2, 3 in their order.
    """

    on: float
    inclusive: bool = Field(strict=True)
    persist_min: float
    severity: Literal["low", "medium", "high"]
    level: int | None = Field(default=None, strict=True)
    least: int = Field(default=2, strict=True)
    moving: bool = Field(default=False, strict=True)


class LimitsEntry(_Row):
    """All limits of one concern, as ``schemas.limits`` has them. One that contradicts itself is refused, by field.

    ``worse_by`` left out is that of the platform's default of the concern.
    """

    concern: str
    levels: tuple[LevelEntry, ...] = Field(max_length=12)
    off: float
    clear_min: float
    worse_by: float | None = None
    source: Name
    signed_off_by: Annotated[str, StringConstraints(max_length=120)] = ""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_limits(self.limits())
        return self

    def limits(self) -> Limits:
        """The same in the form that rules use. Raises LimitsError."""
        return Limits(
            concern=self.concern,
            levels=tuple(
                LevelLimit(
                    on=level.on,
                    inclusive=level.inclusive,
                    persist_min=level.persist_min,
                    severity=Severity[level.severity.upper()],
                    level=number,
                    least=level.least,
                    moving=level.moving,
                )
                for level, number in zip(self.levels, self._level_numbers(), strict=True)
            ),
            off=self.off,
            clear_min=self.clear_min,
            worse_by=worse_by_of(self.concern) if self.worse_by is None else self.worse_by,
            source=self.source,
            signed_off_by=self.signed_off_by,
        )

    def _level_numbers(self) -> Iterator[int]:
        in_order = all(one.level is None for one in self.levels if not one.moving)
        numbers = count(1)
        for place, one in enumerate(self.levels, 1):
            if one.level is not None:
                yield one.level
            elif in_order and not one.moving:
                yield next(numbers)
            else:
                why = "a limit in movement says" if one.moving else "either each limit at rest says, or none,"
                raise LimitsError(f"levels[{place}].level", f"left out; {why} which level it is of")


class RegionLimitsEntry(LimitsEntry):
    """Limits of the region that this platform serves; of people with ``condition``, where one is named."""

    condition: Condition | None = None


class Person(_Row):
    """Somebody cared for.

    ``conditions`` and ``limits`` are all that a doctor has said, each of them: left out, what is registered stays; an
    empty list ends it. A prescribed oxygen target of 88 to 92 % is the condition ``spo2_88_92``.
    """

    person_id: UUID
    name: Name
    born_on: date = Field(ge=_OLDEST_BIRTHDAY)
    plans: tuple[DosePlan, ...] = ()
    conditions: tuple[Condition, ...] | None = None
    limits: tuple[LimitsEntry, ...] | None = None


class Home(_Row):
    """A household with its gateway."""

    home_id: UUID
    label: Name
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    people: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()


class ContactAddress(_Row):
    """Where a doctor is notified over one channel: one of ``services.alert.channels``, by its name.

    ``details``: names of people and what was measured may stand in what is sent there; its owner has to want that.
    """

    channel: Annotated[str, StringConstraints(pattern=CHANNEL_NAME)]
    address: Annotated[str, AfterValidator(one_line)]
    details: bool = Field(default=False, strict=True)
    language: Literal["en", "zh"] = "en"

    @field_validator("address")
    @classmethod
    def _as_its_channel_writes_it(cls, address: str, info: ValidationInfo) -> str:
        check = CHECK_BY_CHANNEL.get(info.data.get("channel", ""))
        return check(address) if check else address


class Doctor(_Row):
    """A family doctor and the people in their care. ``email`` is the name they sign in with.

    ``people`` is all of them: whoever is left out is theirs no longer. ``without_people`` says that it is meant to be
    empty. ``addresses``: where they are notified, one a channel; empty: nowhere; left out: by e-mail to ``email``.
    """

    email: Email
    name: Name
    people: tuple[UUID, ...] = ()
    without_people: bool = Field(default=False, strict=True)
    addresses: tuple[ContactAddress, ...] | None = None

    @property
    def contact_addresses(self) -> tuple[ContactAddress, ...]:
        """``addresses``, or what it means that they were left out."""
        if self.addresses is None:
            return (ContactAddress(channel="email", address=self.email),)
        return self.addresses


class Register(_Row):
    """A whole register file. ``no_recipient``: people whom no doctor would be notified about, and that is meant.

    ``region_limits``: the whole profile of the region; left out, what is registered stays.
    """

    homes: tuple[Home, ...] = ()
    doctors: tuple[Doctor, ...] = ()
    no_recipient: tuple[UUID, ...] = ()
    region_limits: tuple[RegionLimitsEntry, ...] | None = None
