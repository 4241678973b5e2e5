"""What a chaos run comes to: everything that is looked at, the report, and why it is red if it is."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from deploy.chaos.asked import RATE, Asked
from deploy.chaos.mailbox import Inbox
from deploy.chaos.retained import retained_acks
from deploy.chaos.schedule import BACKEND, TARGETS
from deploy.chaos.strikes import Struck
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.proof import bookmarks, escalations
from deploy.proof.accounts import Accounts, compare, read_oracle
from deploy.proof.incidents import Incident, Outcome, judge_incidents, load_alerted

_ON_TIME: Final = timedelta(seconds=5 * RATE)
"""Five real seconds, as platform time."""
_REPLAYS_AT_MOST: Final = timedelta(seconds=10 * RATE)
_TELLS_PEOPLE: Final = frozenset({"alert", "postgresql", BACKEND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything that was looked at after a run. The lists name what is wrong; empty is well."""

    accounts: Accounts
    incidents: Outcome
    escalations: escalations.Escalations
    pages: Mapping[str, int]
    uplinks: Mapping[str, int]
    wrong: Mapping[str, list[str]] = field(default_factory=dict)


async def judge(
    asked: Asked,
    platform: Platform,
    fleet: Fleet,
    truth: list[Incident],
    clock: SharedClock,
    struck: Sequence[Struck],
    inbox: Inbox,
) -> Verdict:
    """Looks at everything. The platform still runs, its clock is frozen."""
    dsn, now_ms = platform.stack.dsn, clock.now_ms()
    steps, states, changes = await escalations.load(dsn)
    outages = [
        escalations.Outage(start=_moment(one.at_ms), end=_moment(one.recovered_at_ms))
        for one in struck
        if one.strike.target in _TELLS_PEOPLE
    ]
    told = escalations.judge_steps(steps, outages, allowed=_ON_TIME)
    escalations.judge_audit(told, states, changes)
    return Verdict(
        accounts=await compare(dsn, read_oracle(fleet.path("oracle.jsonl"))),
        incidents=judge_incidents(truth, await load_alerted(dsn), now_ms),
        escalations=told,
        pages=inbox.report(),
        uplinks=fleet.summary()["uplinks"],
        wrong=await _bookmarks(asked, platform, clock, inbox) | {"score": await _score_state(platform)},
    )


async def _bookmarks(asked: Asked, platform: Platform, clock: SharedClock, inbox: Inbox) -> dict[str, list[str]]:
    start, end = _moment(clock.origin_ms), _moment(clock.now_ms())
    found = await bookmarks.load(platform.stack.dsn, start=start, end=end)
    acks = await asyncio.to_thread(retained_acks, platform.stack)
    behind = end - found.checkpoint_at
    return {
        "acks": bookmarks.wrongly_acknowledged(found.settled, acks, all_kept=not asked.resends),
        "pages": [f"said to be sent, never arrived: {key}" for key in sorted(found.sent - inbox.keys)],
        "checkpoint": [f"{behind} behind, platform time"] if behind > _REPLAYS_AT_MOST else [],
        "times": [f"{found.received_outside} rows received outside of the run"] if found.received_outside else [],
    }


async def _score_state(platform: Platform) -> list[str]:
    found = await asyncio.to_thread(platform.command, "services.score", "export-state")
    undisturbed = await asyncio.to_thread(platform.command, "services.score", "replay-state")
    return [] if found == undisturbed else ["the state differs from an undisturbed replay of the log"]


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def as_report(asked: Asked, verdict: Verdict, struck: Sequence[Struck]) -> dict[str, Any]:
    """What `.local/reports/chaos.json` holds."""
    accounts, incidents, told = verdict.accounts, verdict.incidents, verdict.escalations
    taken = defaultdict(list)
    for one in struck:
        taken[one.strike.target].append(one.recovery_s * 1000)
    return {
        "seed": asked.seed,
        "resends": asked.resends,
        "uplinks": verdict.uplinks["published"],
        "kills": dict(Counter(one.strike.target for one in struck)),
        "of_these_frozen": dict(Counter(one.strike.target for one in struck if one.strike.way == "freeze")),
        "lost": accounts.lost + accounts.unsettled,
        "duplicated": accounts.twice,
        "alerts": {"expected": incidents.injected - incidents.pending, "missed": incidents.missed,
                   "twice": incidents.twice, "false": incidents.false_alerts},
        "pages": dict(verdict.pages),
        "escalations": {name: getattr(told, name) for name in told.__dataclass_fields__ if name != "examples"},
        "recovery_ms": {
            target: {f"p{quantile}": round(float(np.percentile(taken[target], quantile))) for quantile in (50, 99)}
            for target in TARGETS if target in taken
        },
        "failures": failures(asked, verdict, strikes=len(struck)),
    }  # fmt: skip


def failures(asked: Asked, verdict: Verdict, *, strikes: int) -> list[str]:
    """Why the run is red, the invariant first; empty for green."""
    accounts, incidents, uplinks, pages = verdict.accounts, verdict.incidents, verdict.uplinks, verdict.pages
    unacknowledged = uplinks["published"] - uplinks["acked_end_to_end"] - uplinks["abandoned"]
    checks = {
        f"run: only {uplinks['published']} of {asked.uplinks} uplinks": uplinks["published"] >= asked.uplinks,
        f"run: only {strikes} of {asked.kills} strikes": strikes == asked.kills,
        f"I1 items: {accounts.examples[:3]}": accounts.balanced,
        f"I2 alerts: {incidents.examples[:3]}": not incidents.missed,
        f"I2 alerts: {incidents.twice} incidents alerted twice": not incidents.twice,
        f"I2 pages: {pages['duplicated_unflagged']} came again unsaid": not pages["duplicated_unflagged"],
        f"I3 escalation, I5 audit: {verdict.escalations.examples[:3]}": verdict.escalations.hold,
        f"acknowledged end to end: all but {unacknowledged}": not unacknowledged,
    }
    found = [why for why, holds in checks.items() if not holds]
    names = {"acks": "I4 acks", "pages": "I2 pages"}
    return found + [f"{names.get(name, name)}: {wrong[:3]}" for name, wrong in verdict.wrong.items() if wrong]
