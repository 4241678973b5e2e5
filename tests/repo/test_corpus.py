"""Every case of the bad-input corpus is played, is one of a kind, and is counted rightly in the documents."""

import re
from collections import Counter
from pathlib import Path

import pytest

from schemas.devices import DEVICE_TYPE_BY_CODE
from tests.corpus_world import BINDINGS
from tests.proving.fuzz.corpus import CASES, Case
from tests.repo.tree import ROOT, text_of

PAGE = text_of(Path("docs/bad-input.md"))
PLAYERS = {
    "uplink": ("tests/unit/services/ingest/test_corpus.py", "tests/integration/test_corpus_path.py"),
    "story": ("tests/unit/services/ingest/test_corpus.py", "tests/integration/test_corpus_path.py"),
    "mqtt": ("tests/integration/test_corpus_path.py",),
    "http": ("tests/integration/test_corpus_api.py",),
    "plan": ("tests/unit/services/medication/test_corpus.py",),
    "email": ("tests/unit/services/alert/test_corpus.py",),
    "webhook": ("tests/unit/services/alert/test_corpus.py",),
    "record": ("tests/unit/schemas/test_corpus.py",),
    "register": ("tests/integration/test_corpus_registration.py",),
}


def test_every_case_has_a_player() -> None:
    assert {case.player for case in CASES} == PLAYERS.keys()


@pytest.mark.parametrize("player", PLAYERS)
def test_a_player_plays_all_its_cases(player: str) -> None:
    for file in PLAYERS[player]:
        assert re.search(rf'played_by\((?:"\w+", )*"{player}"', (ROOT / file).read_text("utf-8")), file


def test_no_two_cases_are_one() -> None:
    names = Counter(case.id for case in CASES)
    assert [name for name, times in names.items() if times > 1] == []
    said = Counter(str((case.player, case.sent, case.by)) for case in CASES)
    assert [what for what, times in said.items() if times > 1] == []


def test_a_case_says_what_it_is_and_what_becomes_of_it() -> None:
    assert [case.id for case in CASES if not is_whole(case)] == []


def is_whole(case: Case) -> bool:
    known = case.player not in {"uplink", "story"} or (
        case.by["type"] in DEVICE_TYPE_BY_CODE and case.by.get("who", "ann") in {"unregistered", *BINDINGS}
    )
    sentence = case.says.endswith((".", "?")) and len(case.says) <= 120
    return case.id.startswith(f"{case.category}-") and sentence and bool(case.fate) and known


def test_the_page_counts_rightly() -> None:
    counted = Counter(case.category for case in CASES)
    rows = {name: int(number) for name, number in re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    assert rows == dict(counted)
    assert f"{len(CASES):,} cases" in PAGE
