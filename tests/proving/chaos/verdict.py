"""Looks at everything after a chaos run: the database, the broker, the console, the doctor's mail."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.reconcile import answers, bookmarks, escalations
from deploy.reconcile.accounts import compare, read_oracle
from deploy.reconcile.incidents import Incident, judge_incidents, load_alerted
from tests.proving.chaos.doctors import Practice
from tests.proving.chaos.mailbox import Inbox
from tests.proving.chaos.options import Options
from tests.proving.chaos.report import Verdict
from tests.proving.chaos.retained import retained_acks
from tests.proving.chaos.schedule import BACKEND
from tests.proving.chaos.strikes import Struck
from tests.proving.chaos.tap import Tap
from tests.proving.undisturbed import exported, replayed

_ON_TIME_S: Final = 5
_REPLAYS_AT_MOST_S: Final = 10
"""Real seconds."""
_NOTIFIES_PEOPLE: Final = frozenset({"alert", "postgresql", BACKEND})
_CONFLICTS: Final = "select coalesce(sum(conflicts), 0)::int from key_conflicts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a run was played on, and who watched."""

    platform: Platform
    clock: SharedClock
    fleet: Fleet
    inbox: Inbox
    tap: Tap
    practice: Practice


async def judge(options: Options, scene: Scene, truth: list[Incident], struck: Sequence[Struck]) -> Verdict:
    """Looks at everything. The platform still runs, its clock is frozen."""
    dsn, now_ms = scene.platform.stack.dsn, scene.clock.now_ms()
    register = json.loads(scene.fleet.path("register.json").read_text())
    sent = scene.practice.sent.values()
    return Verdict(
        accounts=await compare(dsn, read_oracle(scene.fleet.path("oracle.jsonl"))),
        incidents=judge_incidents(truth, await load_alerted(dsn), now_ms),
        under_strikes=_under_strikes(truth, struck),
        escalations=await _escalations(dsn, struck, _moment(now_ms), options.rate),
        notifications=scene.inbox.report(),
        answers={
            "sent": len(sent),
            "sent_again": scene.practice.sent_again,
            "answered": sum(one.said_yes for one in sent),
        },
        uplinks=scene.fleet.summary()["uplinks"],
        devices=sum(len(home["devices"]) for home in register["homes"]),
        ended_by_themselves=scene.platform.ended_by_themselves,
        wrong=await _bookmarks(options, scene)
        | await _console(scene)
        | {
            "link": scene.tap.wrong or ([] if scene.tap.delivered else ["nothing passed by the broker's tap"]),
            "score": await _score_state(scene.platform),
            "key conflicts": await _key_conflicts(dsn),
        },
    )


def _under_strikes(truth: Sequence[Incident], struck: Sequence[Struck]) -> int:
    """Incidents under way while something was struck."""
    return sum(
        any(incident.starts_at_ms <= one.at_ms <= incident.due_at_ms for one in struck)
        for incident in truth
        if incident.alert_expected
    )


async def _escalations(dsn: str, struck: Sequence[Struck], now: datetime, rate: float) -> escalations.Escalations:
    steps, states, changes = await escalations.load(dsn)
    outages = [
        escalations.Outage(start=_moment(one.at_ms), end=_moment(one.recovered_at_ms))
        for one in struck
        if one.strike.away & _NOTIFIES_PEOPLE
    ]
    notified = escalations.judge_steps(steps, outages, allowed=timedelta(seconds=_ON_TIME_S * rate), ended_at=now)
    escalations.judge_notified(notified, steps, changes)
    escalations.judge_answers(notified, steps, states, changes)
    escalations.judge_audit(notified, states, changes)
    return notified


async def _console(scene: Scene) -> dict[str, list[str]]:
    found = await answers.load(scene.platform.stack.dsn, _moment(scene.clock.now_ms()))
    return {
        "console": scene.practice.wrong,
        "I5 answers": answers.wrong_answers(list(scene.practice.sent.values()), found.recorded),
        "I2 console": answers.wrongly_listed(found.waiting, await scene.practice.listed()),
    }


async def _bookmarks(options: Options, scene: Scene) -> dict[str, list[str]]:
    start, end = _moment(scene.clock.origin_ms), _moment(scene.clock.now_ms())
    found = await bookmarks.load(scene.platform.stack.dsn, start=start, end=end)
    acks = await asyncio.to_thread(retained_acks, scene.platform.stack)
    behind, at_most = end - found.checkpoint_at, timedelta(seconds=_REPLAYS_AT_MOST_S * options.rate)
    return {
        "I4 acks": bookmarks.wrongly_acknowledged(found.settled, acks, all_kept=not options.resends),
        "I2 notifications": [f"said to be sent, never arrived: {key}" for key in sorted(found.sent - scene.inbox.keys)],
        "checkpoint": [f"{behind} behind, platform time"] if behind > at_most else [],
        "times": [f"{found.received_outside} rows received outside of the run"] if found.received_outside else [],
    }


async def _score_state(platform: Platform) -> list[str]:
    found = await asyncio.to_thread(exported, platform, platform.directory)
    undisturbed = await asyncio.to_thread(replayed, platform, found)
    return [] if found.read_text() == undisturbed else ["the state differs from an undisturbed replay of the log"]


async def _key_conflicts(dsn: str) -> list[str]:
    """Rows that only the unique key kept from being stored twice: the cursors should have."""
    connection = await asyncpg.connect(dsn)
    try:
        number = await connection.fetchval(_CONFLICTS)
    finally:
        await connection.close()
    return [f"{number} rows"] if number else []


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
