"""The goals of the bench, each one line: what was wanted, what was measured, whether it holds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.proving.bench.options import Phase

ROW_MS: Final = 50.0
NOTIFICATION_MS: Final = 1_000.0
UPLINKS_PER_S: Final = 10_000
SUSTAINED_S: Final = 300
QUEUE_MS: Final = 10_000.0
"""From device to row at the highest load: a platform that takes less than it is sent queues for a minute and more."""
MEMORY_MB: Final = 300.0
CPU_RATIO: Final = 3.0
THROUGHPUT_RATIO: Final = 0.5
STATE_BYTES: Final = 4_096
WAL_BYTES: Final = 1_024
RESTART_S: Final = 10.0
BATCH_MS: Final = 200.0
SCORE_LOOPS: Final = 30.0
"""Score's CPU for a reading at the highest load, in turns of ``calibration.loop_us``: 12 µs where a turn takes 0.4."""
SCORE_MB: Final = 150.0
"""Of 1,000 people. What a person weighs is the same on every machine, so it needs no calibration."""
TRIAL_RATIO: Final = 1.1
"""Of the p99 from device to row with every model tried beside the live one, to that without."""
TLS_RATIO: Final = 1.25
STORM_S: Final = 120.0
_NEARLY: Final = 0.99
"""A generator that runs for a whole number of ticks sends a little less than it was asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``measured`` is None where it was not measured, which is a goal missed."""

    what: str
    wanted: str
    measured: float | None
    met: bool

    def described(self) -> dict[str, Any]:
        """As the report has it."""
        return asdict(self)


def judge_goals(report: Mapping[str, Any]) -> list[Goal]:
    """The goals of the phases that are in ``report``."""
    return [goal for phase in Phase if phase in report for goal in _GOALS[phase](report[phase])]


def _at_most(what: str, limit: float, measured: float | None) -> Goal:
    met = measured is not None and measured <= limit
    return Goal(what=what, wanted=f"at most {limit:g}", measured=measured, met=met)


def _at_least(what: str, limit: float, measured: float | None) -> Goal:
    met = measured is not None and measured >= limit
    return Goal(what=what, wanted=f"at least {limit:g}", measured=measured, met=met)


def _nothing_lost(phase: str, found: Mapping[str, Any]) -> Iterator[Goal]:
    for what in ("lost", "duplicated", "foreign", "rejected"):
        yield _at_most(f"{phase}: {what.replace('_', ' ')}", 0, found[what])


def _memory(phase: str, found: Mapping[str, Any]) -> Iterator[Goal]:
    for name, memory in found["memory_mb"].items():
        yield _at_most(f"{phase}: resident MB of {name}", MEMORY_MB, memory["most"])
        flat = Goal(
            what=f"{phase}: growth of {name}'s memory",
            wanted="last third at most 0.1 above the second",
            measured=memory["growth"],
            met=memory["flat"],
        )
        yield flat


def _latency(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield from _nothing_lost("latency", found)
    yield _at_most("device to row p99, ms", ROW_MS, found["device_to_row_ms"]["p99"])
    yield _at_most("device to notification p99, ms", NOTIFICATION_MS, found["device_to_notification_ms"]["p99"])
    yield _at_most("notifications that did not come", 0, found["device_to_notification_ms"]["missed"])


def _sustained(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield from _nothing_lost("sustained", found)
    yield _at_least("sustained: uplinks/s", UPLINKS_PER_S * _NEARLY, found["uplinks_per_s"])
    yield _at_least("sustained: seconds", SUSTAINED_S * _NEARLY, found["seconds"])
    yield _at_most("sustained: device to row p99, ms", QUEUE_MS, found["device_to_row_ms"]["p99"])
    yield from _memory("sustained", found)
    score_us = found["cpu_us_per_reading"]["score"]
    yield _at_most("sustained: score's CPU a reading in turns of a loop", SCORE_LOOPS, score_us / found["loop_us"])
    yield _at_most("sustained: resident MB of score", SCORE_MB, found["memory_mb"]["score"]["most"])


def _outage(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield from _nothing_lost("outage", found)
    yield from _memory("outage", found)


def _peer(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield _at_most("CPU a reading over the peer's", CPU_RATIO, found.get("cpu_ratio"))
    yield _at_least("readings/s over the peer's", THROUGHPUT_RATIO, found.get("throughput_ratio"))


def _growth(found: Mapping[str, Any]) -> Iterator[Goal]:
    for step in found["devices"]:
        yield from _nothing_lost(f"growth, {step['devices']:,} devices", step)


def _state(found: Mapping[str, Any]) -> Iterator[Goal]:
    yield from _nothing_lost("state", found)
    yield _at_most("score's fast state, bytes a person", STATE_BYTES, found["fast_state_bytes_a_person"])
    yield _at_most("score's WAL, bytes a reading", WAL_BYTES, found["wal_bytes_a_reading"])
    yield _at_most("log that a restart of score reads, s", RESTART_S, found["restart_reads_s"])


def _models(found: Mapping[str, Any]) -> Iterator[Goal]:
    learned = found["learned"]
    yield _at_most("models: learned rules that are silent", 0, len(learned["silent"]))
    yield _at_most("models: batch p99, ms", BATCH_MS, learned["batch_ms"]["p99"])


def _trial(found: Mapping[str, Any]) -> Iterator[Goal]:
    for how in ("without", "with"):
        for turn, one in enumerate(found[how], start=1):
            yield from _nothing_lost(f"trial, turn {turn} {how}", one)
    yield _at_least("trial: homes in which something was tried", 1, found["homes_with_trial"])
    yield _at_most("trial: device to row p99, with over without", TRIAL_RATIO, found["p99_ratio"])


def _encryption(found: Mapping[str, Any]) -> Iterator[Goal]:
    for how in ("plain", "encrypted"):
        for turn, one in enumerate(found[how], start=1):
            yield from _nothing_lost(f"encryption, turn {turn} {how}", one)
    yield _at_most("encryption: CPU a reading over plaintext", TLS_RATIO, found["cpu_ratio"])
    yield from _nothing_lost("storm", found["storm"])
    yield _at_most("storm: until every device is back, s", STORM_S, found["storm"]["away_s"])


_GOALS: Final = {
    Phase.MODELS: _models,
    Phase.LATENCY: _latency,
    Phase.SUSTAINED: _sustained,
    Phase.OUTAGE: _outage,
    Phase.PEER: _peer,
    Phase.GROWTH: _growth,
    Phase.STATE: _state,
    Phase.TRIAL: _trial,
    Phase.ENCRYPTION: _encryption,
}
