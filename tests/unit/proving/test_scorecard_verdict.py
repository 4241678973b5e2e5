"""What was said beside what happened: found, in time, near-misses, false alerts, and the table of both."""

import pickle
from dataclasses import replace

from schemas.alerts import Severity
from tests.proving.scorecard.confusion import confusion_markdown, confusion_table
from tests.proving.scorecard.happenings import Happening
from tests.proving.scorecard.said import Said, episodes_of
from tests.proving.scorecard.verdict import NEAR_MISS, NOTHING, Outcome, outcome_of, shares, together

LOW = Happening(
    kind="hypoglycaemia", home_no=1, person_no=1, rule="glucose_low", level=2, severity=Severity.HIGH, first_ms=1000,
    due_ms=2000, last_ms=3000,
)  # fmt: skip
SAID = Said(1, 1, "glucose_low", "glucose_low", 1, 2, Severity.HIGH, 1500, 1600)


def verdict(*happened: Happening, said: tuple[Said, ...] = (SAID,)) -> Outcome:
    return outcome_of(happened, episodes_of(said), 1.0)


def test_what_is_said_by_when_it_is_due_is_found_in_time() -> None:
    done = verdict(LOW)
    assert (done.kinds["hypoglycaemia"].there, done.kinds["hypoglycaemia"].found) == (1, 1)
    assert done.kinds["hypoglycaemia"].in_time == 1
    assert done.false_alerts == 0
    assert done.confusion == {("glucose_low", "glucose_low"): 1}


def test_what_is_said_after_it_was_due_is_found_and_late() -> None:
    tally = verdict(LOW, said=(SAID._replace(found_at=2001),)).kinds["hypoglycaemia"]
    assert (tally.found, tally.in_time) == (1, 0)


def test_a_milder_word_explains_itself_and_finds_nothing() -> None:
    for milder in (SAID._replace(level=1), SAID._replace(severity=Severity.MEDIUM)):
        done = verdict(LOW, said=(milder,))
        assert done.kinds["hypoglycaemia"].found == 0
        assert done.false_alerts == 0
        assert done.confusion == {("glucose_low", NOTHING): 1}


def test_a_milder_word_that_grows_worse_is_found_when_it_is_as_grave() -> None:
    done = verdict(LOW, said=(SAID._replace(level=1, found_at=1100), SAID._replace(observed_at=1900, found_at=2100)))
    assert (done.kinds["hypoglycaemia"].found, done.kinds["hypoglycaemia"].in_time) == (1, 0)


def test_of_another_person_home_rule_or_time_it_is_false() -> None:
    elsewhere = (
        SAID._replace(person_no=2), SAID._replace(home_no=2), SAID._replace(rule="spo2"),
        SAID._replace(observed_at=999), SAID._replace(observed_at=3001),
    )  # fmt: skip
    for one in elsewhere:
        done = verdict(LOW, said=(one,))
        assert done.kinds["hypoglycaemia"].found == 0
        assert done.false == {one.rule: 1}
        assert done.confusion[NOTHING, one.rule] == 1


def test_a_device_of_several_people_speaks_for_the_home() -> None:
    silent = replace(LOW, rule="silent_device", level=1, severity=Severity.TECHNICAL, kind="silent_device")
    said = SAID._replace(person_no=0, rule="silent_device", concern="7", level=1, severity=Severity.TECHNICAL)
    assert verdict(silent, said=(said,)).kinds["silent_device"].found == 1


def test_nothing_may_be_said_of_a_near_miss() -> None:
    nearly = replace(LOW, kind="cgm_70", near_miss=True, level=1)
    quiet, alerted = verdict(nearly, said=()), verdict(nearly)
    assert (quiet.near["cgm_70"], quiet.false_alerts) == ([1, 0], 0)
    assert (alerted.near["cgm_70"], alerted.false_alerts) == ([1, 1], 1)
    assert alerted.confusion == {(NEAR_MISS, "glucose_low"): 1}


def test_an_incident_beside_a_near_miss_explains_what_is_said() -> None:
    nearly = replace(LOW, kind="cgm_70", near_miss=True, level=1)
    done = verdict(nearly, LOW)
    assert done.near["cgm_70"] == [1, 0]
    assert done.kinds["hypoglycaemia"].found == 1


def test_what_need_not_be_found_explains_and_is_not_counted() -> None:
    done = verdict(replace(LOW, asked=False))
    assert (dict(done.kinds), done.false_alerts) == ({}, 0)


def test_other_rules_may_say_more_of_it_and_find_nothing() -> None:
    more = SAID._replace(rule="news2", concern="news2")
    done = verdict(replace(LOW, also=("news2",)), said=(more,))
    assert (done.kinds["hypoglycaemia"].found, done.false_alerts) == (0, 0)


def test_an_episode_that_goes_on_is_found_only_where_that_counts() -> None:
    before = SAID._replace(observed_at=500, found_at=600)
    over = SAID._replace(level=0, observed_at=900, is_over=True)
    assert verdict(LOW, said=(before,)).kinds["hypoglycaemia"].found == 0
    lasting = replace(LOW, lasts=True)
    assert verdict(lasting, said=(before,)).kinds["hypoglycaemia"].found == 1
    assert verdict(lasting, said=(before, over)).kinds["hypoglycaemia"].found == 0
    pause = over._replace(is_over=False)
    assert verdict(lasting, said=(before, pause)).kinds["hypoglycaemia"].found == 1


def test_homes_add_up() -> None:
    whole = together([verdict(LOW), verdict(LOW, said=()), verdict(said=(SAID,))])
    assert whole.days == 3
    assert shares(whole.kinds) == {"hypoglycaemia": 0.5}
    assert whole.kinds["hypoglycaemia"].severity is Severity.HIGH
    assert whole.false_alerts == 1
    table = confusion_table(whole.confusion)
    assert table["glucose_low"] == {"glucose_low": 1, NOTHING: 1}
    assert table[NOTHING]["glucose_low"] == 1
    assert confusion_markdown(table).splitlines()[2] == "| glucose low | 1 | 1 |"


def test_a_forecast_of_a_low_that_comes_within_an_hour_is_right_and_finds_nothing() -> None:
    forecast = SAID._replace(rule="glucose_forecast", concern="glucose_forecast", level=1, severity=Severity.MEDIUM)
    later = replace(LOW, first_ms=3_601_000, due_ms=3_700_000, last_ms=3_800_000)
    right = verdict(later, said=(forecast,))
    assert (right.kinds["hypoglycaemia"].found, right.false_alerts) == (0, 0)
    assert verdict(later, said=(forecast._replace(observed_at=999),)).false == {"glucose_forecast": 1}
    nearly = verdict(replace(later, near_miss=True), said=(forecast,))
    assert (nearly.near["hypoglycaemia"], nearly.false_alerts) == ([1, 0], 1)


def test_what_sees_an_illness_as_a_whole_may_speak_of_it() -> None:
    ill = replace(LOW, rule="heart_rate", kind="tachycardia_at_rest")
    assert verdict(ill, said=(SAID._replace(rule="anomaly"),)).false_alerts == 0
    assert verdict(LOW, said=(SAID._replace(rule="anomaly"),)).false_alerts == 1


def test_a_verdict_goes_from_process_to_process() -> None:
    done = verdict(LOW, replace(LOW, kind="cgm_70", near_miss=True))
    again = pickle.loads(pickle.dumps(done))  # noqa: S301 - our own
    assert again == done
    again.near["another"][0] += 1
