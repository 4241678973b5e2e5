"""The phase in which other fits are tried beside the live ones: whether what devices send is in its row as soon."""

import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, Final

import asyncpg
import numpy as np

from schemas.rule_versions import RULES_LEAD_S
from services.score.learned import LEARNED
from services.score.models.artefact import ARRAYS_ENDING, CARD_ENDING, load, to_bytes
from services.score.settings import SHIPPED
from tests.proving.bench.bench import Bench, Loaded

_WARM_S: Final = 10
_FOR_SURE_S: Final = 4.0
"""Score looks for versions every 2 s."""
_OTHER_BY: Final = 0.01
_TRIED: Final = "select count(*) from score_state where state::text like '%|shadow%'"


def with_other_fits(folder: Path) -> Path:
    """The folder, with what ships, and in a folder of its own another fit of each model: as costly, of another name."""
    other = folder / "other"
    other.mkdir(parents=True, exist_ok=True)
    for one in LEARNED:
        kind, shipped = one.form.kind, load(SHIPPED, one.form)
        arrays = {**shipped.arrays, "threshold": np.asarray(shipped.arrays["threshold"] - _OTHER_BY)}
        content = to_bytes(replace(shipped, arrays=MappingProxyType(arrays)))
        for ending, changed in zip((ARRAYS_ENDING, CARD_ENDING), content, strict=True):
            shutil.copy(SHIPPED / f"{kind}{ending}", folder)
            (other / f"{kind}{ending}").write_bytes(changed)
    return folder


def trial(bench: Bench) -> dict[str, Any]:
    """A light load with nothing tried and with every model tried, in turns, on one platform."""
    bench.register(bench.options.devices)
    bench.load(bench.options.light_per_s, _WARM_S, what="trial: warming up")
    without, tried, homes = list[Loaded](), list[Loaded](), 0
    for turn in range(bench.options.trial_turns):
        # The other way round every second time: what comes later runs on fuller tables.
        for is_tried in (turn % 2 == 1, turn % 2 == 0):
            _set_trial(bench, is_tried=is_tried)
            what = f"trial, turn {turn + 1}: {'with' if is_tried else 'without'}"
            (tried if is_tried else without).append(
                bench.load(bench.options.light_per_s, bench.options.trial_s, what=what)
            )
            if is_tried:
                homes = asyncio.run(_homes_with_trial(bench.platform.stack.dsn))
    described = {"without": [one.described() for one in without], "with": [one.described() for one in tried]}
    return described | {
        "homes_with_trial": homes,
        "p99_ratio": ratio([one.row_ms["p99"] for one in tried], [one.row_ms["p99"] for one in without]),
        "score_cpu_ratio": ratio(
            [one.cpu_us_per_reading["score"] for one in tried], [one.cpu_us_per_reading["score"] for one in without]
        ),
    }


def ratio(tried: Sequence[float | None], without: Sequence[float | None]) -> float | None:
    """Of the medians; None where something was not measured."""
    if None in {*tried, *without} or not tried:
        return None
    return median(one for one in tried if one is not None) / median(one for one in without if one is not None)


def _set_trial(bench: Bench, *, is_tried: bool) -> None:
    """Begins or ends a trial of each model, and waits until score goes by that."""
    command, changed = bench.platform.command, False
    for one in json.loads(command("services.cli", "model", "list", "--json")):
        if is_tried and not one["tried"]:
            command("services.cli", "model", "try", one["rule"], one["others"][0], "--reason", "the bench")
            changed = True
        elif one["tried"] and not is_tried:
            command("services.cli", "model", "end", one["rule"], "--reason", "the bench")
            changed = True
    if changed:
        bench.say(f"waiting until {'something' if is_tried else 'nothing'} is tried")
        time.sleep(RULES_LEAD_S + _FOR_SURE_S)


async def _homes_with_trial(dsn: str) -> int:
    """Of how many homes score's state knows of a rule in the shadow."""
    connection = await asyncpg.connect(dsn)
    try:
        homes: int = await connection.fetchval(_TRIED)
    finally:
        await connection.close()
    return homes
