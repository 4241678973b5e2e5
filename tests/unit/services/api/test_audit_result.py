"""What a comparison of the audit has found is read as it was written, and nothing else counts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.api.audit_result import FILE, Result, read_result, write_result

FOUND = Result(verified_at=datetime(2026, 12, 1, 2, 17, tzinfo=UTC), faults=3)


def test_it_is_read_as_it_was_written_and_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    directory = tmp_path / "not there yet"
    assert read_result(directory) is None
    write_result(directory, FOUND)
    assert read_result(directory) == FOUND
    after = Result(verified_at=datetime(2026, 12, 2, 2, 17, tzinfo=UTC), faults=0)
    write_result(directory, after)
    assert read_result(directory) == after
    assert [path.name for path in directory.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "said", ["", "{}", "[]", '{"verified_at": "soon", "faults": 0}', '{"verified_at": "2026-12-01"}']
)
def test_what_can_not_be_read_counts_as_never(tmp_path: Path, said: str) -> None:
    (tmp_path / FILE).write_text(said)
    assert read_result(tmp_path) is None
