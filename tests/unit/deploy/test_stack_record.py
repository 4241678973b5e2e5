"""What a stack remembers of itself: for its owner alone, from one start to the next."""

import json
from itertools import count
from pathlib import Path

import pytest

from deploy.local import record as records
from deploy.local.record import make_record, read_record
from deploy.local.settings import StackSettings
from schemas.database_access import DATABASE_SERVICES

SETTINGS = StackSettings(name="of-a-test")


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free ones are found by sockets."""
    numbers = count(50_000)
    monkeypatch.setattr(records, "free_port", lambda: next(numbers))


def test_each_service_has_a_secret_at_the_database_and_keeps_it(tmp_path: Path) -> None:
    record = make_record(SETTINGS, None)
    assert set(record.database_secrets) == set(DATABASE_SERVICES)
    assert len({*record.database_secrets.values(), record.database_password}) == len(DATABASE_SERVICES) + 1

    record.write(tmp_path / "stack.json")
    assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600
    assert make_record(SETTINGS, read_record(tmp_path / "stack.json")).database_secrets == record.database_secrets


def test_a_stack_of_before_gets_them_and_keeps_the_rest(tmp_path: Path) -> None:
    record, path = make_record(SETTINGS, None), tmp_path / "stack.json"
    record.write(path)
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "database_secrets"}))
    renewed = make_record(SETTINGS, read_record(path))
    assert set(renewed.database_secrets) == set(DATABASE_SERVICES)
    assert renewed.dsn == record.dsn
