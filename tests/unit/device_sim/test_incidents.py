"""What goes wrong really crosses the rule it is meant for, once a person, and the truth is written ahead."""

import itertools
import json
from pathlib import Path

import pytest

from device_sim.fleet import MOVED_DRUG, make_fleet, moved
from device_sim.incident import Incident, IncidentKind, NearMissKind
from device_sim.incidents import IncidentPlan
from device_sim.life import DAYS_ONLY
from device_sim.truth import TruthFile
from device_sim.world import make_world
from schemas.messages import Reading
from tests.unit.device_sim.sim_world import (
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    device_named,
    lively_plan,
    plan,
    uplinks,
    world,
)

SEEDS = range(6)


def of_kind(made: IncidentPlan, kind: IncidentKind) -> Incident:
    return next(row for row in made.all if row.kind is kind)


def readings(made: IncidentPlan, incident: Incident, vital: str, *, hours: float = 4) -> list[Reading]:
    device = device_named(made, incident.device)
    return [row for uplink in uplinks(made, device, hours=hours) for row in uplink.readings if row.vital == vital]


def longest_s(rows: list[Reading], condition: object) -> int:
    """The longest time between the first and the last of neighbouring readings that fulfil a condition."""
    assert callable(condition)
    best, first = 0, None
    for row in rows:
        if condition(row):
            first = row.at if first is None else first
            best = max(best, row.at - first)
        else:
            first = None
    return best // 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_of_twenty_homes_sees_every_kind_and_what_takes_less_is_due_in_it(seed: int) -> None:
    first = [row for row in plan(seed=seed).all if row.starts_at_ms < START_MS + HOUR_MS]
    assert {row.kind for row in first} == set(IncidentKind) - DAYS_ONLY
    late = {row.kind for row in first if row.due_at_ms >= START_MS + HOUR_MS}
    assert late == {IncidentKind.WEIGHT_GAIN, IncidentKind.WORN_OFF}


@pytest.mark.parametrize("rate", [1, 60, 600])
def test_the_first_sos_comes_ten_real_seconds_after_the_start(rate: int) -> None:
    sos = of_kind(plan(rate=rate), IncidentKind.SOS)
    assert sos.starts_at_ms == START_MS + 10_000 * rate
    assert [event.event for event in sos.events] == ["sos_pressed"]


def test_the_same_incidents_happen_at_every_speed() -> None:
    stories = []
    for rate in (1, 60, 600):
        made = plan(rate=rate)
        made.ensure(START_MS + 12 * HOUR_MS)
        stories.append([(row.name, row.person_id, row.device, row.starts_at_ms) for row in made.all[1:]])
    assert stories[0] == stories[1] == stories[2]
    assert len(stories[0]) > 60


@pytest.mark.parametrize("seed", SEEDS)
def test_at_most_one_incident_at_a_time_per_person_and_one_of_a_rule_a_day(seed: int) -> None:
    made = plan(seed=seed)
    made.ensure(START_MS + 20 * HOUR_MS)
    for person in made.world.bodies:
        rows = sorted(made.of_person(person), key=lambda row: row.busy.first_ms)
        for earlier, later in itertools.pairwise(rows):
            assert earlier.busy.last_ms <= later.busy.first_ms
        assert len({row.rule for row in rows}) == len(rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_tachycardia_at_rest_lasts_ten_minutes_above_120_without_a_step_ten_minutes_before(seed: int) -> None:
    made = plan(seed=seed)
    incident = of_kind(made, IncidentKind.TACHYCARDIA_AT_REST)
    beats = readings(made, incident, "heart_rate")
    high = [row for row in beats if row.value > 120]
    assert longest_s(beats, lambda row: row.value > 120) >= 600
    assert {row.activity for row in high} == {"resting"}
    assert high[0].at + 10 * MINUTE_MS < incident.due_at_ms
    steps = readings(made, incident, "steps")
    around = [row.value for row in steps if high[0].at - 10 * MINUTE_MS <= row.at <= high[-1].at]
    assert len(around) > 20
    assert set(around) == {0}
    assert max(abs(b.value - a.value) for a, b in itertools.pairwise(beats)) < 60


@pytest.mark.parametrize("seed", SEEDS)
def test_hypoxia_lasts_five_minutes_at_88_or_less(seed: int) -> None:
    made = plan(seed=seed)
    incident = of_kind(made, IncidentKind.HYPOXIA)
    rows = readings(made, incident, "spo2")
    assert longest_s(rows, lambda row: row.value <= 88) >= 300
    first = next(row.at for row in rows if row.value <= 88)
    assert incident.starts_at_ms <= first
    assert first + 5 * MINUTE_MS < incident.due_at_ms
    assert max(abs(b.value - a.value) for a, b in itertools.pairwise(rows)) < 15


@pytest.mark.parametrize("seed", SEEDS)
def test_hypoglycaemia_stays_below_54_for_half_an_hour_and_recovers(seed: int) -> None:
    made = plan(seed=seed)
    incident = of_kind(made, IncidentKind.HYPOGLYCAEMIA)
    rows = readings(made, incident, "glucose")
    assert longest_s(rows, lambda row: row.value < 54) > 30 * 60
    low = [row for row in rows if row.value < 70]
    assert low[0].at + 15 * MINUTE_MS < incident.due_at_ms
    after = [row for row in rows if row.at > low[-1].at]
    assert longest_s(after, lambda row: row.value >= 70) >= 30 * 60
    assert max(abs(b.value - a.value) for a, b in itertools.pairwise(rows)) < 50


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unanswered_fall_is_followed_by_no_answer_no_step_and_a_lying_person(seed: int) -> None:
    made = plan(seed=seed)
    incident = of_kind(made, IncidentKind.FALL_UNANSWERED)
    at = incident.starts_at_ms
    assert at == START_MS + 3000
    for device in made.world.devices_of(incident.person_id, "wearable_band", "fall_robot"):
        for uplink in uplinks(made, device, hours=0.25):
            assert not {"fall_answered", "check_in_answered"} & {event.event for event in uplink.events}
            for reading in uplink.readings:
                if reading.vital == "steps":
                    assert reading.value == 0
                elif reading.at > at:
                    assert reading.posture in {"lying", None}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_answered_fall_is_answered_within_half_a_minute_and_expects_no_alert(seed: int) -> None:
    incident = of_kind(plan(seed=seed), IncidentKind.FALL_ANSWERED)
    assert [event.event for event in incident.events] == ["fall_suspected", "fall_answered"]
    assert incident.events[1].at - incident.events[0].at <= 30_000
    assert not incident.alert_expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_missed_dose_is_given_out_but_its_cup_is_not_lifted(seed: int) -> None:
    made = plan(seed=seed)
    incident = of_kind(made, IncidentKind.MISSED_DOSE)
    events = [event for row in uplinks(made, device_named(made, incident.device), hours=1.5) for event in row.events]
    assert [event.event for event in events] == ["dose_dispensed"]
    assert incident.due_at_ms >= incident.dose_at_ms + 30 * MINUTE_MS


def lifts(made: IncidentPlan, incident: Incident) -> list[int]:
    """When its cup is lifted, in minutes after the dose was due; each time something had been given out before."""
    events = [event for row in uplinks(made, device_named(made, incident.device), hours=2.5) for event in row.events]
    kinds = [event.event for event in events if event.event != "dose_confirmed"]
    assert kinds == ["dose_dispensed", "cup_lifted"] * (len(kinds) // 2)
    return [(row.at - incident.dose_at_ms) // MINUTE_MS for row in events if row.event == "cup_lifted"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_double_dose_is_taken_in_time_and_given_out_and_taken_again(seed: int) -> None:
    made = plan(seed=seed)
    first, second = lifts(made, of_kind(made, IncidentKind.DOUBLE_DOSE))
    assert 0 <= first <= 9
    assert second == 30


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dose_is_taken_late_after_its_window(seed: int) -> None:
    made = plan(seed=seed)
    assert lifts(made, of_kind(made, IncidentKind.DOSE_TAKEN_LATE)) == [90]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dispenser_that_is_not_heard_is_away_over_the_whole_window_of_its_dose(seed: int) -> None:
    made = plan(seed=seed)
    taken, missed = (of_kind(made, kind) for kind in (IncidentKind.DOSE_UNHEARD, IncidentKind.DOSE_UNHEARD_AND_MISSED))
    for incident in (taken, missed):
        assert made.away(incident.device, incident.dose_at_ms - 4 * MINUTE_MS)
        assert made.away(incident.device, incident.dose_at_ms + 30 * MINUTE_MS)
        assert not made.away(incident.device, incident.due_at_ms)
    assert len(lifts(made, taken)) == 1
    events = [row.events for row in uplinks(made, device_named(made, missed.device), hours=1.5) if row.events]
    assert [event.event for events_of_one in events for event in events_of_one] == ["dose_dispensed"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fall_is_answered_late_after_its_minute(seed: int) -> None:
    incident = of_kind(plan(seed=seed), IncidentKind.FALL_ANSWERED_LATE)
    fall, answer = incident.events
    assert (fall.event, answer.event, answer.details) == ("fall_suspected", "fall_answered", {"answer": "ok"})
    assert answer.at - fall.at == 16 * MINUTE_MS
    assert incident.alert_expected


def near(made: IncidentPlan, kind: NearMissKind) -> Incident:
    return next(row for row in made.near_misses if row.kind is kind)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_drugs_in_a_cup_are_given_out_and_lifted_once(seed: int) -> None:
    made = lively_plan(seed=seed)
    incident = near(made, NearMissKind.TWO_IN_A_CUP)
    plans = made.world.plans_of(incident.device)
    assert len({row.drug for row in plans}) == 2
    assert len({(row.compartment, row.minutes) for row in plans}) == 1
    assert lifts(made, incident) == [15]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_moved_dose_is_taken_when_it_is_due_by_the_edit_and_in_time_without_it(seed: int) -> None:
    made = lively_plan(seed=seed)
    incident = near(made, NearMissKind.MOVED_DOSE)
    fleet = make_fleet(homes=20, seed=seed, start_ms=START_MS)
    edited = make_world(moved(fleet), seed)
    (usual,), (later,) = (
        [
            dose.at_ms
            for row in one.plans_of(incident.device)
            if row.drug == MOVED_DRUG
            for dose in row.doses(START_MS, START_MS + HOUR_MS)
        ]
        for one in (made.world, edited)
    )
    assert (incident.dose_at_ms, later - usual) == (usual, 15 * MINUTE_MS)
    events = [event for row in uplinks(made, device_named(made, incident.device), hours=1.5) for event in row.events]
    assert later in [event.at for event in events if event.event == "cup_lifted"]


def test_an_edit_moves_what_is_to_be_moved_and_nothing_else() -> None:
    fleet = make_fleet(homes=20, seed=1, start_ms=START_MS)
    before, after = (
        [plan for home in one.homes for person in home.people for plan in person.plans] for one in (fleet, moved(fleet))
    )
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert {old.drug for old, _ in changed} == {MOVED_DRUG}
    assert len(changed) == 3
    assert [new.model_copy(update={"at": old.at}) for old, new in changed] == [old for old, _ in changed]


@pytest.mark.parametrize(("rate", "limit_ms"), [(60, 1_800_000), (600, 9_000_000)])
def test_a_silent_device_is_silent_for_longer_than_its_limit(rate: int, limit_ms: int) -> None:
    made = plan(rate=rate)
    incident = of_kind(made, IncidentKind.SILENT_DEVICE)
    moments = [row.at_ms for row in uplinks(made, device_named(made, incident.device), hours=6)]
    gap = max(later - earlier for earlier, later in itertools.pairwise(moments))
    assert gap > limit_ms
    assert incident.due_at_ms - incident.starts_at_ms > limit_ms
    assert made.powered_off(incident.device, incident.due_at_ms)
    before = next(at for at in moments if at < incident.starts_at_ms)
    assert before < incident.starts_at_ms


def test_other_people_stay_inside_every_limit_while_incidents_go_on() -> None:
    made = plan(seed=5)
    struck = {(row.person_id, row.excursion.vital) for row in made.all if row.excursion}
    limits = {"heart_rate": (50, 119), "spo2": (94, 100), "glucose": (80, 200)}
    for device in made.world.devices:
        for uplink in uplinks(made, device, hours=1):
            for reading in uplink.readings:
                person = device.people[(reading.slot or 1) - 1]
                if reading.vital in limits and (person, reading.vital) not in struck and reading.unit != "mmol/L":
                    low, high = limits[reading.vital]
                    assert low <= reading.value <= high


def test_the_truth_is_written_once_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    made, path = plan(), tmp_path / "truth.jsonl"
    for _ in range(2):
        file = TruthFile(path, last_ms=START_MS + HOUR_MS)
        file.write(made.all)
        file.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["incident"] for line in lines) == sorted(
        row.name for row in made.all if row.starts_at_ms < START_MS + HOUR_MS
    )
    names = {"kind", "home_id", "person_id", "device", "rule", "level", "severity", "due_at_ms", "alert_expected"}
    assert names | {"also", "near_miss"} < set(lines[0])


def test_the_truth_counts_incidents_and_near_misses_apart_and_goes_on_counting(tmp_path: Path) -> None:
    made, counted = lively_plan(), []
    for _ in range(2):
        file = TruthFile(tmp_path / "truth.jsonl", last_ms=START_MS + HOUR_MS)
        file.write(made.planned)
        counted.append((file.written, file.near_misses))
        file.close()
    first = [row for row in made.planned if row.starts_at_ms < START_MS + HOUR_MS]
    expected = (sum(not row.near_miss for row in first), sum(row.near_miss for row in first))
    assert counted == [expected, expected]


def test_without_incidents_nothing_goes_wrong() -> None:
    made = IncidentPlan(world(), start_ms=START_MS, rate=60, enabled=False)
    made.ensure(START_MS + HOUR_MS)
    assert made.planned == []


def test_twice_as_many_incidents_are_other_people_at_other_times_and_the_first_of_each_kind_stay() -> None:
    once, twice = plan(homes=40), plan(homes=40, times=2)
    first_turn = [row for row in twice.all if row.name.count("-") == 1]
    second_turn = [row for row in twice.all if row.name.count("-") == 2]
    hour = START_MS + HOUR_MS
    assert [row.name for row in first_turn if row.starts_at_ms < hour] == [
        row.name for row in once.all if row.starts_at_ms < hour
    ]
    assert {row.kind for row in second_turn} == set(IncidentKind) - {IncidentKind.WEIGHT_GAIN} - DAYS_ONLY
    assert len({row.name for row in twice.all}) == len(twice.all)
    assert {row.person_id for row in first_turn if "-0" in row.name}.isdisjoint(
        row.person_id for row in second_turn if "-0-" in row.name
    )
