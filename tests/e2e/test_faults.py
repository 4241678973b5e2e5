"""The lines of the fault matrix that no other test shows, with few strikes; `make faults` runs all of them."""

from pathlib import Path

import pytest

from tests.proving.faults.lines import LINES
from tests.proving.faults.matrix import run_lines

pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(400)]

BETWEEN_TWO_STEPS = {2, 4, 6}
AT_THE_BROKER = {10}


def test_no_service_that_dies_between_two_steps_loses_or_repeats_anything(tmp_path: Path) -> None:
    outcomes = run_lines(
        [line for line in LINES if line.number in BETWEEN_TWO_STEPS], tmp_path, lambda _: None, quick=True, seed=2
    )
    assert [(one.line.number, one.word, one.why) for one in outcomes] == [
        (2, "pass", ""),
        (4, "pass", ""),
        (6, "pass", ""),
    ]


def test_what_the_broker_dropped_and_then_forgot_is_notified_and_sent_again(tmp_path: Path) -> None:
    (outcome,) = run_lines(
        [line for line in LINES if line.number in AT_THE_BROKER], tmp_path, lambda _: None, quick=True, seed=2
    )
    assert (outcome.word, outcome.why) == ("pass", "")
    assert outcome.figures["dropped_at_broker"] > 0
    assert outcome.figures["incidents_notified"] > 0
    assert outcome.figures["lost"] == 0
