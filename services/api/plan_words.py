"""Dose plans in words: how much, when it is due, and what an edit changed. Pure."""

from collections.abc import Sequence
from datetime import time
from typing import Any, Final

from schemas.doses import PlanKind
from schemas.plan_versions import PlanContent

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIELDS: Final = (
    *(("drug", "Drug"), ("strength", "Strength"), ("count", "Count"), ("device", "Dispenser")),
    *(("compartment", "Compartment"), ("time_critical", "Time-critical"), ("listed", "Dangerous when taken twice")),
)


def amount(content: PlanContent) -> str:
    """How much is one dose: how many, of which strength."""
    return " \N{MULTIPLICATION SIGN} ".join(part for part in (f"{content.count:g}", content.strength) if part)


def schedule(content: PlanContent) -> str:
    """When it is due: "each day at 08:00 and 20:00, until 2026-12-31"."""
    if content.kind is PlanKind.AS_NEEDED:
        most = f", at most {content.most_per_day} a day" if content.most_per_day else ""
        words = f"as needed, at least {_span(content.least_interval_min or 0)} apart{most}"
    else:
        words = f"{_which_days(content)} at {listed([_clock(at) for at in content.at_times])}"
    if content.from_day:
        words += f", from {content.from_day}"
    return words + (f", until {content.until_day}" if content.until_day else "")


def _which_days(content: PlanContent) -> str:
    if content.every_days > 1:
        return f"every {content.every_days} days, counted from {content.anchor},"
    if content.weekdays:
        return f"on {listed([_DAYS[number - 1] for number in content.weekdays])}"
    return "each day"


def _span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def _clock(at: time) -> str:
    return at.isoformat("seconds" if at.second else "minutes")


def listed(words: Sequence[str]) -> str:
    """Several words as one: "a, b and c"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def changes(before: PlanContent, after: PlanContent) -> list[str]:
    """What a version says otherwise than the one before, a line each: "Drug: A → B"."""
    found = [
        f"{label}: {_plain(getattr(before, name))} → {_plain(getattr(after, name))}"
        for name, label in _FIELDS
        if getattr(before, name) != getattr(after, name)
    ]
    if schedule(before) != schedule(after):
        found.append(f"When: {schedule(before)} → {schedule(after)}")
    if before.zone != after.zone:
        found.append(f"Time zone: {before.zone} → {after.zone}")
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
