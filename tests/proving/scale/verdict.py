"""The books after a run: the oracle against the database, score against an undisturbed replay of the same log."""

import asyncio
from pathlib import Path
from typing import Any, Final

import asyncpg

from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.reconcile.accounts import compare, read_oracle
from tests.proving.undisturbed import exported, replayed

_CLAIMED_WITHIN_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.5
_UNCLAIMED: Final = "select count(*) from findings where claimed_at is null"
_CONFLICTS: Final = "select coalesce(sum(conflicts), 0)::bigint from key_conflicts"


async def judge(platform: Platform, fleet: Fleet, directory: Path) -> dict[str, Any]:
    """Lost, twice, conflicts; findings and state against a replay."""
    unclaimed = await _unclaimed(platform.stack.dsn)
    said, by_replay = directory / "findings.txt", directory / "replayed.txt"
    state = await asyncio.to_thread(exported, platform, directory, findings=said)
    undisturbed = await asyncio.to_thread(replayed, platform, state, findings=by_replay)
    accounts = await compare(platform.stack.dsn, read_oracle(fleet.path("oracle.jsonl")))
    found, expected = set(said.read_text().splitlines()), set(by_replay.read_text().splitlines())
    return {
        "uplinks": accounts.uplinks,
        "lost": accounts.lost,
        "duplicated": accounts.twice,
        "unsettled": accounts.unsettled,
        "foreign": accounts.foreign,
        "rejected": accounts.readings.rejected,
        "examples": accounts.examples,
        "key_conflicts": await _value(platform.stack.dsn, _CONFLICTS),
        "findings": len(found),
        "findings_missing": len(expected - found),
        "findings_foreign": len(found - expected),
        "findings_equal_to_replay": found == expected,
        "findings_unclaimed": unclaimed,
        "state_equal_to_replay": state.read_text() == undisturbed,
    }


async def _unclaimed(dsn: str) -> int:
    """Findings that alert has not taken, once it had time to."""
    for _ in range(round(_CLAIMED_WITHIN_S / _LOOK_EVERY_S)):
        if not await _value(dsn, _UNCLAIMED):
            return 0
        await asyncio.sleep(_LOOK_EVERY_S)
    return await _value(dsn, _UNCLAIMED)


async def _value(dsn: str, sql: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        found: int = await connection.fetchval(sql)
        return found
    finally:
        await connection.close()
