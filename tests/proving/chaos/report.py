"""What a chaos run comes to: the report, and why it is red if it is. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from deploy.local.settings import SERVERS
from deploy.reconcile.accounts import Accounts
from deploy.reconcile.escalations import Escalations
from deploy.reconcile.incidents import ALLOWED_FALSE_ALERTS, IncidentOutcome
from tests.proving.chaos.options import Options
from tests.proving.chaos.schedule import BACKEND, TARGETS
from tests.proving.chaos.strikes import Struck

PROCESS_S: Final = 5.0
SERVER_S: Final = 10.0
"""Real seconds in which a process of ours, or a broker or the database, works again: the p99 of a run."""
_SLOWER: Final = frozenset({*SERVERS, BACKEND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything that was looked at after a run. ``wrong`` names what is wrong by invariant; empty is well."""

    accounts: Accounts
    incidents: IncidentOutcome
    under_strikes: int
    escalations: Escalations
    notifications: Mapping[str, int]
    answers: Mapping[str, int]
    uplinks: Mapping[str, int]
    devices: int
    ended_by_themselves: Mapping[str, int] = field(default_factory=dict)
    wrong: Mapping[str, list[str]] = field(default_factory=dict)


def as_report(options: Options, verdict: Verdict, struck: Sequence[Struck]) -> dict[str, Any]:
    """What `.local/reports/chaos.json` holds: what has to be said of every run, ``failures``, and the details."""
    accounts, incidents, said = verdict.accounts, verdict.incidents, verdict.escalations
    recovery_ms = _recovery_ms(struck)
    return {
        "uplinks": verdict.uplinks["published"],
        "kills": dict(Counter(one.strike.target for one in struck)),
        "lost": accounts.lost + accounts.unsettled,
        "duplicated": accounts.twice,
        "alerts": {
            "expected": incidents.injected - incidents.pending, "missed": incidents.missed, "twice": incidents.twice,
        },
        "notifications": dict(verdict.notifications),
        "recovery_ms": recovery_ms,
        "seed": options.seed,
        "failures": failures(options, verdict, recovery_ms, strikes=len(struck)),
        "details": {
            "resends": options.resends,
            "homes": options.homes,
            "devices": verdict.devices,
            "frozen": dict(Counter(one.strike.target for one in struck if one.strike.way == "freeze")),
            "laden": dict(Counter(one.strike.target for one in struck if one.strike.laden)),
            "ended_by_themselves": dict(verdict.ended_by_themselves),
            "incidents_under_strikes": verdict.under_strikes,
            "incidents_by_kind": incidents.by_kind,
            "false_alerts": incidents.false_alerts,
            "acknowledgements": dict(verdict.answers),
            "escalations": {name: getattr(said, name) for name in said.__dataclass_fields__ if name != "examples"},
        },
    }  # fmt: skip


def combined(report: Mapping[str, Any], without_resends: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One report of a seed: the run in which devices send again, and, in it, the one in which they do not."""
    if without_resends is None:
        return dict(report)
    beside = [f"without resends, {why}" for why in without_resends["failures"]]
    return {**report, "failures": [*report["failures"], *beside], "without_resends": dict(without_resends)}


def _recovery_ms(struck: Sequence[Struck]) -> dict[str, dict[str, float]]:
    taken = defaultdict(list)
    for one in struck:
        if one.recovery_s is not None:
            taken[one.strike.recovers].append(one.recovery_s * 1000)
    return {
        target: {f"p{quantile}": round(float(np.percentile(taken[target], quantile))) for quantile in (50, 99)}
        for target in TARGETS
        if target in taken
    }


def too_slow(recovery_ms: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Whose p99 is beyond what is promised."""
    return [
        f"{target} took {found['p99']:.0f} ms"
        for target, found in recovery_ms.items()
        if found["p99"] > 1000 * (SERVER_S if target in _SLOWER else PROCESS_S)
    ]


def failures(
    options: Options, verdict: Verdict, recovery_ms: Mapping[str, Mapping[str, float]], *, strikes: int
) -> list[str]:
    """Why the run is red, the invariant first; empty for green."""
    accounts, incidents, uplinks, notifications = (
        verdict.accounts,
        verdict.incidents,
        verdict.uplinks,
        verdict.notifications,
    )
    unacknowledged = uplinks["published"] - uplinks["acked_end_to_end"] - uplinks["abandoned"]
    expected = incidents.injected - incidents.pending
    checks = {
        f"run: only {uplinks['published']} of {options.uplinks} uplinks": uplinks["published"] >= options.uplinks,
        f"run: only {strikes} of {options.kills} strikes": strikes == options.kills,
        f"run: only {expected} of {options.incidents} incidents": expected >= options.incidents,
        f"I1 items: {accounts.examples[:3]}": accounts.balanced,
        f"I2 alerts: {incidents.examples[:3]}": not incidents.missed,
        f"I2 alerts: {incidents.twice} incidents alerted twice": not incidents.twice,
        f"I2 alerts: {incidents.false_alerts} that nothing explains: {incidents.examples[:3]}": (
            incidents.false_alerts <= ALLOWED_FALSE_ALERTS
        ),
        f"I2 notifications: {notifications['duplicated_unflagged']} came again unsaid": not notifications[
            "duplicated_unflagged"
        ],
        f"I2 notified, I3 escalation, I5 audit: {verdict.escalations.examples[:3]}": verdict.escalations.hold,
        f"settled: all but {unacknowledged} acknowledged end to end": not unacknowledged,
        f"recovery: {too_slow(recovery_ms)}": not too_slow(recovery_ms),
    }
    found = [why for why, holds in checks.items() if not holds]
    return found + [f"{name}: {wrong[:3]}" for name, wrong in verdict.wrong.items() if wrong]
