"""What score's parts are handed when it starts: the rules with what was learned, and which of them have none."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MethodType, SimpleNamespace
from typing import Any

import pytest

from schemas.metrics import METRICS
from services.runtime.clock import FakeClock
from services.runtime.metrics import Metrics
from services.runtime.settings import BusSettings, DatabaseSettings
from services.score import app
from services.score.learned import LEARNED, load
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.settings import SHIPPED, ScoreSettings

PARTS = (
    "BackTests", "Checkpoints", "Consumer", "DueRows", "EffectWriter", "HeldRows", "InputWatch", "KnownLimits",
    "KnownRules", "LooksBack", "OpenAsks", "SilenceWatch", "StoredDays",
)  # fmt: skip
NAMES = [one.rule for one in LEARNED]


class Part:
    """In the place of each part: it keeps what it was handed, and does nothing."""

    def __init__(self, *first: Any, **handed: Any) -> None:
        self.first, self.handed = first, handed

    def __getattr__(self, name: str) -> Any:
        async def nothing(_: Part, *__: Any, **___: Any) -> int:
            return 0

        return MethodType(nothing, self)


@asynccontextmanager
async def opened(*_: Any, **__: Any) -> AsyncIterator[SimpleNamespace]:
    yield SimpleNamespace(partitions=4)


async def start(
    monkeypatch: pytest.MonkeyPatch, artefacts: Path, rounds: set[str] | None = None
) -> tuple[dict[str, Part], Metrics]:
    """What each part was handed, by its name; the program ends at once. ``rounds`` gets the names of what it does."""
    made: dict[str, Part] = {}

    async def note(one: Any, *_: Any, **__: Any) -> None:
        if rounds is not None:
            rounds.add(next(name for name, part in made.items() if part is one.__self__))

    def maker(name: str) -> Any:
        def make(*args: Any, **handed: Any) -> Part:
            made[name] = Part(*args, **handed)
            return made[name]

        return make

    for name in PARTS:
        monkeypatch.setattr(app, name, maker(name))
    monkeypatch.setattr(app, "do_rounds", note)
    for name in ("open_pool", "open_bus"):
        monkeypatch.setattr(app, name, opened)
    stop, metrics = asyncio.Event(), Metrics(METRICS)
    stop.set()
    settings = ScoreSettings.model_construct(
        artefacts=artefacts, database=DatabaseSettings.model_construct(), bus=BusSettings.model_construct()
    )
    await app.run(settings, clock=FakeClock(), stop=stop, metrics=metrics)
    return made, metrics


def said_of(book: RuleBook) -> list[tuple[str, object, object]]:
    return [(rule.key, rule.fold, rule.asks) for rule in book.rules]


async def test_what_was_learned_is_handed_to_the_log_and_to_looks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = await start(monkeypatch, SHIPPED)
    silent = said_of(RULE_BOOK)
    for book in (made["Checkpoints"].handed["rules"], made["KnownRules"].first[0].shipped.book):
        differ = [key for (key, *said), (_, *before) in zip(said_of(book), silent, strict=True) if said != before]
        assert sorted(differ) == sorted(NAMES)
    assert made["Consumer"].handed["checkpoints"] is made["Checkpoints"]
    versions = made["KnownRules"]
    assert made["Checkpoints"].handed["versions"] is made["LooksBack"].handed["rules"] is versions


async def test_whoever_works_in_rounds_does_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: set[str] = set()
    await start(monkeypatch, SHIPPED, rounds)
    others = {"Checkpoints", "Consumer", "EffectWriter", "KnownLimits", "KnownRules"}
    assert rounds == set(PARTS) - others


def test_a_doubted_reading_is_looked_back_on_by_the_same_rules_with_and_without_what_was_learned() -> None:
    """Held rows name the rules that read a vital, and take the names of the book without what was learned."""
    learned = load(SHIPPED).book
    assert {vital: [one.name for one in rules] for vital, rules in learned.readers.items()} == {
        vital: [one.name for one in rules] for vital, rules in RULE_BOOK.readers.items()
    }


@pytest.mark.parametrize("missing", NAMES)
async def test_the_gauge_is_1_for_a_rule_without_its_model_and_0_for_the_others(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for file in SHIPPED.iterdir():
        if file.is_file() and file.stem != missing:
            shutil.copy(file, tmp_path)
    _, metrics = await start(monkeypatch, tmp_path)
    shown = {
        name: metrics.registry.get_sample_value("hb_score_rule_without_model_state", {"rule": name}) for name in NAMES
    }
    assert shown == {name: float(name == missing) for name in NAMES}
