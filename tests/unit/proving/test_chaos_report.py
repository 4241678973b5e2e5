"""The report has the fields that were asked for, and a run is red for each thing that may be wrong."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.reconcile.accounts import Accounts
from deploy.reconcile.escalations import Escalations
from deploy.reconcile.incidents import IncidentOutcome
from tests.proving.chaos.options import Options
from tests.proving.chaos.report import Verdict, as_report, combined, too_slow
from tests.proving.chaos.schedule import TARGETS, Strike
from tests.proving.chaos.strikes import Struck

ASKED = Options(kills=2, uplinks=100, seed=9)
WELL = Verdict(
    accounts=Accounts(uplinks=100),
    incidents=IncidentOutcome(injected=3, alerted=2, pending=1),
    under_strikes=1,
    escalations=Escalations(steps=4),
    notifications={"sent": 8, "duplicated_flagged": 1, "duplicated_unflagged": 0},
    answers={"sent": 2, "sent_again": 1, "answered": 2},
    uplinks={"published": 100, "acked_end_to_end": 99, "abandoned": 1, "sent_again": 3},
    devices=12,
    wrong={"link": [], "score": []},
)


def struck(target: str, recovery_s: float, *, laden: bool = False) -> Struck:
    one = Strike(target=target, way="kill", pause_s=1, away_s=0, laden=laden)
    return Struck(strike=one, at_ms=0, recovered_at_ms=0, recovery_s=recovery_s)


STRUCK = [struck("store", 0.5), struck("kafka", 6.0)]


def test_the_report_has_the_fields_that_were_asked_for_and_no_others_in_them() -> None:
    report = as_report(ASKED, WELL, STRUCK)
    assert list(report) == [
        *(
            "uplinks",
            "kills",
            "lost",
            "duplicated",
            "alerts",
            "notifications",
            "recovery_ms",
            "seed",
            "failures",
            "details",
        )
    ]
    assert report["kills"] == {"store": 1, "kafka": 1}
    assert report["alerts"] == {"expected": 2, "missed": 0, "twice": 0}
    assert set(report["notifications"]) == {"sent", "duplicated_flagged", "duplicated_unflagged"}
    assert report["recovery_ms"] == {"store": {"p50": 500, "p99": 500}, "kafka": {"p50": 6000, "p99": 6000}}
    assert (report["uplinks"], report["lost"], report["duplicated"], report["seed"]) == (100, 0, 0, 9)
    assert report["failures"] == []


@pytest.mark.parametrize(
    ("change", "invariant"),
    [
        ({"uplinks": {**WELL.uplinks, "published": 99, "acked_end_to_end": 98}}, "run"),
        ({"incidents": IncidentOutcome(injected=1, pending=1)}, "run"),
        ({"accounts": Accounts(lost=1)}, "I1 items"),
        ({"incidents": replace(WELL.incidents, missed=1)}, "I2 alerts"),
        ({"incidents": replace(WELL.incidents, twice=1)}, "I2 alerts"),
        ({"notifications": {**WELL.notifications, "duplicated_unflagged": 1}}, "I2 notifications"),
        ({"escalations": Escalations(examples=["late"])}, "I2 notified, I3 escalation, I5 audit"),
        ({"incidents": replace(WELL.incidents, false_alerts=3)}, "I2 alerts"),
        ({"uplinks": {**WELL.uplinks, "abandoned": 0}}, "settled"),
        ({"wrong": {"link": ["ids [7]"]}}, "link"),
    ],
)
def test_whatever_is_wrong_turns_the_run_red_under_its_name(change: dict[str, Any], invariant: str) -> None:
    found = as_report(ASKED, replace(WELL, **change), STRUCK)["failures"]
    assert [why.partition(":")[0] for why in found] == [invariant]


def test_a_false_alert_or_two_in_a_run_are_what_the_demo_allows_too() -> None:
    assert as_report(ASKED, replace(WELL, incidents=replace(WELL.incidents, false_alerts=2)), STRUCK)["failures"] == []


def test_a_strike_too_few_is_no_full_run() -> None:
    assert as_report(ASKED, WELL, STRUCK[:1])["failures"] == ["run: only 1 of 2 strikes"]


def test_a_process_has_five_seconds_and_a_broker_or_the_database_ten() -> None:
    assert too_slow({target: {"p50": 1, "p99": 5_000} for target in TARGETS}) == []
    slow = too_slow({target: {"p50": 1, "p99": 5_001} for target in TARGETS})
    assert not any(name in line for line in slow for name in ("kafka", "mosquitto", "postgresql", "backend"))
    assert len(slow) == len(TARGETS) - 4
    assert len(too_slow({target: {"p50": 1, "p99": 10_001} for target in TARGETS})) == len(TARGETS)


def test_who_was_killed_while_a_server_was_dead_shows_the_recovery_of_that_server() -> None:
    report = as_report(ASKED, WELL, [struck("ingest", 7.0, laden=True), struck("ingest", 1.0)])
    assert report["recovery_ms"] == {"ingest": {"p50": 1000, "p99": 1000}, "kafka": {"p50": 7000, "p99": 7000}}
    assert report["kills"] == {"ingest": 2}
    assert report["failures"] == []


def test_a_seed_is_red_for_either_of_its_runs() -> None:
    well, lost = (as_report(ASKED, replace(WELL, accounts=Accounts(lost=n)), STRUCK) for n in (0, 1))
    assert combined(well) == well
    assert combined(well, well)["failures"] == []
    assert combined(well, lost)["failures"] == ["without resends, I1 items: []"]
    assert combined(lost, well)["failures"] == ["I1 items: []"]
    assert combined(well, lost)["without_resends"] == lost
