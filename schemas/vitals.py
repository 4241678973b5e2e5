"""One row per measurable thing: number, code, LOINC, UCUM unit, accepted units, plausible range."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Takes a value in a foreign unit to the canonical one: ``value * factor + offset``."""

    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vital:
    """A vital sign as HearthBeat stores it.

    ``lowest`` and ``highest`` are the inclusive bounds outside of which a value is rejected as an artefact; they are
    wider than any alarm limit on purpose. Values beyond the ``flag_*`` bounds are stored and flagged. All of them,
    and ``max_step_per_minute``, are in ``unit``. ``note`` is what firmware authors must know of the value.
    """

    number: int
    code: str
    loinc: tuple[str, ...]
    unit: str
    lowest: float
    highest: float
    rationale: str
    flag_below: float | None = None
    flag_above: float | None = None
    max_step_per_minute: float | None = None
    clipped_low: float | None = None
    clipped_high: float | None = None
    note: str = ""
    conversions: Mapping[str, Conversion] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def units(self) -> tuple[str, ...]:
        """Every unit a reading may name, the canonical one first."""
        return (self.unit, *self.conversions)


_ARTEFACT_LIMITS = "Artefact limits wider than alarm limits (docs/clinical.md#plausible-ranges)"
_FAHRENHEIT: Final[Mapping[str, Conversion]] = MappingProxyType({"[degF]": Conversion(factor=5 / 9, offset=-160 / 9)})

HEART_RATE: Final = Vital(
    number=1,
    code="heart_rate",
    loinc=("8867-4",),
    unit="/min",
    lowest=20,
    highest=250,
    flag_below=30,
    flag_above=220,
    max_step_per_minute=60,
    rationale=f"{_ARTEFACT_LIMITS}: 825,315 real minutes ranged 38-203, p99.99 step 57 bpm/min.",
)
SPO2: Final = Vital(
    number=2,
    code="spo2",
    loinc=("59408-5", "2708-6"),
    unit="%",
    lowest=50,
    highest=100,
    flag_below=70,
    max_step_per_minute=15,
    rationale=f"{_ARTEFACT_LIMITS}: 96 of 654,338 intensive-care values lay below 50.",
)
RESPIRATORY_RATE: Final = Vital(
    number=3,
    code="respiratory_rate",
    loinc=("9279-1",),
    unit="/min",
    lowest=4,
    highest=60,
    flag_below=6,
    flag_above=45,
    rationale=f"{_ARTEFACT_LIMITS}: 1,682 of 600,918 values lay outside.",
)
BODY_TEMPERATURE: Final = Vital(
    number=4,
    code="body_temperature",
    loinc=("8310-5",),
    unit="Cel",
    lowest=30,
    highest=43,
    flag_below=34,
    max_step_per_minute=0.05,
    rationale=f"{_ARTEFACT_LIMITS}: a step above 1.5 Cel in 30 min is a slipped sensor.",
    conversions=_FAHRENHEIT,
)
SYSTOLIC: Final = Vital(
    number=5,
    code="systolic",
    loinc=("8480-6",),
    unit="mm[Hg]",
    lowest=40,
    highest=280,
    rationale=f"{_ARTEFACT_LIMITS}: 75 of 656,000 values lay outside.",
)
DIASTOLIC: Final = Vital(
    number=6,
    code="diastolic",
    loinc=("8462-4",),
    unit="mm[Hg]",
    lowest=15,
    highest=180,
    rationale=f"{_ARTEFACT_LIMITS}: 122 of 656,000 values lay outside.",
)
GLUCOSE: Final = Vital(
    number=7,
    code="glucose",
    loinc=("99504-3",),
    unit="mg/dL",
    lowest=10,
    highest=600,
    max_step_per_minute=10,
    clipped_low=40,
    clipped_high=400,
    note=(
        "A continuous monitor measures from 40 to 400 mg/dL: what it sends below or above is kept, flagged as clipped,"
        " and shown as a bound. A meter's value is a number, unless it says LO or HI: then `comparator` is < or >."
    ),
    rationale=(
        f"{_ARTEFACT_LIMITS}: meters measure from 10 mg/dL; a continuous monitor's value below 40 or above 400 is a"
        " bound; p99.9 step 9.6 mg/dL/min."
    ),
    conversions=MappingProxyType({"mmol/L": Conversion(factor=18.018)}),
)
WEIGHT: Final = Vital(
    number=8,
    code="weight",
    loinc=("29463-7",),
    unit="kg",
    lowest=20,
    highest=300,
    rationale=f"{_ARTEFACT_LIMITS}: a change of 5 kg in a day is another person on the scale.",
    conversions=MappingProxyType({"[lb_av]": Conversion(factor=0.45359237)}),
)
STEPS: Final = Vital(
    number=9,
    code="steps",
    loinc=("55423-8",),
    unit="{steps}",
    lowest=0,
    highest=20_000,
    flag_above=2_000,
    note="What was walked since the device's last reading of steps, 0 included: never a running total.",
    rationale=f"{_ARTEFACT_LIMITS}: an increment since the last steps reading; nobody walks 20,000 in one report.",
)
SKIN_TEMPERATURE: Final = Vital(
    number=10,
    code="skin_temperature",
    # To be confirmed: "Body surface temperature". 39106-0, "Temperature of Skin", is a finding in words, no number.
    loinc=("61008-9",),
    unit="Cel",
    lowest=20,
    highest=43,
    note="Of the skin under the sensor: no body_temperature, and never sent as one.",
    rationale=f"{_ARTEFACT_LIMITS}: below 20 Cel a sensor has the temperature of the room, above 43 of a heater.",
    conversions=_FAHRENHEIT,
)

VITALS: Final[tuple[Vital, ...]] = (
    HEART_RATE,
    SPO2,
    RESPIRATORY_RATE,
    BODY_TEMPERATURE,
    SYSTOLIC,
    DIASTOLIC,
    GLUCOSE,
    WEIGHT,
    STEPS,
    SKIN_TEMPERATURE,
)
VITAL_BY_CODE: Final[Mapping[str, Vital]] = MappingProxyType({vital.code: vital for vital in VITALS})
VITAL_BY_NUMBER: Final[Mapping[int, Vital]] = MappingProxyType({vital.number: vital for vital in VITALS})
