"""The form of a plan's page: from a version to fields and back, with what is wrong beside its field. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from schemas.doses import PlanKind
from schemas.plan_terms import HIGHEST_COMPARTMENT, PlanTerms, PlanWish, terms_of
from schemas.plan_versions import PlanContent

LONGEST_REASON: Final = 500
_EMPTY: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("drug", "strength", "device", "compartment", "at", "anchor", "from_day", "until_day"), ""),
        **dict.fromkeys(("least_interval_h", "most_per_day", "time_critical", "listed", "reason"), ""),
        "count": "1",
        "kind": "scheduled",
        "every_days": "1",
    }
)
_WRONG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "drug": "Name the drug, in one line of at most 120 characters.",
        "strength": "One line of at most 60 characters, such as 500 mg.",
        "count": "A number above 0, such as 1 or 0.5.",
        "device": "Choose a dispenser of this person.",
        "compartment": f"A whole number from 0 to {HIGHEST_COMPARTMENT}.",
        "at": "Times of the day, such as 08:00, 20:00; at most 12.",
        "weekdays": "Days of the week, each once.",
        "every_days": "A whole number of days, from 1 to 366.",
        "anchor": "A day, such as 2026-11-29.",
        "from_day": "A day, such as 2026-11-29.",
        "until_day": "A day, such as 2026-12-31.",
        "least_interval_h": "Hours between two takings, from a quarter of an hour to 168.",
        "most_per_day": "A whole number from 1 to 48, or nothing.",
        "reason": f"At most {LONGEST_REASON} characters.",
    }
)
_CONTRADICTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "at": "What is due at set times has at least one; what is taken as needed has none.",
        "weekdays": "Choose weekdays or every so many days, not both; as needed, neither.",
        "every_days": "What is taken as needed is due on no day.",
        "anchor": "Every so many days counts from a day: name it here, or as the first day.",
        "until_day": "The last day lies before the first.",
        "time_critical": "What is taken as needed is never due.",
    }
)
_OF_AS_NEEDED: Final = {"least_interval_min": "least_interval_h", "most_per_day": "most_per_day"}
_SEPARATOR: Final = re.compile(r"[,;\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanForm:
    """What stands in the fields. ``problems``: what is wrong, by field."""

    values: Mapping[str, str]
    weekdays: Sequence[str] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def empty_form(devices: Sequence[str]) -> PlanForm:
    """A new plan: with the person's dispenser where there is just one."""
    return PlanForm(values={**_EMPTY, "device": devices[0] if len(devices) == 1 else ""})


def form_of(content: PlanContent) -> PlanForm:
    """A version as fields. The reason is that of the next edit, so it is empty."""
    terms, least = terms_of(content), content.least_interval_min
    values = {
        "drug": terms.drug,
        "strength": terms.strength,
        "count": f"{terms.count:g}",
        "device": content.device,
        "compartment": str(content.compartment),
        "kind": str(content.kind),
        "at": ", ".join(one.isoformat("seconds" if one.second else "minutes") for one in terms.at),
        "every_days": str(terms.every_days),
        "least_interval_h": "" if least is None else f"{least / 60:g}",
        "most_per_day": str(content.most_per_day or ""),
        "time_critical": "yes" if terms.time_critical else "",
        "listed": "yes" if terms.listed else "",
    }
    days = {name: str(getattr(terms, name) or "") for name in ("anchor", "from_day", "until_day")}
    return PlanForm(values={**_EMPTY, **values, **days}, weekdays=terms.weekdays or ())


def typed_form(values: Mapping[str, str], weekdays: Sequence[str]) -> PlanForm:
    """What somebody has sent, cut where it is too long to be shown again."""
    known = {name: values[name][:1000] for name in _EMPTY if name in values}
    return PlanForm(values={**_EMPTY, **known}, weekdays=tuple(weekdays))


def read_form(form: PlanForm) -> PlanWish | PlanForm:
    """What the form asks for, or the form with what is wrong in it."""
    problems: dict[str, str] = {}
    said = _terms_said(form)
    device, compartment = form["device"].strip(), _whole(form["compartment"])
    if not device:
        problems["device"] = _WRONG["device"]
    if not isinstance(compartment, int) or not 0 <= compartment <= HIGHEST_COMPARTMENT:
        problems["compartment"] = _WRONG["compartment"]
    if len(form["reason"]) > LONGEST_REASON:
        problems["reason"] = _WRONG["reason"]
    try:
        terms = PlanTerms.model_validate(said)
    except ValidationError as error:
        problems |= _by_field(error)
    if problems:
        return PlanForm(values=form.values, weekdays=form.weekdays, problems=problems)
    return PlanWish(device=device, compartment=int(compartment), terms=terms, reason=form["reason"].strip())


def _terms_said(form: PlanForm) -> dict[str, Any]:
    at_will = form["kind"] == PlanKind.AS_NEEDED
    said: dict[str, Any] = {
        "drug": form["drug"],
        "strength": form["strength"],
        "count": _number(form["count"]),
        "at": [] if at_will and not form["at"].strip() else _SEPARATOR.split(form["at"].strip()),
        "weekdays": list(form.weekdays) or None,
        "every_days": _whole(form["every_days"] or "1"),
        "time_critical": form["time_critical"] != "",
        "listed": form["listed"] != "",
    }
    said |= {name: form[name].strip() or None for name in ("anchor", "from_day", "until_day")}
    if at_will:
        hours = _number(form["least_interval_h"])
        said["as_needed"] = {
            "least_interval_min": round(hours * 60) if isinstance(hours, float) else None,
            "most_per_day": _whole(form["most_per_day"]) if form["most_per_day"].strip() else None,
        }
    return said


def _by_field(error: ValidationError) -> dict[str, str]:
    found = {}
    for one in error.errors(include_input=False, include_url=False):
        if not one["loc"]:
            name, _, why = one["msg"].removeprefix("Value error, ").partition(": ")
            found[name] = _CONTRADICTS.get(name, why)
            continue
        name = str(one["loc"][0])
        if name == "as_needed":
            name = _OF_AS_NEEDED.get(str(one["loc"][-1]), "least_interval_h")
        found[name] = _WRONG.get(name, "That can't be so.")
    return found


def _number(text: str) -> float | str:
    """A number with a dot or a comma; else the text, which is refused by its field."""
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        return text
    return found if isfinite(found) else text


def _whole(text: str) -> int | str:
    try:
        return int(text.strip())
    except ValueError:
        return text
