"""What a dose plan says: drug, strength, count, and when it is due; as register files, doctors and versions have it."""

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Final, Literal, Self
from unicodedata import category

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from schemas.doses import PlanKind
from schemas.plan_versions import PlanContent

_TURNS_TEXT: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_LETTERS: Final = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
_WALL_CLOCK: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
_CALENDAR_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of ISO weekdays: the first is 1."""
MOST_TIMES: Final = 12
HIGHEST_COMPARTMENT: Final = 63
LONGEST_LEAST_INTERVAL_MIN: Final = 7 * 24 * 60


def one_line_of_text(text: str) -> str:
    """Joiners stay, because names need them; what breaks or turns a line, or shows nothing, does not.

    Raises ValueError, which repeats nothing of it.
    """
    kinds = [category(letter) for letter in text]
    if _TURNS_TEXT.intersection(text) or {"Cc", "Cs", "Zl", "Zp"}.intersection(kinds) or _NO_LETTERS.issuperset(kinds):
        raise ValueError("a name is one line of text")
    return text


def _line_or_nothing(text: str) -> str:
    return one_line_of_text(text) if text else text


def _written_as(pattern: str, example: str) -> BeforeValidator:
    """A bare number would pass as seconds, or as days since 1970; what is no text is left to whoever reads it."""
    written = re.compile(pattern)

    def check(said: Any) -> Any:
        if isinstance(said, (int, float)) or (isinstance(said, str) and written.fullmatch(said) is None):
            raise ValueError(f"it is written like {example}")
        return said

    return BeforeValidator(check)


def _wall_clock(at: time) -> time:
    if at.tzinfo is not None or at.microsecond:
        raise ValueError("a time of day is the home's wall clock, to the second")
    return at


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), AfterValidator(one_line_of_text)
]
ShortLine = Annotated[str, StringConstraints(max_length=60, strip_whitespace=True), AfterValidator(_line_or_nothing)]
WallTime = Annotated[
    time,
    _written_as(_WALL_CLOCK, "08:00"),
    AfterValidator(_wall_clock),
    WithJsonSchema({"type": "string", "pattern": _WALL_CLOCK}),
]
CalendarDay = Annotated[
    date, _written_as(_CALENDAR_DAY, "2026-11-29"), WithJsonSchema({"type": "string", "format": "date"})
]


class AsNeeded(BaseModel):
    """Taken at will: at least ``least_interval_min`` minutes apart, at most ``most_per_day`` on a local day."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    least_interval_min: int = Field(gt=0, le=LONGEST_LEAST_INTERVAL_MIN, strict=True)
    most_per_day: int | None = Field(default=None, gt=0, le=48, strict=True)


class PlanTerms(BaseModel):
    """What a version of a plan says of one drug. Times and days are local to the home.

    ``count``: tablets, drops or puffs a dose. ``weekdays`` left out: each day. ``every_days`` counts from ``anchor``,
    or from ``from_day`` where that is left out. ``until_day`` is the last day. Without ``as_needed`` it is due ``at``
    set times. ``time_critical``: on time within half an hour. ``listed``: taking it twice is dangerous.

    Errors name the field and hide what stood there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    drug: Name
    strength: ShortLine = ""
    count: float = Field(default=1, gt=0, le=1000, strict=True, allow_inf_nan=False)
    at: tuple[WallTime, ...] = Field(default=(), max_length=MOST_TIMES)
    weekdays: tuple[Weekday, ...] | None = Field(default=None, min_length=1, max_length=len(WEEKDAYS))
    every_days: int = Field(default=1, ge=1, le=366, strict=True)
    anchor: CalendarDay | None = None
    from_day: CalendarDay | None = None
    until_day: CalendarDay | None = None
    as_needed: AsNeeded | None = None
    time_critical: bool = Field(default=False, strict=True)
    listed: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if problem := problem_of(self):
            raise ValueError(problem)
        return self

    def content(self, *, device: str, compartment: int, zone: str) -> PlanContent:
        """The same for the same plan, however it was written."""
        at_will = self.as_needed
        return PlanContent(
            device=device,
            compartment=compartment,
            zone=zone,
            drug=self.drug,
            strength=self.strength,
            count=float(self.count),
            kind=PlanKind.SCHEDULED if at_will is None else PlanKind.AS_NEEDED,
            at_times=tuple(sorted(set(self.at))),
            weekdays=weekday_numbers(self.weekdays),
            every_days=self.every_days,
            anchor=(self.anchor or self.from_day) if self.every_days > 1 else None,
            from_day=self.from_day,
            until_day=self.until_day,
            least_interval_min=at_will.least_interval_min if at_will else None,
            most_per_day=at_will.most_per_day if at_will else None,
            time_critical=self.time_critical,
            listed=self.listed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What a doctor wants a plan to say, in which compartment of which dispenser its drug lies, and why it changes."""

    device: str
    compartment: int
    terms: PlanTerms
    reason: str = ""

    def content(self, zone: str) -> PlanContent:
        """What a version has to say, in the zone of the person's home."""
        return self.terms.content(device=self.device, compartment=self.compartment, zone=zone)


def terms_of(content: PlanContent) -> PlanTerms:
    """What a version says, as a doctor or a register file would say it."""
    at_will = content.kind is PlanKind.AS_NEEDED
    return PlanTerms(
        drug=content.drug,
        strength=content.strength,
        count=content.count,
        at=content.at_times,
        weekdays=tuple(WEEKDAYS[number - 1] for number in content.weekdays) or None,
        every_days=content.every_days,
        anchor=content.anchor,
        from_day=content.from_day,
        until_day=content.until_day,
        as_needed=AsNeeded(least_interval_min=content.least_interval_min or 1, most_per_day=content.most_per_day)
        if at_will
        else None,
        time_critical=content.time_critical,
        listed=content.listed,
    )


def problem_of(terms: PlanTerms) -> str:
    """How the fields contradict each other, by the name of one; "" where they do not."""
    at_will, days = terms.as_needed is not None, terms.weekdays
    wrong = (
        (not at_will and not terms.at, "at: a plan has times of the day, or is taken as_needed"),
        (at_will and bool(terms.at), "at: what is taken as_needed has no times of the day"),
        (at_will and days is not None, "weekdays: what is taken as_needed has none"),
        (at_will and terms.every_days > 1, "every_days: what is taken as_needed is due on no day"),
        (at_will and terms.time_critical, "time_critical: what is taken as_needed is never due"),
        (days is not None and len(set(days)) < len(days), "weekdays: a day is named twice"),
        (days is not None and terms.every_days > 1, "weekdays: a plan goes by weekdays or by every_days, not by both"),
        (
            terms.every_days > 1 and terms.anchor is None and terms.from_day is None,
            "anchor: every_days counts from a day, which is anchor or from_day",
        ),
        (
            terms.from_day is not None and terms.until_day is not None and terms.until_day < terms.from_day,
            "until_day: it lies before from_day",
        ),
    )
    return next((problem for is_so, problem in wrong if is_so), "")


def weekday_numbers(days: tuple[str, ...] | None) -> tuple[int, ...]:
    """ISO numbers in order; () for each day, also where all seven are named."""
    if days is None or len(set(days)) == len(WEEKDAYS):
        return ()
    return tuple(sorted(WEEKDAYS.index(day) + 1 for day in days))
