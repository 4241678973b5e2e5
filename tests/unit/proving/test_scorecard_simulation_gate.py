"""The gate of the labelled simulation: what runs now finds what it has to, and the gate would see it if it did not."""

from dataclasses import replace

import pytest

from schemas.alerts import Severity
from tests.proving.scorecard.simulation_gate import regressions, small_simulation
from tests.proving.scorecard.verdict import Outcome, Tally


def good() -> Outcome:
    outcome = Outcome(days=12.0)
    outcome.kinds["hypoxia"] = Tally(there=20, found=19, in_time=19, severity=Severity.HIGH)
    outcome.kinds["fever"] = Tally(there=10, found=9, in_time=9, severity=Severity.MEDIUM)
    outcome.near["cgm_70"] = [60, 0]
    outcome.false["news2"] = 3
    return outcome


def test_six_homes_for_two_days_are_no_worse_than_they_may_be() -> None:
    outcome = small_simulation()
    assert regressions(outcome) == [], outcome.examples
    there = sum(tally.there for tally in outcome.kinds.values())
    assert there > 40
    assert sum(near for near, _ in outcome.near.values()) > 80


def test_what_is_as_good_as_it_has_to_be_is_no_regression() -> None:
    assert regressions(good()) == []


@pytest.mark.parametrize(
    ("worse", "words"),
    [
        ({"kinds": {"hypoxia": Tally(20, 18, 18, Severity.HIGH), "fever": Tally(1, 1, 1, Severity.LOW)}}, "of 20 HIGH"),
        ({"kinds": {"hypoxia": Tally(1, 1, 1, Severity.HIGH), "fever": Tally(10, 8, 8, Severity.LOW)}}, "of 10 others"),
        ({"kinds": {}}, "of 0 HIGH"),
        ({"near": {"cgm_70": [60, 1]}}, "near-misses alerted: cgm_70"),
        ({"days": 11.0}, "3 false alerts in 11 home-days"),
    ],
)
def test_what_is_worse_is_said(worse: dict[str, object], words: str) -> None:
    said = regressions(replace(good(), **worse))  # type: ignore[arg-type]
    assert any(one.startswith(words) for one in said), said
