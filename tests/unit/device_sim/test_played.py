"""What the simulator plays, in score's real step: whatever the seed, incidents are found in time, near-misses never."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from device_sim.expected import EXPECTED, QUIET
from device_sim.incident import Incident, IncidentKind, NearMissKind
from device_sim.incidents import IncidentPlan
from device_sim.life import DAYS_ONLY, MAKERS_OF_DAYS
from device_sim.near_misses import NEAR_MISS_MAKERS
from device_sim.simulate import make_sources
from schemas.alerts import EndReason, Finding
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.rule_names import RULE_NAME_BY_NAME
from services.score.rules import RULES
from tests.unit.device_sim.played import Played, late_ones, outcome_of, play
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

SEEDS = range(12)
_HOUR_MIN = 60.0
_NOT_BY_LOG = {kind for kind, one in EXPECTED.items() if one.rule in {"missed_dose", "double_dose", "silent_device"}}


def of_person(played: Played, incident: Incident, made: IncidentPlan) -> list[Finding]:
    """What was found about the person of an incident, by its rule."""
    person_no = list(made.world.bodies).index(incident.person_id) + 1
    return [one for one in played.findings if one.person_no == person_no and one.rule == incident.rule]


def only(made: IncidentPlan, incident: Incident, *, minutes: float) -> Played:
    """The devices of one person alone."""
    devices = [device for device in made.world.devices if incident.person_id in device.people]
    return play(made, minutes=minutes, devices=devices)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hour_of_twenty_homes_is_alerted_in_time_and_nothing_else_is(seed: int) -> None:
    made = lively_plan(seed=seed)
    played = play(made, minutes=_HOUR_MIN)
    outcome = outcome_of(made, played, minutes=_HOUR_MIN)
    assert outcome.examples + late_ones(made, played) == []
    assert (outcome.missed, outcome.twice, outcome.false_alerts) == (0, 0, 0)
    expected = {kind for kind, one in EXPECTED.items() if one.is_alerted} - _NOT_BY_LOG - DAYS_ONLY
    assert set(outcome.by_kind) | {IncidentKind.WEIGHT_GAIN} == expected | {IncidentKind.WEIGHT_GAIN}
    assert outcome.near_misses > 3 * outcome.injected


@pytest.mark.parametrize(("seed", "rate", "starts_h"), [(51, 600.0, 0), (53, 60.0, 10)])
def test_ten_hours_of_a_day_or_night_are_alerted_in_time_and_nothing_else_is(
    seed: int, rate: float, starts_h: int
) -> None:
    """With the faults of devices and links, which need longer the faster the platform's time goes."""
    minutes = 10 * _HOUR_MIN
    made = lively_plan(seed=seed, rate=rate, hours=10, homes=10, start_ms=START_MS + starts_h * HOUR_MS)
    played = play(made, minutes=minutes, faults=True)
    outcome = outcome_of(made, played, minutes=minutes)
    assert outcome.examples + late_ones(made, played) == []
    assert outcome.alerted > 15
    assert outcome.near_misses > 45


@pytest.mark.parametrize("seed", range(8))
def test_there_are_three_near_misses_for_each_incident_and_some_of_every_kind(seed: int) -> None:
    made = lively_plan(seed=seed)
    incidents, near = (
        [row for row in rows if row.starts_at_ms < START_MS + HOUR_MS] for rows in (made.all, made.near_misses)
    )
    assert len(near) == 3 * len(incidents)
    assert {row.kind for row in near} == set(NearMissKind)
    assert all(row.busy.last_ms <= START_MS + 1.5 * HOUR_MS for row in near)


def test_every_kind_has_a_maker_and_an_expectation_that_names_a_rule() -> None:
    assert set(NEAR_MISS_MAKERS) == set(QUIET) == set(NearMissKind)
    assert set(EXPECTED) == set(IncidentKind)
    assert len(MAKERS_OF_DAYS) == len(IncidentKind)
    names = [one.rule for one in EXPECTED.values()] + list(QUIET.values())
    assert set(names) | {also for one in EXPECTED.values() for also in one.also} <= set(RULE_NAME_BY_NAME)


def test_an_expectation_names_a_rule_that_there_is() -> None:
    built = {rule.name for rule in RULES} | {"missed_dose", "double_dose"}
    assert {one.rule for one in EXPECTED.values()} <= built


Values = dict[str, float]


def bent(row: Incident, target: float | None = None, later_min: float = 0) -> Incident:
    """Further out, or for longer."""
    bend, later_ms = row.excursion, round(later_min * MINUTE_MS)
    assert bend is not None
    bend = replace(bend, back_ms=bend.back_ms + later_ms, target=bend.target if target is None else target)
    still, walk = (span and span._replace(last_ms=span.last_ms + later_ms) for span in (row.still, row.walk))
    return replace(row, excursion=bend, still=still, walk=walk)


def used(row: Incident, *values: Values) -> Incident:
    """The same uses with other values."""
    return replace(row, uses=tuple(replace(use, values=one) for use, one in zip(row.uses, values, strict=True)))


HARDER: Mapping[NearMissKind, Callable[[Incident], Incident]] = {
    NearMissKind.PULSE_118: lambda row: bent(row, 121),
    NearMissKind.PULSE_125_FOR_7_MIN: lambda row: bent(row, later_min=5),
    NearMissKind.PULSE_160_WALKING: lambda row: bent(row, later_min=5),
    NearMissKind.SPO2_93: lambda row: bent(row, 92),
    NearMissKind.COLD_FINGER: lambda row: replace(row, uses=tuple(replace(use, poor=False) for use in row.uses)),
    NearMissKind.ONE_LOW_SPOT: lambda row: used(row, {"spo2": 91}, {"spo2": 91}),
    NearMissKind.BREATHS_24: lambda row: bent(row, 25),
    NearMissKind.TEMPERATURE_37_8: lambda row: used(row, {"body_temperature": 37.9}),
    NearMissKind.PRESSURE_178: lambda row: used(row, *[{"systolic": 182.0, "diastolic": 118.0}] * 2),
    NearMissKind.PRESSURE_OUTLIER: lambda row: used(row, *[{"systolic": 186.0, "diastolic": 98.0}] * 3),
    NearMissKind.CGM_70: lambda row: bent(row, 69),
    NearMissKind.CGM_65_FOR_10_MIN: lambda row: bent(row, later_min=12),
    NearMissKind.CGM_GAP: lambda row: replace(row, off=None),
    NearMissKind.CGM_BACKLOG: lambda row: bent(row, 66, later_min=8),
    NearMissKind.METER_70: lambda row: used(row, {"glucose": 68}),
    NearMissKind.ABSURD_WHILE_OFF: lambda row: replace(row, events=()),
    NearMissKind.STUMBLE_ANSWERED: lambda row: replace(row, events=row.events[:1], still=row.busy),
    NearMissKind.STUMBLE_UP: lambda row: replace(row, walk=None),
}
"""A little more of a near-miss, which its limits would not let pass.

Of doses and silence other services decide, of weight no rule yet; what is poor is never scored.
"""


@pytest.mark.parametrize("kind", sorted(HARDER))
def test_a_little_more_and_a_near_miss_would_be_one_that_is_alerted(kind: NearMissKind) -> None:
    source = lively_plan()
    row = next(row for row in source.near_misses if row.kind is kind)
    for incident, alerts in ((row, False), (HARDER[kind](row), True)):
        made = IncidentPlan(world(), start_ms=START_MS, rate=60, enabled=False, no_activity=0)
        made.add(incident)
        outcome = outcome_of(made, only(made, incident, minutes=100), minutes=100)
        assert (outcome.false_alerts > 0) == alerts, (incident.kind, outcome.examples)


def test_a_low_that_goes_on_after_a_gap_is_the_same_episode_and_ends_once() -> None:
    made = plan(seed=3)
    incident = next(row for row in made.all if row.kind is IncidentKind.GAP_IN_EPISODE)
    found = of_person(only(made, incident, minutes=180), incident, made)
    assert [(one.episode, one.level, one.end_reason) for one in found] == [
        (1, 1, None),
        (1, 0, EndReason.NO_DATA),
        (1, 0, EndReason.RECOVERED),
    ]


def test_what_a_backlog_shows_is_news_when_it_comes() -> None:
    made = plan(seed=4)
    incident = next(row for row in made.all if row.kind is IncidentKind.BACKLOG)
    assert incident.away is not None
    device = device_named(made, incident.device)
    away = [
        row for row in uplinks(made, device, hours=1) if incident.away.first_ms <= row.at_ms < incident.away.last_ms
    ]
    assert len(away) == 7
    source = next(row for row in make_sources(made, faults=False) if row.device == incident.device)
    edges = incident.away.first_ms - 1, incident.away.first_ms, incident.away.last_ms - 1, incident.away.last_ms
    assert [source.powered_off(at) for at in edges] == [False, True, True, False]
    assert not any(made.powered_off(incident.device, at) for at in edges)
    found = [one for one in of_person(only(made, incident, minutes=90), incident, made) if one.level]
    assert {one.level for one in found} >= {2}
    assert not any(one.retrospective for one in found)
    assert all(one.observed_at < incident.away.last_ms for one in found)


def test_who_walks_on_with_such_a_pulse_is_found_by_the_limits_for_movement() -> None:
    made = plan(seed=5)
    incident = next(row for row in made.all if row.kind is IncidentKind.MOVING_AND_ILL)
    found = [one for one in of_person(only(made, incident, minutes=60), incident, made) if one.level]
    assert found
    assert all("moving" in one.message for one in found)


def test_a_band_on_the_table_is_heard_and_measures_nobody() -> None:
    made = plan(seed=6)
    incident = next(row for row in made.all if row.kind is IncidentKind.WORN_OFF)
    assert incident.off_body is not None
    rows = [
        row
        for row in uplinks(made, device_named(made, incident.device), hours=6)
        if incident.off_body.span.first_ms <= row.at_ms < incident.off_body.span.last_ms
    ]
    assert len(rows) == 241
    assert not any(row.readings for row in rows)
    assert [event.event for row in rows for event in row.events] == ["not_worn"]


def test_three_days_of_heart_failure_bring_more_than_three_kilograms_and_are_alerted_once_there_is_a_rule() -> None:
    made = plan(seed=7)
    incident = next(row for row in made.all if row.kind is IncidentKind.WEIGHT_GAIN)
    scale = device_named(made, incident.device)
    weights = [row.readings[0] for row in uplinks(made, scale, hours=80) if incident.busy.first_ms <= row.at_ms]
    assert len(weights) == 4
    assert 3 < weights[-1].value - weights[0].value < 5
    assert weights[-1].at - weights[0].at < 72 * HOUR_MS < incident.due_at_ms - weights[0].at
    outcome = outcome_of(made, play(made, minutes=80 * _HOUR_MIN, devices=[scale]), minutes=80 * _HOUR_MIN)
    asked = {kind for kind in (IncidentKind.WEIGHT_GAIN,) if EXPECTED[kind].is_alerted}
    assert {kind for kind, counts in outcome.by_kind.items() if counts["alerted"]} == asked


def _taken(made: IncidentPlan, row: Incident) -> Sequence[float]:
    events = [event for one in uplinks(made, device_named(made, row.device), hours=2) for event in one.events]
    return [(event.at - row.dose_at_ms) / MINUTE_MS for event in events if event.event == "cup_lifted"]


@pytest.mark.parametrize("seed", range(4))
def test_a_late_dose_is_late_and_within_its_window(seed: int) -> None:
    made = lively_plan(seed=seed)
    late = [row for row in made.near_misses if row.kind is NearMissKind.LATE_DOSE and row.name.endswith("-0-0")]
    assert late
    assert all(any(14 < minutes < 30 for minutes in _taken(made, row)) for row in late)


@pytest.mark.parametrize("seed", range(4))
def test_a_short_silence_is_shorter_than_the_device_may_be_silent(seed: int) -> None:
    made = lively_plan(seed=seed)
    short = [row for row in made.near_misses if row.kind is NearMissKind.SHORT_SILENCE]
    assert short
    for row in short:
        alone = IncidentPlan(world(seed=seed), start_ms=START_MS, rate=60, enabled=False)
        alone.add(row)
        device = device_named(alone, row.device)
        gaps = [later.at_ms - one.at_ms for one, later in itertools.pairwise(uplinks(alone, device, hours=4))]
        limit_s = DEVICE_TYPE_BY_CODE[device.type].silent_after_s
        assert limit_s is not None
        assert 500 * limit_s <= max(gaps) < 1000 * limit_s
