"""How a panel's JSON says that its result looks: colours, units, styles, read back for drawing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

_STEPS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The part of a panel's ``fieldConfig`` that our panels use."""

    style: str
    stacked: bool
    unit: str
    decimals: int
    nothing: str
    words: Mapping[str, str]
    steps: tuple[tuple[float, str], ...]
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, panel: Mapping[str, Any]) -> "Looks":
        """From a panel as it stands in the dashboard file."""
        defaults = panel["fieldConfig"]["defaults"]
        custom = defaults.get("custom", {})
        overrides = panel["fieldConfig"]["overrides"]
        return cls(
            style=custom.get("drawStyle", "line"),
            stacked=custom.get("stacking", {}).get("mode") == "normal",
            unit=defaults.get("unit", "").removeprefix("suffix:"),
            decimals=int(defaults.get("decimals", 0)),
            nothing=defaults.get("noValue", "no data"),
            words={
                word: one["color"] for map_ in defaults.get("mappings", ()) for word, one in map_["options"].items()
            },
            steps=_steps_of(defaults.get("thresholds", {})),
            columns={
                one["matcher"]["options"]: {each["id"]: each["value"] for each in one["properties"]}
                for one in overrides
            },
        )

    def of_column(self, name: str, key: str, otherwise: Any = None) -> Any:
        """A property that one column has of its own."""
        return self.columns.get(name, {}).get(key, otherwise)

    def colour(self, name: str, otherwise: str) -> str:
        """The colour of a series."""
        colour: str = self.of_column(name, "color", {}).get("fixedColor", otherwise)
        return colour

    def colour_of_number(self, name: str, value: Any) -> str:
        """The colour of the highest threshold that a number has reached."""
        steps = _steps_of(self.of_column(name, "thresholds", {})) or self.steps
        number = value if isinstance(value, int | float) else 0
        return next((colour for at, colour in reversed(steps) if number >= at), "#1f2430")

    def text(self, name: str, value: Any) -> str:
        """A value in words: ages in the largest unit that fits, times as day and minute in UTC."""
        if value is None:
            return "-"
        if isinstance(value, datetime):
            return f"{value:%a %d %b %H:%M}"
        if self.of_column(name, "unit", self.unit) == "s" and isinstance(value, int | float):
            return age(value)
        return f"{value:,}" if isinstance(value, int) else str(value)


def age(seconds: float) -> str:
    """Seconds in the largest unit that fits."""
    whole = timedelta(seconds=round(seconds)).total_seconds()
    size, word = next(((size, word) for size, word in _STEPS if abs(whole) >= size), _STEPS[-1])
    return f"{whole / size:.0f} {word}"


def _steps_of(thresholds: Mapping[str, Any]) -> tuple[tuple[float, str], ...]:
    steps = thresholds.get("steps", ())
    return tuple((float("-inf") if one["value"] is None else one["value"], one["color"]) for one in steps)
