"""The proof of incidents must fail on a missed one, on two alerts for one, and on an alert without a cause."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.reconcile.incidents import (
    AlertedFinding,
    Incident,
    IncidentOutcome,
    alerts_per_rule,
    as_report,
    judge_incidents,
    read_truth,
)

START = 1_795_348_800_000
MINUTE = 60_000
NOW = START + 60 * MINUTE
LOW = Incident(
    incident="low-1",
    kind="hypoglycaemia",
    person_id="ann",
    home_id="elm",
    rule="glucose_low",
    also=(),
    level=2,
    severity=3,
    starts_at_ms=START,
    due_at_ms=START + 20 * MINUTE,
    alert_expected=True,
    near_miss=False,
)
ALERT = AlertedFinding(
    alert_id="a1",
    rule="glucose_low",
    person_id="ann",
    home_id="elm",
    level=2,
    severity=3,
    observed_at=START + 16 * MINUTE,
)


def outcome(incident: Incident = LOW, *alerted: AlertedFinding, now_ms: int = NOW) -> IncidentOutcome:
    return judge_incidents([incident], alerted, now_ms)


def words(found: IncidentOutcome) -> tuple[int, int, int, int, int]:
    return found.alerted, found.missed, found.pending, found.twice, found.false_alerts


def test_an_incident_with_its_alert_is_alerted() -> None:
    found = outcome(LOW, ALERT)
    assert words(found) == (1, 0, 0, 0, 0)
    assert as_report(found)["by_kind"] == {"hypoglycaemia": {"injected": 1, "alerted": 1, "missed": 0, "pending": 0}}
    assert as_report(found)["near_misses"] == 0


def test_an_incident_without_an_alert_is_missed() -> None:
    found = outcome(LOW)
    assert words(found) == (0, 1, 0, 0, 0)
    assert found.examples == ["missed: hypoglycaemia low-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(ALERT, person_id="bob"),
        replace(ALERT, rule="spo2"),
        replace(ALERT, observed_at=START - MINUTE - 1),
        replace(ALERT, observed_at=LOW.due_at_ms + 30 * MINUTE + 1),
        replace(ALERT, person_id="", home_id="oak"),
    ],
    ids=["another person", "another rule", "too early", "too late", "another home"],
)
def test_an_alert_that_says_something_else_is_false_and_the_incident_missed(wrong: AlertedFinding) -> None:
    assert words(outcome(LOW, wrong)) == (0, 1, 0, 0, 1)


def test_an_alert_of_too_low_a_level_explains_itself_but_does_not_reach() -> None:
    assert words(outcome(LOW, replace(ALERT, level=1))) == (0, 1, 0, 0, 0)


def test_two_alerts_of_one_concern_are_one_too_many_and_two_concerns_of_a_rule_are_not() -> None:
    fast, again, slow = (replace(ALERT, alert_id=name, concern=name[0]) for name in ("f1", "f2", "s1"))
    assert words(outcome(LOW, fast, slow)) == (1, 0, 0, 0, 0)
    assert words(outcome(LOW, fast, again, slow)) == (1, 0, 0, 1, 0)


def test_an_alert_of_too_low_a_severity_does_not_reach() -> None:
    assert words(outcome(LOW, replace(ALERT, severity=2))) == (0, 1, 0, 0, 0)


def test_what_else_may_be_said_of_an_incident_is_explained_by_it_and_does_not_stand_for_it() -> None:
    more = replace(ALERT, alert_id="a2", rule="news2")
    incident = replace(LOW, also=("news2",))
    assert words(outcome(incident, ALERT, more)) == (1, 0, 0, 0, 0)
    assert words(outcome(incident, more)) == (0, 1, 0, 0, 0)


def test_a_near_miss_asks_for_no_alert_and_one_that_follows_is_false_and_named() -> None:
    near = replace(LOW, incident="cgm_70-1", alert_expected=False, near_miss=True)
    quiet, loud = outcome(near), outcome(near, ALERT)
    assert (quiet.injected, quiet.near_misses, quiet.false_alerts) == (0, 1, 0)
    assert (loud.injected, loud.near_misses, loud.false_alerts) == (0, 1, 1)
    assert loud.examples == ["false: glucose_low a1 of cgm_70-1"]


def test_a_near_miss_of_the_future_does_not_count() -> None:
    assert outcome(replace(LOW, near_miss=True), now_ms=START - 1).near_misses == 0


def test_a_higher_level_reaches_a_lower_incident() -> None:
    assert words(outcome(replace(LOW, level=1), ALERT)) == (1, 0, 0, 0, 0)


def test_two_alerts_for_one_incident_are_seen() -> None:
    assert words(outcome(LOW, ALERT, replace(ALERT, alert_id="a2"))) == (1, 0, 0, 1, 0)


def test_two_findings_of_one_alert_are_one_alert() -> None:
    assert words(outcome(LOW, replace(ALERT, level=1), ALERT)) == (1, 0, 0, 0, 0)


def test_an_incident_whose_time_has_not_come_is_pending() -> None:
    assert words(outcome(LOW, now_ms=LOW.due_at_ms)) == (0, 0, 1, 0, 0)
    assert words(outcome(LOW, now_ms=LOW.due_at_ms + 1)) == (0, 1, 0, 0, 0)


def test_an_incident_that_is_early_counts_as_soon_as_it_is_alerted() -> None:
    assert words(outcome(LOW, ALERT, now_ms=LOW.due_at_ms - 1)) == (1, 0, 0, 0, 0)


def test_an_incident_of_the_future_does_not_count() -> None:
    found = outcome(LOW, now_ms=START - 1)
    assert (found.injected, found.missed, found.pending) == (0, 0, 0)


def test_an_incident_that_should_not_alert_explains_an_alert_and_asks_for_none() -> None:
    quiet = replace(LOW, alert_expected=False)
    assert words(outcome(quiet)) == (0, 0, 0, 0, 0)
    assert outcome(quiet, ALERT).false_alerts == 0


def test_an_emergency_of_a_home_answers_for_whoever_lives_there() -> None:
    assert words(outcome(LOW, replace(ALERT, person_id=""))) == (1, 0, 0, 0, 0)


def test_a_false_alert_is_counted_once_however_many_findings_it_has() -> None:
    stray = replace(ALERT, alert_id="a9", rule="spo2")
    found = outcome(LOW, ALERT, stray, replace(stray, level=1))
    assert words(found) == (1, 0, 0, 0, 1)
    assert found.examples == ["false: spo2 a9"]


def test_alerts_are_counted_per_rule() -> None:
    assert alerts_per_rule([ALERT, replace(ALERT, level=1), replace(ALERT, alert_id="a2", rule="sos")]) == {
        "glucose_low": 1,
        "sos": 1,
    }


def test_the_truth_file_may_say_more_than_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text(json.dumps({**asdict(LOW), "seed": 4}) + "\n")
    assert read_truth(path) == [replace(LOW, also=[])]


def test_a_truth_file_that_says_too_little_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text(json.dumps({"incident": "low-1"}) + "\n")
    with pytest.raises(KeyError):
        read_truth(path)


@pytest.mark.parametrize("rule", ["glucose_forecast", "baseline", "anomaly"])
def test_what_is_likely_or_unusual_is_counted_apart(rule: str) -> None:
    found = outcome(LOW, ALERT, replace(ALERT, alert_id="a2", rule=rule), replace(ALERT, alert_id="a3", rule=rule))
    assert words(found) == (1, 0, 0, 0, 0)
    assert as_report(found)["expectations"] == 2


def test_what_is_likely_is_no_alert_of_what_came() -> None:
    assert words(outcome(LOW, replace(ALERT, rule="glucose_forecast"))) == (0, 1, 0, 0, 0)
