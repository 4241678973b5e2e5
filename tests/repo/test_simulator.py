"""docs/simulator.md lists what the simulator plays, and what must be said of it."""

from pathlib import Path

from device_sim.expected import EXPECTED, QUIET
from tests.repo.tree import text_of

_ROWS = [
    [cell.strip().strip("`") for cell in line.strip("| ").split("|")]
    for line in text_of(Path("docs/simulator.md")).splitlines()
    if line.startswith("| `")
]


def test_every_kind_of_incident_has_its_row_with_rule_level_and_severity() -> None:
    rows = {row[0]: row[2:5] for row in _ROWS if len(row) == 6}
    assert rows == {kind: [one.rule, str(one.level), one.severity.name] for kind, one in EXPECTED.items()}


def test_what_need_not_be_alerted_is_said_so() -> None:
    asked = {row[0]: row[5] for row in _ROWS if len(row) == 6}
    quiet = {kind for kind, text in asked.items() if text == "none is asked for"}
    assert quiet == {kind for kind, one in EXPECTED.items() if not one.is_alerted}


def test_every_kind_of_near_miss_has_its_row() -> None:
    assert [row[0] for row in _ROWS if len(row) == 3] == list(QUIET)
