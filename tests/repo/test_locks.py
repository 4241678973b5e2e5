"""Advisory locks: a number belongs to one service, or two would wait for each other over nothing."""

import re
from collections import defaultdict
from typing import Final

from tests.repo.tree import ROOT

_TAKEN = re.compile(r"advisory\w*lock\w*\((\d+)\)")

# A doctor chooses a model, or a release brings one: neither while the other does. Who changes the register and who
# follows it at the broker write the same files.
_MEANT: Final = {"7001072": {"api", "score"}, "7001065": {"api", "cli"}}


def test_no_two_services_take_the_same_lock() -> None:
    takers: dict[str, set[str]] = defaultdict(set)
    for file in (ROOT / "services").rglob("*.sql"):
        for number in _TAKEN.findall(file.read_text()):
            takers[number].add(file.parent.name)
    assert len(takers) >= 3
    assert {number: names for number, names in takers.items() if len(names) > 1} == _MEANT
