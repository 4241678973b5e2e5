"""The unwell of a load: who they are and when is the seed's business; they come, and they go again."""

from device_sim.clock import SimClock
from device_sim.fleet import make_load_fleet
from device_sim.load import Load
from device_sim.publish import Broker
from schemas.codec import encode_uplink
from schemas.messages import DeviceEvent, Reading, Uplink

MINUTE_MS = 60_000


def load(*, unwell: float, seed: int = 1) -> Load:
    return Load(
        make_load_fleet(devices=100, seed=1),
        broker=Broker(host="127.0.0.1", port=1, mqtt=5, passwords={}),
        clock=SimClock(origin_ms=0, origin_monotonic=0),
        state=None,
        resend_after_s=5,
        seed=seed,
        unwell=unwell,
    )


def low_minutes(made: Load) -> list[set[int]]:
    """For each device, in which minutes of forty its oxygen is low."""
    return [{minute for minute in range(40) if one.oxygen(minute * MINUTE_MS) < 92} for one in made.devices]


def test_without_unwell_wearers_nobody_has_an_excursion() -> None:
    assert low_minutes(load(unwell=0)) == [set()] * 100


def test_some_are_unwell_for_six_minutes_of_every_twenty() -> None:
    found = [minutes for minutes in low_minutes(load(unwell=0.2)) if minutes]
    assert 5 < len(found) < 40
    assert {len(minutes) for minutes in found} == {12}
    assert all({(minute + 20) % 40 for minute in minutes} == minutes for minutes in found)


def test_a_seed_gives_the_same_people_again() -> None:
    assert low_minutes(load(unwell=0.2)) == low_minutes(load(unwell=0.2))
    assert low_minutes(load(unwell=0.2)) != low_minutes(load(unwell=0.2, seed=2))


def test_a_transmission_of_a_load_is_byte_for_byte_what_the_codec_writes() -> None:
    """A load writes its uplinks into a template, for speed; the codec says what they have to look like."""
    device = load(unwell=0).devices[0]
    device.append(1.0, 5_000)
    device.press(1.0, 5_000)
    values = {"heart_rate": device.beat, "spo2": 97, "respiratory_rate": 15, "steps": 0}
    readings = tuple(Reading(vital=code, value=value, at=5_000) for code, value in values.items())
    for held, events in zip(device.outbox.take(1.0), ((), (DeviceEvent(event="sos_pressed", at=5_000),)), strict=True):
        expected = Uplink(
            epoch=device.outbox.position.epoch,
            seq=held.seq,
            sent_at=6_000,
            clock="synced",
            oldest=0,
            readings=readings,
            events=events,
        )
        assert device.payload(held, 6_000) == encode_uplink(expected)
