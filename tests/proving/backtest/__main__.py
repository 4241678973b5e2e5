"""The command: back-tests of drawn people against live runs by the same limits; exits 0 only where all are equal."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

import typer

from schemas.default_limits import usual_of
from schemas.limits import CONCERN_BY_NAME, Limits
from schemas.records import JudgedUplink
from services.score.back_test import BackTest, Extent
from services.score.limit_book import DEFAULT_BOOK, LimitBook, Scope, Version
from services.score.rule_book import RULE_BOOK
from services.score.rule_timeline import ALWAYS_THE_SAME
from tests.proving.backtest.live import Live
from tests.proving.backtest.past import HOME_NO, MINUTE_MS, PERSON_NO, START_MS, past_of

_REPORT: Final = Path(__file__).resolve().parents[3] / ".local" / "reports" / "backtest.json"
_CONCERNS: Final = (
    "heart_rate.fast", "spo2", "respiratory_rate.fast", "glucose_low", "glucose_high", "temperature.high",
    "blood_pressure.high", "news2",
)  # fmt: skip
_RULES: Final = {rule.name: rule for rule in RULE_BOOK.folded}


def tried(seed: int, concern: str) -> Limits:
    """The usual limits, all of them further out, or further in, by some percent."""
    limits, chance = usual_of(concern), Random(seed)
    by = chance.choice([-0.06, -0.03, 0.03, 0.06]) * abs(limits.levels[0].on)
    levels = tuple(replace(one, on=round(one.on + by, 1)) for one in limits.levels)
    return replace(limits, levels=levels, off=round(limits.off + by, 1))


def one_person(seed: int, days: int) -> dict[str, Any]:
    """Figures of one person and one of the concerns in turn."""
    concern = _CONCERNS[seed % len(_CONCERNS)]
    records, instead, rule = past_of(seed, days), tried(seed, concern), _RULES[CONCERN_BY_NAME[concern].rule]
    until = START_MS + days * 24 * 60 * MINUTE_MS
    records = [one for one in records if one.received_at <= until]
    began = time.process_time()
    test, compared = _back_test(records, instead, until)
    took_s = time.process_time() - began
    own = [Version(scope=Scope(person_no=PERSON_NO), concern=concern, valid_from=0, limits=instead)]
    today = Live(rule, DEFAULT_BOOK).run(records, until)
    changed = Live(rule, LimitBook(own)).run(records, until)
    looked_back = sum(one.looked_back for one in [*today, *changed])
    return {
        "person": seed, "concern": concern, "days": days, "records": len(records),
        "findings_today": len(today), "findings_changed": len(changed), "looked_back": looked_back,
        "equal": list(test.findings) == [today, changed], "cpu_s": round(took_s, 2), **compared,
    }  # fmt: skip


def _back_test(records: Sequence[JudgedUplink], instead: Limits, until: int) -> tuple[BackTest, dict[str, int]]:
    extent: Extent | None = Extent()
    while extent is not None:
        test = BackTest(
            person_no=PERSON_NO, home_no=HOME_NO, people=[], instead=instead, limits=DEFAULT_BOOK, asked_at=until,
            rules=ALWAYS_THE_SAME, extent=extent,
        )  # fmt: skip
        for _ in test.take(records):
            pass
        extent = test.needs
    done = test.compared(START_MS)
    return test, {name: len(getattr(done, name)) for name in ("today", "changed", "vanish", "begin", "differ")}


def main(
    people: Annotated[int, typer.Option(min=1)] = 50,
    days: Annotated[int, typer.Option(min=1, max=90)] = 30,
    first: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Compares, finding by finding, and measures in seconds of a core. ``first``: the number of the first person."""
    figures = []
    for seed in range(first, first + people):
        figures.append(one_person(seed, days))
        sys.stdout.write(json.dumps(figures[-1]) + "\n")
        sys.stdout.flush()
    equal = sum(one["equal"] for one in figures)
    sys.stdout.write(f"{equal} of {people} equal; slowest {max(one['cpu_s'] for one in figures)} s\n")
    _REPORT.parent.mkdir(parents=True, exist_ok=True)
    _REPORT.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    if equal < people:
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
