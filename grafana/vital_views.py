"""How a vital is shown to people: words for its unit, decimals, and whether a line may join its readings."""

from dataclasses import dataclass
from typing import Final

from schemas.devices import DEVICE_TYPES
from schemas.vitals import DIASTOLIC, STEPS, SYSTOLIC, VITALS, Vital

_WORDS: Final = {"/min": " /min", "%": " %", "Cel": " °C", "mm[Hg]": " mmHg", "{steps}": " steps"}
_ONE_DECIMAL: Final = {"Cel", "kg"}
_REPORTS_UNTIL_OLD: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalView:
    """``every_s``: seconds between readings of the device that measures by itself, None where people measure."""

    vital: Vital
    unit: str
    decimals: int
    every_s: int | None

    @property
    def number_format(self) -> str:
        """For ``to_char``."""
        return "FM999990.0" if self.decimals else "FM999990"


def view_of(vital: Vital) -> VitalView:
    """Derived from the vital and the device types that measure it."""
    by_itself = [one.reports_every_s for one in DEVICE_TYPES if vital.code in one.vitals and one.silent_after_s]
    return VitalView(
        vital=vital,
        unit=_WORDS.get(vital.unit, f" {vital.unit}"),
        decimals=1 if vital.unit in _ONE_DECIMAL else 0,
        every_s=max(60, min(by_itself)) if by_itself else None,
    )


VIEWS: Final = tuple(view_of(vital) for vital in VITALS)
LINES: Final = tuple(view for view in VIEWS if view.every_s and view.vital is not STEPS)
POINTS: Final = tuple(view for view in VIEWS if view.every_s is None and view.vital not in (SYSTOLIC, DIASTOLIC))


def vital_rows() -> str:
    """The rows of a VALUES list: number, label, number format, unit."""
    return ", ".join(
        f"({view.vital.number}, '{view.vital.label}', '{view.number_format}', '{view.unit}')" for view in VIEWS
    )


def device_rows() -> str:
    """The rows of a VALUES list: device type, and for how many seconds its newest reading is current."""
    return ", ".join(
        f"('{one.code}', {one.silent_after_s or _REPORTS_UNTIL_OLD * one.reports_every_s})" for one in DEVICE_TYPES
    )


def all_vitals() -> str:
    """Every vital's number, as an array."""
    return f"array[{', '.join(str(vital.number) for vital in VITALS)}]::smallint[]"
