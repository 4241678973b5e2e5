"""A value of a scenario file on its way to what it means: each step refuses what the format does not allow."""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, NoReturn

from device_sim.scenario.document import Document, Path_
from device_sim.scenario.offsets import parse_offset

NAME: Final = r"[a-z][a-z0-9_-]{0,39}"
_WALL_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_LONGEST_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """The value at ``path`` of a document. Every method raises ScenarioError where it is something else."""

    document: Document
    path: Path_
    value: Any

    def refuse(self, message: str) -> NoReturn:
        """Raises ScenarioError here."""
        self.document.refuse(self.path, message)

    def of(self, key: Any) -> "Field":
        """The value of a key that is there."""
        place = key if isinstance(self.value, list) else str(key)
        return Field(self.document, (*self.path, place), self.value[key])

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.document.lines.get(self.path, 1)

    def mapping(self) -> Mapping[Any, "Field"]:
        """The fields of a mapping."""
        if not isinstance(self.value, dict):
            self.refuse("has to be a mapping of names to values")
        return {key: self.of(key) for key in self.value}

    def row(self, *, required: Collection[str] = (), optional: Collection[str] = ()) -> Mapping[str, "Field"]:
        """The fields of a mapping that has all of ``required`` and nothing but these and ``optional``."""
        found = self.mapping()
        for key in found:
            if key not in required and key not in optional:
                self.document.refuse((*self.path, key), f"is no field here; {_listed([*required, *optional])} are")
        for key in required:
            if key not in found:
                self.refuse(f"lacks the field {key}")
        return found

    def rows(self) -> Iterator["Field"]:
        """The values of a list."""
        if not isinstance(self.value, list):
            self.refuse("has to be a list")
        return (self.of(place) for place in range(len(self.value)))

    def text(self, pattern: str = "") -> str:
        """One line of text; a number counts as what was written."""
        value = self.document.written.get(self.path, self.value)
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
            self.refuse(f"has to be text of 1 to {_LONGEST_TEXT} characters")
        if pattern and not re.fullmatch(pattern, value):
            self.refuse(f"{value[:60]!r} is not of the form {pattern}")
        return value

    def choice(self, words: Collection[str]) -> str:
        """One of ``words``."""
        if not isinstance(self.value, str) or self.value not in words:
            self.refuse(f"{str(self.value)[:60]!r} is not one of {_listed(words)}")
        return self.value

    def number(self, lowest: float = -math.inf, highest: float = math.inf) -> float:
        """A number in a range, both ends included."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("has to be a number")
        if not lowest <= self.value <= highest:
            self.refuse(f"{self.value:g} is not in {lowest:g} to {highest:g}")
        return self.value

    def integer(self, lowest: int, highest: int) -> int:
        """A whole number in a range, both ends included."""
        number = self.number(lowest, highest)
        if not isinstance(number, int):
            self.refuse("has to be a whole number")
        return number

    def flag(self) -> bool:
        """``true`` or ``false``."""
        if not isinstance(self.value, bool):
            self.refuse("has to be true or false")
        return self.value

    def offset(self) -> int:
        """An offset from the start, in ms."""
        found = parse_offset(self.value) if isinstance(self.value, str) else None
        if found is None:
            self.refuse(f"{str(self.value)[:60]!r} is no time; 90s, 5m, 1d 2h 30m or -20d are")
        return found

    def length(self) -> int:
        """A time that lasts, in ms, more than 0."""
        found = self.offset()
        if found <= 0:
            self.refuse("has to be longer than nothing")
        return found

    def day(self) -> date:
        """A calendar day."""
        try:
            return date.fromisoformat(self.text(r"\d{4}-\d{2}-\d{2}"))
        except ValueError:
            self.refuse(f"{self.value!r} is no day of the calendar")

    def time_of_day(self) -> time:
        """A time of day on the home's clock."""
        return time.fromisoformat(self.text(_WALL_CLOCK))

    def wall_clock(self) -> datetime:
        """A moment on the home's clock, to the minute or second, without a zone."""
        try:
            return datetime.fromisoformat(self.text(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?"))
        except ValueError:
            self.refuse(f"{self.value!r} is no moment of the calendar")

    def __str__(self) -> str:
        return _said(self.value)


def named(found: Field) -> Mapping[str, Field]:
    """A mapping whose keys are names."""
    rows = found.mapping()
    for key, row in rows.items():
        if not re.fullmatch(NAME, str(key)):
            row.refuse(f"a name is of the form {NAME}")
    return {str(key): row for key, row in rows.items()}


def known(found: Field, names: Mapping[str, object], kind: str) -> str:
    """The name of one of ``names``."""
    name = found.text()
    if name not in names:
        found.refuse(f"{name[:60]!r} is no {kind} of this scenario")
    return name


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
