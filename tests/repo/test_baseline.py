"""Migrations of the baseline never change any more; later ones add to it.

`baseline.sha256` names the files that upgrades start from, with their checksums. It is written anew
only until the baseline is tagged, by

    (cd schemas/sql/migrations && sha256sum *.sql > baseline.sha256)

From the tag on it stays as it is, and a change of the database is a file with the next number. After
a change of the baseline no older database can be used (services.runtime.migrate refuses it).
"""

import re
from hashlib import sha256
from typing import Final

import pytest

from tests.repo.tree import ROOT

FOLDER: Final = ROOT / "schemas" / "sql" / "migrations"
LINES: Final = (FOLDER / "baseline.sha256").read_text("utf-8").splitlines()
BASELINE: Final = {name: checksum for checksum, name in (line.split() for line in LINES)}
AGAIN: Final = re.compile(r"^(drop|update|create or replace|alter (table|index))\b", re.MULTILINE)


@pytest.mark.parametrize("name", BASELINE)
def test_a_file_of_the_baseline_has_not_changed(name: str) -> None:
    now = sha256((FOLDER / name).read_bytes()).hexdigest()
    assert now == BASELINE[name], "it is applied already: write a migration with the next number"


@pytest.mark.parametrize("name", BASELINE)
def test_the_baseline_makes_each_thing_once_as_it_shall_be(name: str) -> None:
    assert AGAIN.findall((FOLDER / name).read_text("utf-8")) == []


def test_the_baseline_comes_before_every_later_migration() -> None:
    names = sorted(path.name for path in FOLDER.glob("*.sql"))
    assert list(BASELINE) == names[: len(BASELINE)]
