"""Whether what was expected of a scenario is so, and what was seen instead. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from deploy.scenarios.evidence import AlertEvent, Evidence, Fate, OfScenario, SaidFinding, Snapshot
from deploy.scenarios.naming import Names
from device_sim.scenario.expectations import (
    ANY,
    ExpectAlert,
    Expectation,
    ExpectDose,
    ExpectFinding,
    ExpectPages,
    ExpectReading,
    ExpectState,
    ExpectWatched,
    ExpectWords,
    Window,
)
from device_sim.scenario.household import HOME
from device_sim.scenario.offsets import say_offset
from device_sim.scenario.scenario import Scenario
from device_sim.scenario.story import Sends
from schemas.coverage import MINUTES
from schemas.reasons import Flag
from schemas.rule_names import RULE_NAMES

_DUE_RULES: Final = frozenset({"fall", "missed_dose", "double_dose", "adherence", "blood_pressure", "silent_device"})
"""Rules that a due row decides, or one query that looks every few seconds."""
_MINUTE_MS: Final = 60_000
_LATE_MS: Final = 3_600_000
"""What comes so much later than it was measured is looked at by a due row."""
_CLINICAL: Final = frozenset(row.name for row in RULE_NAMES if not row.technical)
_OPENS: Final = frozenset({"opened", "reopened"})
_RISES: Final = _OPENS | {"raised"}
_MOST_SAID: Final = 12
Seen = str | None
"""What was seen instead; None: it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A scenario with everything the platform said. ``allowance_ms``: how much later than ``by``, if by a due row."""

    scenario: Scenario
    evidence: Evidence
    own: OfScenario
    allowance_ms: Callable[[bool], int]

    @property
    def names(self) -> Names:
        return Names(self.scenario)

    def concerns(self, one: Any, of: str) -> bool:
        """Whether a row is about ``of``: a person, the home itself, or ("") anybody there."""
        if one.home_id != str(self.names.home):
            return False
        if not of:
            return True
        return bool(one.person_id == ("" if of == HOME else str(self.names.person(of))))

    def offset(self, at_ms: int) -> int:
        """Ms from the start."""
        return at_ms - self.scenario.starts_ms

    def end(self, window: Window, *, rule: str = "", late: bool = False) -> int:
        """The end of a window; ``late``: in which something may still come that must."""
        by = self.scenario.lasts_ms if window.by is None else window.by
        return by + (self.allowance_ms(self._by_due_row(rule)) if late else 0)

    def _by_due_row(self, rule: str) -> bool:
        if rule in _DUE_RULES:
            return True
        entries = [entry for entry in self.scenario.story if isinstance(entry, Sends)]
        return any((entry.sent or 0) - entry.when.first > _LATE_MS or entry.sent_after > _LATE_MS for entry in entries)

    def counts(self, times: Iterable[int], window: Window, rule: str) -> tuple[int, int]:
        """How many lie in the window, and how many where what must happen may lie."""
        offsets = [self.offset(at) for at in times]
        strict = sum(window.after <= at <= self.end(window) for at in offsets)
        return strict, sum(window.after <= at <= self.end(window, rule=rule, late=True) for at in offsets)


def judge(case: Case) -> list[tuple[str, str]]:
    """What does not hold: as it was written, and what was seen."""
    case = replace(case, evidence=_while_it_lasts(case))
    failures = list(case.own.undone)
    for expectation in case.scenario.expect:
        seen = _judge(case, expectation)
        if seen is not None:
            failures.append((expectation.text, seen))
    return failures


def _while_it_lasts(case: Case) -> Evidence:
    """Others on the same platform may go on; what is said of this home after its end is no part of the scenario."""
    end = case.scenario.starts_ms + case.scenario.lasts_ms + case.allowance_ms(True)  # noqa: FBT003 - due rows wait longest
    said = case.evidence
    return Evidence(
        findings=[one for one in said.findings if one.raised_at <= end],
        events=[one for one in said.events if one.at <= end],
        delivered=[one for one in said.delivered if one.at <= end],
        coverage=said.coverage,
    )


def _judge(case: Case, expectation: Expectation) -> Seen:
    return _JUDGES[type(expectation.claim)](case, expectation.claim)


def _rules(rule: str) -> frozenset[str]:
    return _CLINICAL if rule == ANY else frozenset({rule})


def _exactly(strict: int, late: int, *, least: int, most: int) -> bool:
    """So many must have come, with the allowance; more may not, without it."""
    return late >= least and strict <= most


def _alert(case: Case, claim: ExpectAlert) -> Seen:
    rules = _rules(claim.rule)
    about = [one for one in case.evidence.events if one.rule in rules and case.concerns(one, claim.of)]
    kinds = _RISES if claim.severity or not claim.times else _OPENS
    such = [one for one in about if one.what in kinds and claim.severity in {"", one.severity}]
    strict, late = case.counts((one.at for one in such), claim.window, claim.rule)
    if _exactly(strict, late, least=claim.times, most=claim.times):
        return None
    return _said_events(case, about, claim.rule)


def _said_events(case: Case, events: Iterable[AlertEvent], rule: str) -> str:
    said = [
        f"{one.rule + ' ' if rule == ANY else ''}{one.what} {one.severity} at {say_offset(case.offset(one.at))}"
        for one in events
    ]
    return _shortened(said) or "no such alert"


def _shortened(said: list[str]) -> str:
    more = len(said) - _MOST_SAID
    return "; ".join(said[:_MOST_SAID]) + (f"; and {more} more" if more > 0 else "")


def _finding(case: Case, claim: ExpectFinding) -> Seen:
    rules = _rules(claim.rule)
    about = [one for one in case.evidence.findings if one.rule in rules and case.concerns(one, claim.of)]
    such = [one for one in about if _is_such(one, claim)]
    if claim.times:
        # What was looked back on until a later reading made it news is one finding.
        news = {(one.rule, one.episode, one.level) for one in such if not one.retrospective}
        such = [one for one in such if not one.retrospective or (one.rule, one.episode, one.level) not in news]
    if claim.level is None and not claim.ended and claim.times:
        # Of any level: an episode is one, however far it rises.
        firsts = {(one.rule, one.episode): one for one in reversed(such)}
        such = list(firsts.values())
    strict, late = case.counts((one.raised_at for one in such), claim.window, claim.rule)
    if _exactly(strict, late, least=claim.times, most=claim.times):
        return None
    return _shortened([_said_finding(case, one) for one in about]) or "no such finding"


def _is_such(one: SaidFinding, claim: ExpectFinding) -> bool:
    if claim.ended:
        return one.level == 0 and one.end_reason == claim.ended
    return one.level > 0 if claim.level is None else one.level == claim.level


def _said_finding(case: Case, one: SaidFinding) -> str:
    what = f"level {one.level}" if one.level else f"ended ({one.end_reason or 'without a reason'})"
    return f"episode {one.episode} {what} at {say_offset(case.offset(one.raised_at))}"


def _pages(case: Case, claim: ExpectPages) -> Seen:
    carers = case.scenario.household.doctors if claim.to == "doctor" else case.scenario.household.caregivers
    addresses = {case.names.email(name) for name in carers}
    such = [
        one
        for one in case.evidence.delivered
        if addresses.intersection(one.to) and claim.rule in {"", one.rule} and case.concerns(one, claim.of)
    ]
    strict, late = case.counts((one.at for one in such), claim.window, claim.rule)
    if _exactly(strict, late, least=claim.least, most=claim.most):
        return None
    return f"{strict}: " + (_shortened([say_offset(case.offset(one.at)) for one in such]) or "none at any time")


def _snapshot(case: Case, at: int | None) -> Snapshot | None:
    return case.own.snapshots.get(case.scenario.lasts_ms if at is None else at)


def _state(case: Case, claim: ExpectState) -> Seen:
    snapshot = _snapshot(case, claim.at)
    if snapshot is None:
        return "that moment was never reached"
    states = [one.state for one in snapshot.alerts if one.rule == claim.rule and case.concerns(one, claim.of)]
    if claim.state in (states or ["none"]):
        return None
    return ", ".join(sorted(states)) or "no such alert"


def _words(case: Case, claim: ExpectWords) -> Seen:
    said = [
        (one.raised_at, text)
        for one in case.evidence.findings
        if one.rule == claim.rule and case.concerns(one, claim.of)
        for text in one.texts
    ]
    said += [
        (one.at, one.text) for one in case.evidence.delivered if one.rule == claim.rule and case.concerns(one, claim.of)
    ]
    such = [(at, text) for at, text in said if claim.text.casefold() in text.casefold()]
    strict, late = case.counts((at for at, _ in such), claim.window, claim.rule)
    if claim.never:
        wrong = [one for one in such if claim.window.after <= case.offset(one[0]) <= case.end(claim.window)]
        return _quoted(case, wrong) if strict else None
    return None if late else _quoted(case, said) or "nothing was said"


def _quoted(case: Case, said: Iterable[tuple[int, str]]) -> str:
    return _shortened(list(dict.fromkeys(f"“{text.strip()}” at {say_offset(case.offset(at))}" for at, text in said)))


def _dose(case: Case, claim: ExpectDose) -> Seen:
    snapshot = _snapshot(case, claim.at)
    if snapshot is None:
        return "that moment was never reached"
    found = snapshot.doses.get((str(case.names.plan(claim.plan)), case.scenario.moment(claim.due)), "none")
    state = "pending" if found == "reminded" else found
    return None if state == claim.state else state


def _reading(case: Case, claim: ExpectReading) -> Seen:
    fates = [
        fate
        for item, fate in case.own.fates.items()
        if (item.vital, item.device, item.measured) == (claim.vital, claim.device, claim.measured)
    ]
    if any(_met(claim, fate) for fate in fates):
        return None
    said = [
        f"rejected:{fate.reason}" if fate.flags is None else f"stored, flags: {_flags(fate.flags) or 'none'}"
        for fate in fates
        if fate.flags is not None or fate.reason
    ]
    return "; ".join(said) or "no such item was received"


def _met(claim: ExpectReading, fate: Fate) -> bool:
    if claim.fate == "rejected":
        return fate.reason == claim.detail
    if fate.flags is None:
        return False
    return claim.fate == "stored" or bool(fate.flags & Flag[claim.detail.upper()])


def _flags(flags: int) -> str:
    return ", ".join(str(flag.name).lower() for flag in Flag if flags & flag)


def _watched(case: Case, claim: ExpectWatched) -> Seen:
    """By whole minutes: the first one that begins in the time, to the last one that ends in it."""
    hours = case.evidence.coverage.get((str(case.names.person(claim.of)), claim.vital), {})
    starts = case.scenario.starts_ms
    minutes = range(-(-(starts + claim.first) // _MINUTE_MS), (starts + claim.end) // _MINUTE_MS)
    if not minutes:
        return "no whole minute lies in that time"
    count = sum(hours.get(one // MINUTES * MINUTES * _MINUTE_MS, 0) >> one % MINUTES & 1 for one in minutes)
    share = count / len(minutes)
    return None if claim.least <= share <= claim.most else f"{share:.3f}: {count} of {len(minutes)} minutes"


_JUDGES: Final[Mapping[type, Callable[[Case, Any], Seen]]] = MappingProxyType(
    {
        ExpectAlert: _alert,
        ExpectFinding: _finding,
        ExpectPages: _pages,
        ExpectState: _state,
        ExpectWords: _words,
        ExpectDose: _dose,
        ExpectReading: _reading,
        ExpectWatched: _watched,
    }
)
