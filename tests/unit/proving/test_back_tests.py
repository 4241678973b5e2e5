"""The long proof of back-tests in short: some days of drawn people, with faults and late data."""

import pytest

from tests.proving.backtest.__main__ import one_person

DAYS = 3


@pytest.mark.parametrize("person", [0, 3, 6])
def test_a_back_test_finds_what_a_live_run_finds(person: int) -> None:
    figures = one_person(person, DAYS)
    assert figures["equal"]
    assert figures["findings_today"] + figures["findings_changed"] > 0
