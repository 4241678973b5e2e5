"""What a row of a back-test asks, and what it keeps of the answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.alerts import Severity
from schemas.default_limits import usual_of
from schemas.devices import DEVICE_TYPE_BY_NUMBER
from schemas.limit_levels import rows_of
from schemas.limits import Limits, LimitsError
from services.score.back_test import Said, compare
from services.score.back_test_rows import answers_in, parts_of, plain_of, together, tried_in, uplinks_of
from services.score.stood import FOREVER
from tests.unit.services.score.story import uplink


def row_of(limits: Limits) -> dict[str, object]:
    """As the table has it."""
    same = {name: getattr(limits, name) for name in ("concern", "off", "clear_min", "worse_by")}
    return {**same, "levels": rows_of(limits.levels)}


def test_a_row_asks_about_the_limits_that_were_written_to_it() -> None:
    limits = usual_of("spo2")
    assert tried_in(row_of(limits)).numbers == limits.numbers


def test_a_row_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(LimitsError, match="no episode would ever end"):
        tried_in(row_of(replace(usual_of("spo2"), off=60)))


def test_an_episode_that_goes_on_has_no_end_in_the_row() -> None:
    goes_on = Said("spo2", 1_000, FOREVER, 2, Severity.HIGH, alerts=True)
    over = Said("spo2", 1_000, 2_000, 1, Severity.MEDIUM, alerts=False)
    plain = plain_of(compare([goes_on], [over]))
    assert plain["today"] == [
        {"concern": "spo2", "since_ms": 1_000, "until_ms": None, "level": 2, "severity": 3, "alerts": True}
    ]
    assert plain["differ"] == [[*plain["today"], *plain["changed"]]]
    assert plain["vanish"] == plain["begin"] == []


def test_of_before_only_answers_count() -> None:
    answer = uplink(1, 0, events=["check_in_answered", "worn"], details={"mine": "yes"})
    (kept,) = answers_in([uplink(2, 0, events=["not_worn"]), answer])
    assert kept.events == answer.events[:1]


@pytest.mark.parametrize(("bands", "days"), [(0, 30), (60, 30), (60, 1), (7, 2)])
def test_the_parts_that_are_read_follow_each_other(bands: int, days: int) -> None:
    begins = datetime(2026, 11, 1, tzinfo=UTC)
    first, until = begins - timedelta(days=bands), begins + timedelta(days=days)
    parts = list(parts_of(first, begins, until))
    assert [one for one, _ in parts] == [first, *[end for _, end in parts[:-1]]]
    assert parts[-1][1] == until
    assert all(end <= begins or since >= begins for since, end in parts)


def test_an_uplink_that_was_read_in_two_parts_is_whole_again() -> None:
    whole = uplink(1, 0, {"heart_rate": 70, "spo2": 97}, events=["worn"])
    first = whole._replace(readings=whole.readings[:1], events=())
    second = whole._replace(readings=whole.readings[1:])
    assert together(second, first) == whole


def test_columns_of_many_uplinks_are_these_uplinks_again() -> None:
    sent = [uplink(number, number, {"heart_rate": 70 + number, "spo2": 97}, device_type=1) for number in (1, 2, 3)]
    same = {name: getattr(sent[0], name) for name in ("device_no", "device", "home_no", "shard", "epoch")}
    device = {**same, "device_type": DEVICE_TYPE_BY_NUMBER[sent[0].device_type].code}
    read = [(record, item) for record in sent for item in record.readings]
    row = {
        "epoch": sent[0].epoch,
        "seq": [record.seq for record, _ in read],
        "received_ms": [record.received_at for record, _ in read],
        "observed_ms": [item.observed_at for _, item in read],
        **{
            name: [getattr(item, name) for _, item in read] for name in ("item", "person_no", "vital", "value", "flags")
        },
    }
    assert list(uplinks_of(row, device)) == sent
