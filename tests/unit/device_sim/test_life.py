"""Normal life crosses no limit, every vital has a source, and a seed always makes the same story."""

import itertools

import pytest

from device_sim.fleet import make_fleet, make_load_fleet
from device_sim.incident import Part
from device_sim.observations import ROUTINES
from device_sim.physiology import PROCESS_OF, PROCESSES
from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPES
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.messages import MAX_ITEMS
from schemas.vitals import VITAL_BY_CODE, VITALS
from tests.unit.device_sim.sim_world import HOUR_MS, MINUTE_MS, START_MS, all_uplinks, lively_plan, plan, uplinks

USUAL = {
    "heart_rate": (50, 119),
    "spo2": (94, 100),
    "respiratory_rate": (10, 24),
    "body_temperature": (35.8, 37.5),
    "systolic": (100, 140),
    "diastolic": (55, 89),
    "glucose": (80, 200),
    "weight": (45, 100),
    "steps": (0, 120),
    "skin_temperature": (31, 36),
}


def test_every_vital_has_a_source() -> None:
    assert {row.vital for row in PROCESSES} == {row.code for row in VITALS} == set(PROCESS_OF)
    assert set(USUAL) == set(PROCESS_OF)


def test_every_device_type_has_a_routine() -> None:
    assert set(ROUTINES) == {row.code for row in DEVICE_TYPES}


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_normal_life_stays_inside_every_limit(seed: int) -> None:
    made = plan(seed=seed, homes=6, incidents=False)
    for _, uplink in all_uplinks(made, hours=25):
        for reading in uplink.readings:
            low, high = USUAL[reading.vital]
            value = reading.value * 18.018 if reading.unit == "mmol/L" else reading.value
            assert low <= value <= high
            if reading.vital == "heart_rate" and reading.activity == "resting":
                assert value < 110


def test_every_reading_and_event_is_one_that_its_device_may_report() -> None:
    made = plan()
    types = {device.device: DEVICE_TYPE_BY_CODE[device.type] for device in made.world.devices}
    for name, uplink in all_uplinks(made, hours=2):
        assert len(uplink.readings) + len(uplink.events) <= MAX_ITEMS
        for reading in uplink.readings:
            row = VITAL_BY_CODE[reading.vital]
            assert reading.vital in types[name].vitals
            assert (reading.unit in row.units) if row.conversions else reading.unit is None
            assert (reading.slot is not None) == (types[name].slots > 1)
        for event in uplink.events:
            allowed = {detail.name for detail in EVENT_TYPE_BY_KIND[event.event].details}
            assert event.event in types[name].events
            assert set(event.details) <= allowed


def test_a_band_is_heard_every_minute_with_four_readings_and_the_skin_every_ten() -> None:
    made = plan(incidents=False)
    band = next(device for device in made.world.devices if device.type == "wearable_band")
    hour = list(uplinks(made, band, hours=1))
    assert len(hour) == 60
    assert {len(row.readings) for row in hour} == {4, 5}
    assert sum(len(row.readings) == 5 for row in hour) == 6


def test_a_band_is_charged_once_a_day_and_says_when_it_comes_off_and_when_it_is_on_again() -> None:
    made = plan(incidents=False)
    for band in (device for device in made.world.devices if device.type == "wearable_band"):
        day = list(uplinks(made, band, hours=24))
        off, on = (
            [row.at_ms for row in day for event in row.events if event.event == kind] for kind in ("not_worn", "worn")
        )
        assert len(off) == len(on) == 1
        assert on[0] - off[0] == 25 * MINUTE_MS
        meanwhile = [row for row in day if off[0] <= row.at_ms < on[0] and not row.events]
        assert len(meanwhile) == 25
        assert not any(row.readings for row in meanwhile)


def test_no_band_is_charged_while_something_happens_to_its_wearer() -> None:
    made = lively_plan()
    charged = 0
    for band in (device for device in made.world.devices if device.type == "wearable_band"):
        for row in uplinks(made, band, hours=12):
            if any(event.event == "charging" for event in row.events):
                charged += 1
                near = row.at_ms - 20 * MINUTE_MS, row.at_ms + 20 * MINUTE_MS
                assert not made.busy(band.people[0], *near, Part.WORN)
    assert charged > 4


def test_who_walks_is_not_at_rest() -> None:
    made = plan(seed=3, incidents=False)
    seen = {True: 0, False: 0}
    for name, uplink in all_uplinks(made, hours=12):
        if name.startswith("band"):
            values = {row.vital: row for row in uplink.readings}
            if not values:
                continue
            walks = values["steps"].value > 0
            assert (values["heart_rate"].activity == "active") == walks
            seen[walks] += 1
    assert min(seen.values()) > 1000


def test_both_people_of_a_home_use_the_cuff_under_their_own_slot() -> None:
    made = plan(incidents=False)
    shared = next(row for row in made.world.devices if row.type == "pressure_cuff" and len(row.people) == 2)
    slots = {reading.slot for row in uplinks(made, shared, hours=1) for reading in row.readings}
    assert slots == {1, 2}


@pytest.mark.parametrize(
    ("kind", "vitals"),
    [("thermometer", ["body_temperature"]), ("finger_oximeter", ["spo2", "heart_rate"])],
)
def test_what_is_used_at_will_says_nothing_in_between(kind: str, vitals: list[str]) -> None:
    made = plan(incidents=False)
    for device in (device for device in made.world.devices if device.type == kind):
        week = list(uplinks(made, device, hours=7 * 24))
        assert 3 < len(week) <= 15
        assert [[reading.vital for reading in row.readings] for row in week] == [vitals] * len(week)


def test_some_hours_of_some_bands_lack_activity_and_posture_and_nothing_else() -> None:
    made = plan(incidents=False, no_activity=0.25)
    shown_in, hours = 0, 0
    for band in [device for device in made.world.devices if device.type == "wearable_band"][:4]:
        for hour, rows in itertools.groupby(uplinks(made, band, hours=24), key=lambda row: row.at_ms // HOUR_MS):
            said = {reading.activity for row in rows for reading in row.readings if reading.vital == "spo2"}
            shown = made.says_activity(band.device, hour * HOUR_MS)
            assert (None in said) != shown or not said
            assert not (None in said and len(said) > 1)
            shown_in, hours = shown_in + shown, hours + 1
    assert 0.6 < shown_in / hours < 0.9


def test_only_a_thermometer_measures_the_body_and_only_a_band_the_skin() -> None:
    made = plan(incidents=False)
    types = {device.device: device.type for device in made.world.devices}
    seen = {(reading.vital, types[name]) for name, row in all_uplinks(made, hours=2) for reading in row.readings}
    assert {pair for pair in seen if "temperature" in pair[0]} == {
        ("body_temperature", "thermometer"),
        ("skin_temperature", "wearable_band"),
    }


def test_every_dose_of_normal_life_is_taken_within_ten_minutes() -> None:
    made = plan(incidents=False)
    doses = 0
    for device in made.world.devices:
        events = [event for row in uplinks(made, device, hours=13) for event in row.events]
        for row in made.world.plans_of(device.device):
            for dose in row.doses(START_MS, START_MS + 12 * HOUR_MS):
                lifted = [e.at for e in events if e.event == "cup_lifted" and 0 < e.at - dose.at_ms < 10 * MINUTE_MS]
                assert len(lifted) == 1
                doses += 1
    assert doses > 20


def test_the_same_seed_gives_the_same_uplinks_at_every_speed() -> None:
    slow, fast = plan(rate=1), plan(rate=600)
    silent = {row.device for made in (slow, fast) for row in made.all if row.off}
    first = {row.person_id for row in slow.all if row.name == "sos-0"}
    for device in slow.world.devices:
        if device.device not in silent and not first & set(device.people):
            assert list(uplinks(slow, device, hours=3)) == list(uplinks(fast, device, hours=3))


def test_another_seed_gives_another_fleet_and_the_same_seed_the_same() -> None:
    one, again, other = (make_fleet(homes=5, seed=seed, start_ms=START_MS) for seed in (1, 1, 2))
    assert one == again
    assert {home.home_id for home in one.homes}.isdisjoint(home.home_id for home in other.homes)


def test_one_doctor_cares_for_everybody_and_everybody_wears_a_band() -> None:
    fleet = make_fleet(homes=20, seed=1, start_ms=START_MS)
    people = {person.person_id for home in fleet.homes for person in home.people}
    worn = [
        binding.person_id
        for home in fleet.homes
        for device in home.devices
        if device.type == "wearable_band"
        for binding in device.bindings
    ]
    assert set(fleet.doctors[0].people) == people == set(worn)
    assert len(worn) == len(people)
    kinds = {device.type for home in fleet.homes for device in home.devices}
    assert kinds == {row.code for row in DEVICE_TYPES}


def test_a_load_fleet_has_exactly_so_many_bands() -> None:
    for wanted in (1, 2, 7):
        fleet = make_load_fleet(devices=wanted, seed=1)
        assert sum(len(home.devices) for home in fleet.homes) == wanted
