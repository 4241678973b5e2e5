"""The naive rival: each value past a limit alerts, whatever its quality, however short, and over is over at once."""

from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from tests.proving.scorecard.limit_alone import LimitAlone
from tests.proving.scorecard.said import episodes_of


def uplink(at: int, vital: str, value: float, *, flags: int = 0) -> JudgedUplink:
    reading = JudgedReading(0, 1, VITAL_BY_CODE[vital].number, value, at, flags)
    return JudgedUplink(
        device_no=1, device="band", home_no=1, shard=0, epoch=1, seq=at, oldest=0, sent_at=at, received_at=at,
        readings=(reading,),
    )  # fmt: skip


def alerts(*records: JudgedUplink) -> list[tuple[str, int]]:
    limit = LimitAlone()
    said = [one for record in records for one in limit.hear(record)]
    return [(episode.first.concern, episode.first.observed_at) for episode in episodes_of(said)]


def test_each_crossing_is_an_alert_and_staying_beyond_is_none() -> None:
    values = (100, 121, 130, 120, 125)
    assert alerts(*(uplink(at, "heart_rate", value) for at, value in enumerate(values))) == [
        ("heart_rate.fast", 1),
        ("heart_rate.fast", 4),
    ]


def test_both_sides_are_two_concerns() -> None:
    assert alerts(uplink(0, "heart_rate", 121), uplink(1, "heart_rate", 39)) == [
        ("heart_rate.fast", 0),
        ("heart_rate.slow", 1),
    ]


def test_an_inclusive_limit_counts_itself_and_another_does_not() -> None:
    assert alerts(uplink(0, "spo2", 92)) == [("spo2", 0)]
    assert alerts(uplink(0, "glucose", 70)) == []
    assert alerts(uplink(0, "glucose", 69)) == [("glucose_low", 0)]


def test_it_believes_a_poor_reading() -> None:
    assert alerts(uplink(0, "spo2", 70, flags=int(Flag.POOR_QUALITY))) == [("spo2", 0)]


def test_what_is_a_distance_from_what_is_usual_is_no_limit_of_a_value() -> None:
    assert alerts(uplink(0, "weight", 120)) == []


def test_a_suspected_fall_and_a_call_alert_at_once_each_time() -> None:
    events = tuple(
        JudgedEvent(item, 1, EVENT_TYPE_BY_KIND[kind].number, item, 0, {})
        for item, kind in enumerate((EventKind.FALL_SUSPECTED, EventKind.FALL_SUSPECTED, EventKind.SOS_PRESSED))
    )
    assert alerts(uplink(0, "spo2", 99)._replace(readings=(), events=events)) == [("fall", 0), ("fall", 1), ("sos", 2)]
