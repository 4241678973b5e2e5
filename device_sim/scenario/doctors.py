"""What doctors do in a story, each thing through the console's REST interface. Times are offsets in ms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from types import MappingProxyType
from typing import Any, Final

from device_sim.scenario.fields import Field, known
from device_sim.scenario.household import Household
from device_sim.scenario.plans import CHANGED, read_changes
from schemas.rule_names import RULE_NAME_BY_NAME

VERDICTS: Final = ("real", "false", "unclear")
ACTIONS: Final = ("called", "visited", "handled_already", "nothing")
_SAID: Final = ("of", "note", "verdict", "action")
_LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that ``doctor`` does at ``at``; ``words`` is how it was written, for people."""

    doctor: str
    at: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledges(Act):
    """Takes on every open alert of ``rule`` about the person ``of``. ``said``: note, verdict, action."""

    rule: str
    of: str
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaysOutcome(Act):
    """Says what came of the newest alert of ``rule`` about ``of`` that somebody took on."""

    rule: str
    of: str
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishes(Act):
    """Closes every acknowledged alert of ``rule`` about ``of``, which nobody will see recover."""

    rule: str
    of: str
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsQuietHours(Act):
    """From ``begins`` to ``ends`` of the scenario's zone the doctor is not to be disturbed; None: at no time."""

    hours: tuple[time, time] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditsPlan(Act):
    """``changes`` by the fields of PlanOfStory; the rest of the plan stays as it is then."""

    plan: str
    changes: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PausesPlan(Act):
    """Until ``until``, or until somebody resumes it (None)."""

    plan: str
    why: str
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumesPlan(Act):
    """Ends the pause."""

    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillsPlan(Act):
    """``count`` units are put in."""

    plan: str
    count: float


def read_act(found: Field, household: Household) -> Act:
    """What a doctor does, known by its verb. Raises ScenarioError."""
    row = found.mapping()
    verbs = [verb for verb in _READERS if verb in row]
    for other in ("caregiver", "person"):
        if other in row:
            row[other].refuse("does nothing here; a doctor does")
    if len(verbs) > 1:
        row[verbs[1]].refuse(f"stands beside {verbs[0]}; an entry is one thing")
    if not verbs:
        # Names the field that is not known.
        found.row(required=("doctor", "at"), optional=_READERS)
        found.refuse(f"says nothing that a doctor does; {', '.join(_READERS)} do")
    return _READERS[verbs[0]](found, verbs[0], household)


def _common(row: Mapping[str, Field], verb: str, household: Household) -> dict[str, Any]:
    """Who, and when."""
    doctor = known(row["doctor"], household.doctors, "doctor")
    at = row["at"].offset()
    if at < 0:
        row["at"].refuse("nobody does anything before the start")
    whom = f", of: {row['of']}" if "of" in row else ""
    return {"doctor": doctor, "at": at, "words": f"doctor: {doctor}, {verb}: {row[verb]}{whom}"}


def _about_alert(found: Field, verb: str, household: Household) -> Act:
    row = found.row(required=("doctor", "at", verb), optional=_SAID)
    common = _common(row, verb, household)
    rule, of = row[verb].choice(RULE_NAME_BY_NAME), _person(found, row, household)
    said = _said(row)
    kind, needed = _ABOUT_ALERTS[verb]
    if needed and not said:
        found.refuse("lacks the field verdict, or action, or note")
    words = common["words"] if "of" in row else f"{common['words']}, of: {of}"
    return kind(**{**common, "words": words}, rule=rule, of=of, said=said)


def _person(found: Field, row: Mapping[str, Field], household: Household) -> str:
    if "of" in row:
        return known(row["of"], household.people, "person")
    doctor = row["doctor"].text()
    cared_for = household.doctors[doctor]
    if len(cared_for) != 1:
        found.refuse(f"lacks the field of: {doctor} cares for {len(cared_for)} people")
    return cared_for[0]


def _said(row: Mapping[str, Field]) -> dict[str, str]:
    said = {}
    if "note" in row:
        said["note"] = _note(row["note"])
    if "verdict" in row:
        # `verdict: false` is no answer to a question of yes or no.
        is_false = row["verdict"].value is False
        said["verdict"] = "false" if is_false else row["verdict"].choice(VERDICTS)
    if "action" in row:
        said["action"] = row["action"].choice((*ACTIONS, "handled already")).replace(" ", "_")
    return said


def _note(found: Field) -> str:
    text = found.text()
    if len(text) > _LONGEST_NOTE:
        found.refuse(f"is longer than {_LONGEST_NOTE} characters")
    return text


def _sets_quiet_hours(found: Field, verb: str, household: Household) -> SetsQuietHours:
    row = found.row(required=("doctor", "at", verb))
    common = _common(row, verb, household)
    if row[verb].value == "none":
        return SetsQuietHours(**common, hours=None)
    hours = row[verb].row(required=("from", "to"))
    begins, ends = hours["from"].time_of_day(), hours["to"].time_of_day()
    if begins == ends:
        hours["to"].refuse("has to be another time than from")
    return SetsQuietHours(**common, hours=(begins, ends))


def _edits_plan(found: Field, verb: str, household: Household) -> EditsPlan:
    row = found.row(required=("doctor", "at", verb), optional=(*CHANGED, "why"))
    common, plan = _common(row, verb, household), _plan(row[verb], household)
    changes = read_changes(row, household.devices)
    if not changes:
        found.refuse(f"changes nothing; {', '.join(CHANGED)} can be")
    return EditsPlan(**common, plan=plan, changes=changes, why=_note(row["why"]) if "why" in row else "")


def _pauses_plan(found: Field, verb: str, household: Household) -> PausesPlan:
    row = found.row(required=("doctor", "at", verb, "why"), optional=("until",))
    common, plan = _common(row, verb, household), _plan(row[verb], household)
    until = row["until"].offset() if "until" in row else None
    if until is not None and until <= common["at"]:
        row["until"].refuse("has to be later than at")
    return PausesPlan(**common, plan=plan, why=_note(row["why"]), until=until)


def _resumes_plan(found: Field, verb: str, household: Household) -> ResumesPlan:
    row = found.row(required=("doctor", "at", verb))
    return ResumesPlan(**_common(row, verb, household), plan=_plan(row[verb], household))


def _refills_plan(found: Field, verb: str, household: Household) -> RefillsPlan:
    row = found.row(required=("doctor", "at", verb, "count"))
    count = row["count"].number(0, 10_000)
    if not count:
        row["count"].refuse("has to be more than 0")
    return RefillsPlan(**_common(row, verb, household), plan=_plan(row[verb], household), count=count)


def _plan(found: Field, household: Household) -> str:
    return known(found, household.plans, "plan")


_ABOUT_ALERTS: Final[Mapping[str, tuple[type[Acknowledges | SaysOutcome | Finishes], bool]]] = MappingProxyType(
    {"acknowledges": (Acknowledges, False), "says_outcome": (SaysOutcome, True), "finishes": (Finishes, False)}
)
"""What each makes, and whether something has to be said with it."""
_READERS: Final[Mapping[str, Callable[[Field, str, Household], Act]]] = MappingProxyType(
    {
        "acknowledges": _about_alert,
        "says_outcome": _about_alert,
        "finishes": _about_alert,
        "sets_quiet_hours": _sets_quiet_hours,
        "edits_plan": _edits_plan,
        "pauses_plan": _pauses_plan,
        "resumes_plan": _resumes_plan,
        "refills_plan": _refills_plan,
    }
)
"""By its verb."""
