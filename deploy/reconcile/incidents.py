"""Every incident of the truth file: alerted once, or still pending; alerts that no incident explains are false."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from schemas.rule_names import EXPECTS

_EARLY_MS: Final = 60_000
_LATE_MS: Final = 30 * 60_000
ALLOWED_FALSE_ALERTS: Final = 2
"""In a run: healthy people, too, are at a limit now and then."""

_ALERTED: Final = """
select a.alert_id, a.rule, a.concern, coalesce(p.person_id::text, '') as person_id, h.home_id::text as home_id, f.level,
       f.severity, (extract(epoch from f.observed_at) * 1000)::bigint as observed_at
from alerts a
join alert_findings using (alert_id)
join findings f using (finding_id)
join homes h on h.home_no = a.home_no
left join people p on p.person_no = a.person_no
where f.level > 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One line of the truth file. Times in platform milliseconds.

    ``level`` and ``severity`` are the least that its alert must reach. ``also``: rules that may say more of it. A near
    miss must alert nobody, and so explains nothing.
    """

    incident: str
    kind: str
    person_id: str
    home_id: str
    rule: str
    also: Sequence[str]
    level: int
    severity: int
    starts_at_ms: int
    due_at_ms: int
    alert_expected: bool
    near_miss: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedFinding:
    """A finding that belongs to an alert."""

    alert_id: str
    rule: str
    person_id: str
    home_id: str
    level: int
    severity: int
    observed_at: int
    concern: str = ""

    def reaches(self, incident: Incident) -> bool:
        """Whether it is as grave as the incident."""
        return self.rule == incident.rule and self.level >= incident.level and self.severity >= incident.severity

    def answers(self, incident: Incident) -> bool:
        """Whether it says what the incident was."""
        # A silent device that several people share is a finding about the home.
        whose = self.person_id == incident.person_id or (not self.person_id and self.home_id == incident.home_id)
        start, end = incident.starts_at_ms - _EARLY_MS, incident.due_at_ms + _LATE_MS
        return whose and self.rule in {incident.rule, *incident.also} and start <= self.observed_at <= end


@dataclass(slots=True, kw_only=True)
class IncidentOutcome:
    """What became of the incidents. ``twice``: incidents with more than one alert of a concern for the same level.

    ``near_misses`` is how many there were; an alert of one is among ``false_alerts``. ``expectations``: alerts of rules
    that say what is likely or unusual. They notify nobody, and are neither false alerts nor ones that were expected.
    """

    injected: int = 0
    alerted: int = 0
    missed: int = 0
    pending: int = 0
    twice: int = 0
    false_alerts: int = 0
    expectations: int = 0
    near_misses: int = 0
    by_kind: dict[str, dict[str, int]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)


def read_truth(path: Path) -> list[Incident]:
    """The simulator's truth file; fields it has beside ours are passed over."""
    names = Incident.__dataclass_fields__
    with path.open("rb") as lines:
        rows = [json.loads(line) for line in lines]
    return [Incident(**{name: row[name] for name in names}) for row in rows]


async def load_alerted(dsn: str, homes: Collection[str] | None = None) -> list[AlertedFinding]:
    """Every finding that reached an alert; of these homes alone, where somebody added others by hand."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_ALERTED)
    finally:
        await connection.close()
    found = [AlertedFinding(**{**dict(row), "alert_id": str(row["alert_id"])}) for row in rows]
    return [one for one in found if homes is None or one.home_id in homes]


def judge_incidents(truth: Sequence[Incident], alerted: Sequence[AlertedFinding], now_ms: int) -> IncidentOutcome:
    """An incident's time has come once ``due_at_ms`` has passed. Incidents in the future do not count."""
    outcome = IncidentOutcome(expectations=len({one.alert_id for one in alerted if one.rule in EXPECTS}))
    alerted = [one for one in alerted if one.rule not in EXPECTS]
    explained: set[str] = set()
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"injected": 0, "alerted": 0, "missed": 0, "pending": 0})
    for incident in truth:
        if incident.near_miss:
            outcome.near_misses += incident.starts_at_ms <= now_ms
            continue
        answers = [one for one in alerted if one.answers(incident)]
        explained.update(one.alert_id for one in answers)
        if incident.starts_at_ms > now_ms or not incident.alert_expected:
            continue
        reached = [one for one in answers if one.reaches(incident)]
        # Each concern of a rule has an alert of its own.
        outcome.twice += len({one.alert_id for one in reached}) > len({one.concern for one in reached} or {""})
        if reached:
            word = "alerted"
        elif incident.due_at_ms >= now_ms:
            word = "pending"
        else:
            word = "missed"
            outcome.examples.append(f"missed: {incident.kind} {incident.incident}")
        kinds[incident.kind]["injected"] += 1
        kinds[incident.kind][word] += 1
    outcome.by_kind = dict(kinds)
    for word in ("injected", "alerted", "missed", "pending"):
        setattr(outcome, word, sum(kind[word] for kind in kinds.values()))
    unexplained = {one.alert_id: one for one in alerted if one.alert_id not in explained}
    outcome.false_alerts = len(unexplained)
    outcome.examples += [f"false: {one.rule} {alert}{_cause(truth, one)}" for alert, one in unexplained.items()]
    return outcome


def _cause(truth: Sequence[Incident], alerted: AlertedFinding) -> str:
    """The near-miss that was taken for an incident, in words; "" where there is none."""
    names = [incident.incident for incident in truth if incident.near_miss and alerted.answers(incident)]
    return f" of {names[0]}" if names else ""


def as_report(outcome: IncidentOutcome) -> Mapping[str, Any]:
    """The ``incidents`` of a report."""
    return {
        "injected": outcome.injected,
        "alerted": outcome.alerted,
        "missed": outcome.missed,
        "pending": outcome.pending,
        "twice": outcome.twice,
        "near_misses": outcome.near_misses,
        "expectations": outcome.expectations,
        "by_kind": outcome.by_kind,
    }


def alerts_per_rule(alerted: Iterable[AlertedFinding]) -> Mapping[str, int]:
    """How many alerts each rule opened."""
    rules: dict[str, set[str]] = defaultdict(set)
    for one in alerted:
        rules[one.rule].add(one.alert_id)
    return {rule: len(alerts) for rule, alerts in sorted(rules.items())}
