"""Faults come from the seed, keep away from what the truth rests on, and leave nothing uncounted."""

from collections import Counter
from dataclasses import replace

from device_sim.faults import FAULT_RATES, Fault, fault_of, loses_storage, spoil
from device_sim.incident import PART_OF
from device_sim.observations import Planned
from schemas.messages import DeviceEvent, Reading
from schemas.vitals import VITAL_BY_CODE
from tests.unit.device_sim.sim_world import HOUR_MS, MINUTE_MS, START_MS, all_uplinks, lively_plan


def report(at: int = START_MS) -> Planned:
    readings = (
        Reading(vital="heart_rate", value=70, at=at),
        Reading(vital="skin_temperature", value=33.1, at=at, unit="Cel"),
    )
    return Planned(at_ms=at, readings=readings)


def test_the_same_seed_strikes_the_same_uplinks() -> None:
    rows = [report(START_MS + turn * MINUTE_MS) for turn in range(2000)]
    assert [fault_of(1, "band", row) for row in rows] == [fault_of(1, "band", row) for row in rows]
    assert [fault_of(1, "band", row) for row in rows] != [fault_of(2, "band", row) for row in rows]


def test_every_fault_comes_about_as_often_as_its_row_says() -> None:
    count = 30_000
    seen = Counter(fault_of(1, "band", report(START_MS + turn * 1000)) for turn in range(count))
    for row in FAULT_RATES:
        assert 0.7 < seen[row.fault] / (row.share * count) < 1.3


def test_no_fault_touches_an_event_an_incident_or_a_near_miss() -> None:
    made = lively_plan()
    for name, uplink in all_uplinks(made, hours=1):
        device = next(row for row in made.world.devices if row.device == name)
        now, part = (uplink.at_ms, uplink.at_ms + 1), PART_OF[device.type]
        if uplink.events or any(made.busy(person, *now, part) for person in device.people):
            assert uplink.sheltered
    emergency = Planned(at_ms=START_MS, events=(DeviceEvent(event="sos_pressed", at=START_MS),), sheltered=True)
    assert all(fault_of(seed, "band", emergency) is None for seed in range(2000))


def test_a_wrong_clock_puts_every_stamp_outside_what_is_accepted() -> None:
    for turn in range(50):
        planned = report(START_MS + turn)
        wrong = spoil(1, "band", planned, Fault.WRONG_CLOCK)
        assert len(wrong.readings) == len(planned.readings)
        assert all(abs(row.at - planned.at_ms) >= 24 * HOUR_MS for row in wrong.readings)
        assert all(row.at > planned.at_ms or row.at < planned.at_ms - 30 * 24 * HOUR_MS for row in wrong.readings)


def test_a_wrong_unit_is_one_that_the_platform_must_refuse() -> None:
    places = set()
    for turn in range(50):
        planned = report(START_MS + turn)
        wrong = spoil(1, "band", planned, Fault.WRONG_UNIT)
        changed = [row for row, usual in zip(wrong.readings, planned.readings, strict=True) if row != usual]
        assert len(changed) == 1
        row, vital = changed[0], VITAL_BY_CODE[changed[0].vital]
        places.add(row.vital)
        if row.unit is not None and row.unit in vital.conversions:
            conversion = vital.conversions[row.unit]
            assert not vital.lowest <= row.value * conversion.factor + conversion.offset <= vital.highest
        else:
            assert row.unit not in vital.units
    assert len(places) == 2


def test_other_faults_leave_the_content_alone() -> None:
    for fault in (Fault.DROP, Fault.DELAY, Fault.DUPLICATE, Fault.REORDER, None):
        assert spoil(1, "band", report(), fault) == report()
    heartbeat = replace(report(), readings=())
    assert spoil(1, "band", heartbeat, Fault.WRONG_CLOCK) == heartbeat


def test_storage_is_lost_at_a_moment_of_its_hour_now_and_then() -> None:
    moments = [loses_storage(1, f"band-{turn}", 500_000) for turn in range(3000)]
    struck = [moment for moment in moments if moment is not None]
    assert 45 < len(struck) < 150
    assert all(0 <= moment < HOUR_MS for moment in struck)
