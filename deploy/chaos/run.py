"""One chaos run: homes stream, processes are struck, everything settles, and the books are held against the oracle."""

import asyncio
import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg
import numpy as np

from deploy.chaos.mailbox import Inbox, open_inbox
from deploy.chaos.schedule import BACKEND, TARGETS, plan
from deploy.chaos.strikes import Struck, strike
from deploy.local.ports import free_port
from deploy.local.settings import CHECKOUT, StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.platform.services import ServiceProcess
from deploy.proof.accounts import Accounts, compare, read_oracle
from deploy.proof.escalations import Escalations, Outage, judge_audit, judge_steps, load
from deploy.proof.incidents import Incident, Outcome, judge_incidents, load_alerted, read_truth

REPORT: Final = CHECKOUT / ".local" / "reports" / "chaos.json"
RATE: Final = 120.0
_STRIKE_S: Final = 5.0
"""What a strike takes on average, recovery included: the run is laid out for it."""
_QUIET_S: Final = 40.0
"""Without strikes at the end: silence is not judged for 15 platform minutes after an outage of ours."""
_UPLINKS_PER_HOME_HOUR: Final = 110.0
_HOMES_PER_STRIKE: Final = 1.6
_HEAD_START_S: Final = 20.0
_SETTLES_S: Final = 150.0
_ON_TIME: Final = timedelta(seconds=5 * RATE)
"""Five real seconds, as platform time."""
_PENDING_PAGES: Final = "select count(*) from outbox where state in ('pending', 'sending')"
_TELLS_PEOPLE: Final = frozenset({"alert", "postgresql", BACKEND})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to try."""

    kills: int
    uplinks: int
    seed: int

    @property
    def runs_for_s(self) -> float:
        """Real seconds that homes stream."""
        return self.kills * _STRIKE_S + _QUIET_S

    @property
    def homes(self) -> int:
        """Enough for the uplinks in that time, and for an incident or more under every strike."""
        for_uplinks = self.uplinks / (_UPLINKS_PER_HOME_HOUR * self.runs_for_s * RATE / 3600)
        return math.ceil(max(for_uplinks, self.kills * _HOMES_PER_STRIKE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything that was looked at after the run."""

    accounts: Accounts
    incidents: Outcome
    escalations: Escalations
    replay_equal: bool
    pages: Mapping[str, int]
    drained: bool


def run_chaos(asked: Asked, directory: Path, say: Say) -> dict[str, Any]:
    """Runs on servers of its own, empty at first, mosquitto without persistence; gives the report."""
    stack = Stack(StackSettings(name=f"chaos-{os.getpid()}"))
    mail_port = free_port()
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack, open_inbox(mail_port) as inbox:
            clock = SharedClock.starting_in(_HEAD_START_S, rate=RATE, runs_for_s=asked.runs_for_s)
            overrides = {
                "HB_SCORE_RESEND_AFTER_S": "5",
                "HB_ALERT_SMTP_HOST": "127.0.0.1",
                "HB_ALERT_SMTP_PORT": str(mail_port),
            }
            with Platform(stack, clock, overrides, directory / "logs") as platform:
                return _run(asked, platform, clock, directory, inbox, say)
    finally:
        stack.erase()


def _run(
    asked: Asked, platform: Platform, clock: SharedClock, directory: Path, inbox: Inbox, say: Say
) -> dict[str, Any]:
    fleet = Fleet(platform, directory, homes=asked.homes, seed=asked.seed)
    fleet.register()
    wait_ready(platform)
    simulator = fleet.simulator(
        "run",
        "--seed", str(asked.seed), "--truth", str(fleet.path("truth.jsonl")), "--state", str(directory / "state"),
    )  # fmt: skip
    simulator.start()
    time.sleep(max(0.0, 3 - clock.elapsed_s))
    try:
        struck = asyncio.run(_strike_all(asked, platform, simulator, clock, say))
        say("letting it settle")
        while simulator.alive:
            platform.restart_ended()
            time.sleep(0.5)
    finally:
        simulator.stop()
    truth = read_truth(fleet.path("truth.jsonl"))
    asyncio.run(_settle(platform.stack.dsn, truth, clock.now_ms(), say))
    verdict = asyncio.run(_judge(platform, fleet, truth, clock.now_ms(), struck, inbox, simulator))
    return _report(asked, verdict, struck, fleet.summary())


async def _strike_all(
    asked: Asked, platform: Platform, simulator: ServiceProcess, clock: SharedClock, say: Say
) -> list[Struck]:
    chance, struck = Random(asked.seed), list[Struck]()
    for number, one in enumerate(plan(asked.kills, seed=asked.seed), start=1):
        say(f"strike {number} of {asked.kills}: {one.way} {one.target}")
        struck.append(await strike(platform, one, clock.now_ms, chance))
        if not simulator.alive:
            raise RuntimeError(f"the simulator ended with {simulator.exit_code}:\n{simulator.tail()}")
    return struck


async def _settle(dsn: str, truth: list[Incident], now_ms: int, say: Say) -> None:
    """Waits until no incident is missed and no page waits, at most _SETTLES_S."""
    deadline = time.monotonic() + _SETTLES_S
    while time.monotonic() < deadline:
        missed = judge_incidents(truth, await load_alerted(dsn), now_ms).missed
        connection = await asyncpg.connect(dsn)
        try:
            waiting = await connection.fetchval(_PENDING_PAGES)
        finally:
            await connection.close()
        if not missed and not waiting:
            return
        say(f"{missed} incidents without alert, {waiting} pages under way")
        await asyncio.sleep(1)


async def _judge(
    platform: Platform,
    fleet: Fleet,
    truth: list[Incident],
    now_ms: int,
    struck: Sequence[Struck],
    inbox: Inbox,
    simulator: ServiceProcess,
) -> Verdict:
    dsn = platform.stack.dsn
    steps, states, changes = await load(dsn)
    outages = [
        Outage(start=_moment(one.at_ms), end=_moment(one.recovered_at_ms))
        for one in struck
        if one.strike.target in _TELLS_PEOPLE
    ]
    escalations = judge_steps(steps, outages, allowed=_ON_TIME)
    judge_audit(escalations, states, changes)
    found = await asyncio.to_thread(platform.command, "services.score", "export-state")
    undisturbed = await asyncio.to_thread(platform.command, "services.score", "replay-state")
    return Verdict(
        accounts=await compare(dsn, read_oracle(fleet.path("oracle.jsonl"))),
        incidents=judge_incidents(truth, await load_alerted(dsn), now_ms),
        escalations=escalations,
        replay_equal=found == undisturbed,
        pages=inbox.report(),
        drained=simulator.exit_code == 0,
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _report(asked: Asked, verdict: Verdict, struck: Sequence[Struck], summary: Mapping[str, Any]) -> dict[str, Any]:
    accounts, incidents = verdict.accounts, verdict.incidents
    taken = defaultdict(list)
    for one in struck:
        taken[one.strike.target].append(one.recovery_s * 1000)
    return {
        "seed": asked.seed,
        "uplinks": summary["uplinks"]["published"],
        "kills": dict(Counter(one.strike.target for one in struck)),
        "of_these_frozen": dict(Counter(one.strike.target for one in struck if one.strike.way == "freeze")),
        "lost": accounts.lost + accounts.unsettled,
        "duplicated": accounts.twice,
        "alerts": {"expected": incidents.injected - incidents.pending, "missed": incidents.missed,
                   "twice": incidents.twice, "false": incidents.false_alerts},
        "pages": dict(verdict.pages),
        "escalations": {name: getattr(verdict.escalations, name) for name in
                        ("steps", "unpaged", "undelivered", "early", "late", "out_of_order", "after_answer",
                         "unrecorded")},
        "score_state_equals_replay": verdict.replay_equal,
        "recovery_ms": {
            target: {f"p{quantile}": round(float(np.percentile(taken[target], quantile))) for quantile in (50, 99)}
            for target in TARGETS if target in taken
        },
        "failures": failures(asked, verdict, summary["uplinks"]["published"]),
    }  # fmt: skip


def failures(asked: Asked, verdict: Verdict, published: int) -> list[str]:
    """Why the run is red; empty for green."""
    accounts, incidents = verdict.accounts, verdict.incidents
    checks = {
        f"only {published} of {asked.uplinks} uplinks were published": published >= asked.uplinks,
        "the simulator's outboxes did not empty": verdict.drained,
        f"the books do not balance: {accounts.examples[:5]}": accounts.balanced,
        f"incidents were missed: {incidents.examples[:5]}": not incidents.missed,
        f"{incidents.twice} incidents were alerted twice": not incidents.twice,
        f"{verdict.pages['duplicated_unflagged']} pages came again unsaid": not verdict.pages["duplicated_unflagged"],
        f"pages or audit: {verdict.escalations.examples[:5]}": verdict.escalations.hold,
        "score's state differs from an undisturbed replay": verdict.replay_equal,
    }
    return [why for why, holds in checks.items() if not holds]
