"""What must be true: the entries of ``expect``. Times are offsets in ms; ``by`` None is the end plus draining."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from device_sim.scenario.fields import Field, known
from device_sim.scenario.household import HOME, Household
from schemas.reasons import Flag, RejectionReason
from schemas.rule_names import RULE_NAME_BY_NAME
from schemas.vitals import VITAL_BY_CODE

ANY: Final = "any"
"""All rules but technical ones."""
SEVERITIES: Final = ("technical", "low", "medium", "high")
END_REASONS: Final = ("recovered", "no_data", "disproved", "turned")
STATES: Final = ("open", "acknowledged", "closed", "none")
DOSE_STATES: Final = ("taken", "early", "late", "missed", "double", "unknown", "held", "pending", "none")
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From ``after`` up to ``by``, both included."""

    after: int = 0
    by: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectAlert:
    """An alert that opens, or rises to ``severity`` ("" for any); ``times`` 0: none does."""

    rule: str
    of: str
    severity: str
    times: int
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectFinding:
    """A finding of a ``level`` or an end (both None: any); ``times`` 0: there is none."""

    rule: str
    of: str
    level: int | None
    ended: str
    times: int
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectPages:
    """So many notifications reached doctors (or caregivers)."""

    least: int
    most: int
    rule: str
    of: str
    to: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectState:
    """How an alert stands ``at`` a moment, None for the end."""

    state: str
    rule: str
    of: str
    at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectWords:
    """Some sentence contains ``text``, letter case aside; ``never``: none does."""

    text: str
    never: bool
    rule: str
    of: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectDose:
    """What the ledger says of a dose ``at`` a moment, None for the end."""

    plan: str
    due: datetime
    state: str
    at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectReading:
    """What became of an item: ``stored``, or ``rejected:REASON``, or ``flagged:FLAG``."""

    vital: str
    device: str
    measured: int
    fate: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectWatched:
    """Share of a time that the platform says it watched."""

    vital: str
    of: str
    first: int
    end: int
    least: float
    most: float


Claim = (
    ExpectAlert | ExpectFinding | ExpectPages | ExpectState | ExpectWords | ExpectDose | ExpectReading | ExpectWatched
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A claim, how it was written, and where."""

    text: str
    line: int
    claim: Claim


def read_expectation(found: Field, household: Household) -> Expectation:
    """One entry of ``expect``, known by the field that only its kind has."""
    row = found.mapping()
    kinds = [kind for kind in _READERS if kind in row]
    # Pages and states name a rule beside their own word; no kind's word is a field of another.
    if len(kinds) != 1:
        found.refuse(f"is one of {', '.join(_READERS)}")
    text = ", ".join(f"{key}: {one}" for key, one in row.items())
    return Expectation(text=text, line=found.line, claim=_READERS[kinds[0]](found, kinds[0], household))


def _window(row: Mapping[str, Field]) -> Window:
    after = row["after"].offset() if "after" in row else 0
    by = row["by"].offset() if "by" in row else None
    if by is not None and by < after:
        row["by"].refuse("has to be no earlier than after")
    return Window(after=after, by=by)


def _whom(row: Mapping[str, Field], household: Household) -> str:
    if row["of"].value == HOME and HOME not in household.people:
        return HOME
    return known(row["of"], household.people, "person")


def _rule(found: Field) -> str:
    return found.choice(RULE_NAME_BY_NAME)


def _alert(found: Field, kind: str, household: Household) -> ExpectAlert:
    never = kind == "no_alert"
    more = () if never else ("severity", "times")
    row = found.row(required=(kind, "of"), optional=(*more, "after", "by"))
    rule = row[kind].choice((ANY, *RULE_NAME_BY_NAME)) if never else _rule(row[kind])
    return ExpectAlert(
        rule=rule,
        of=_whom(row, household),
        severity=row["severity"].choice(SEVERITIES) if "severity" in row else "",
        times=0 if never else row["times"].integer(1, _MOST) if "times" in row else 1,
        window=_window(row),
    )


def _finding(found: Field, kind: str, household: Household) -> ExpectFinding:
    never = kind == "no_finding"
    more = () if never else ("times",)
    row = found.row(required=(kind, "of"), optional=(*more, "level", "ended", "after", "by"))
    if "level" in row and "ended" in row:
        row["ended"].refuse("stands beside level; it is one of the two")
    return ExpectFinding(
        rule=row[kind].choice((ANY, *RULE_NAME_BY_NAME)) if never else _rule(row[kind]),
        of=_whom(row, household),
        level=row["level"].integer(0, 9) if "level" in row else None,
        ended=row["ended"].choice(END_REASONS) if "ended" in row else "",
        times=0 if never else row["times"].integer(1, _MOST) if "times" in row else 1,
        window=_window(row),
    )


def _pages(found: Field, kind: str, household: Household) -> ExpectPages:
    row = found.row(required=(kind,), optional=("rule", "of", "to", "after", "by"))
    if isinstance(row[kind].value, dict):
        bounds = row[kind].row(optional=("least", "most"))
        if not bounds:
            row[kind].refuse("names neither least nor most")
        least = bounds["least"].integer(0, _MOST) if "least" in bounds else 0
        most = bounds["most"].integer(0, _MOST) if "most" in bounds else _MOST
        if most < least:
            bounds["most"].refuse("is fewer than least")
    else:
        least = most = row[kind].integer(0, _MOST)
    return ExpectPages(
        least=least,
        most=most,
        rule=_rule(row["rule"]) if "rule" in row else "",
        of=_whom(row, household) if "of" in row else "",
        to=row["to"].choice(("doctor", "caregiver")) if "to" in row else "doctor",
        window=_window(row),
    )


def _state(found: Field, kind: str, household: Household) -> ExpectState:
    row = found.row(required=(kind, "rule", "of"), optional=("at",))
    return ExpectState(
        state=row[kind].choice(STATES), rule=_rule(row["rule"]), of=_whom(row, household), at=_moment(row)
    )


def _moment(row: Mapping[str, Field]) -> int | None:
    if "at" not in row:
        return None
    at = row["at"].offset()
    if at < 0:
        row["at"].refuse("the platform is not asked before the start")
    return at


def _words(found: Field, kind: str, household: Household) -> ExpectWords:
    row = found.row(required=(kind, "rule", "of"), optional=("after", "by"))
    return ExpectWords(
        text=row[kind].text(),
        never=kind == "never_says",
        rule=_rule(row["rule"]),
        of=_whom(row, household),
        window=_window(row),
    )


def _dose(found: Field, kind: str, household: Household) -> ExpectDose:
    row = found.row(required=(kind, "due", "is"), optional=("at",))
    return ExpectDose(
        plan=known(row[kind], household.plans, "plan"),
        due=row["due"].wall_clock(),
        state=row["is"].choice(DOSE_STATES),
        at=_moment(row),
    )


def _reading(found: Field, kind: str, household: Household) -> ExpectReading:
    row = found.row(required=(kind, "device", "measured", "is"))
    fate, _, detail = row["is"].text().partition(":")
    words = {"stored": ("",), "rejected": tuple(RejectionReason), "flagged": tuple(one.name.lower() for one in Flag)}  # type: ignore[union-attr]
    if fate not in words or detail not in words[fate]:
        row["is"].refuse(f"is stored, rejected:REASON or flagged:FLAG, with one of {', '.join(words.get(fate, words))}")
    return ExpectReading(
        vital=row[kind].choice(VITAL_BY_CODE),
        device=known(row["device"], household.devices, "device"),
        measured=row["measured"].offset(),
        fate=fate,
        detail=detail,
    )


def _watched(found: Field, kind: str, household: Household) -> ExpectWatched:
    row = found.row(required=(kind, "of", "from", "to"), optional=("least", "most"))
    if "least" not in row and "most" not in row:
        found.refuse("lacks the field least, or most")
    first, end = row["from"].offset(), row["to"].offset()
    if end <= first:
        row["to"].refuse("has to be later than from")
    return ExpectWatched(
        vital=row[kind].choice(VITAL_BY_CODE),
        of=known(row["of"], household.people, "person"),
        first=first,
        end=end,
        least=row["least"].number(0, 1) if "least" in row else 0,
        most=row["most"].number(0, 1) if "most" in row else 1,
    )


_READERS: Final[Mapping[str, Callable[[Field, str, Household], Claim]]] = {
    "alert": _alert,
    "no_alert": _alert,
    "finding": _finding,
    "no_finding": _finding,
    "pages": _pages,
    "state": _state,
    "says": _words,
    "never_says": _words,
    "dose": _dose,
    "reading": _reading,
    "watched": _watched,
}
