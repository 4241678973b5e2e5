"""A home run again over its records finds what a partition of the log has found, whatever was known by when."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Finding
from schemas.records import JudgedUplink, WatermarkMarker
from services.score.followups import Effect, FallCheck, Tally
from services.score.home_rerun import Brought, HomeRerun, rerun
from services.score.limit_book import DEFAULT_BOOK
from services.score.partition import Partition
from services.score.rule_timeline import ALWAYS_THE_SAME
from tests.unit.services.score.story import HOME, PERSON, minute, uplink


def story(seed: int) -> list[JudgedUplink]:
    """Two hours with excursions, silences, calls and late arrivals, in the order of reception."""
    chance = Random(seed)
    records = []
    for at in range(120):
        ill = at // 25 % 2
        values = {"heart_rate": chance.gauss(140 if ill else 75, 4), "spo2": 87 if ill else 97}
        late = chance.choice([0, 0, 0, 0, 0, 2, 30])
        kinds = [kind for kind in ("sos_pressed", "fall_suspected") if chance.random() < 1 / 60]
        if at % 40 < 33:
            records.append(uplink(at, at, values, events=kinds, received=at + late))
    return sorted(records, key=lambda one: (one.received_at, one.seq))


def live(records: list[JudgedUplink], until: int) -> tuple[dict[UUID, Finding], list[FallCheck]]:
    """As score does it: a marker each second of some minutes, else each minute."""
    partition, found = Partition(), dict[UUID, Finding]()
    falls: list[FallCheck] = []
    marker = minute(0)

    def hear(effects: list[Effect]) -> None:
        for one in effects:
            if isinstance(one, Finding):
                found.setdefault(one.finding_id, one)
            elif isinstance(one, FallCheck):
                falls.append(one)

    for record in records:
        while marker + 1_000 < record.received_at:
            marker += 1_000
            hear(partition.mark(WatermarkMarker(instance="0", received_at=marker)))
        hear(partition.take(record, Tally()))
    while marker + 1_000 <= until:
        marker += 1_000
        hear(partition.mark(WatermarkMarker(instance="0", received_at=marker)))
    return found, falls


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_it_finds_what_the_log_gave(seed: int) -> None:
    records, until = story(seed), minute(260)
    found, falls = live(records, until)
    again = rerun(HomeRerun(HOME, DEFAULT_BOOK, ALWAYS_THE_SAME), records, until)
    assert again.findings == found
    assert again.falls == falls


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 118))
def test_what_came_later_changes_nothing_of_what_was_found_by_then(seed: int, by: int) -> None:
    records = story(seed)
    whole = rerun(HomeRerun(HOME, DEFAULT_BOOK, ALWAYS_THE_SAME), records, minute(260))
    part = rerun(HomeRerun(HOME, DEFAULT_BOOK, ALWAYS_THE_SAME), records, minute(by))
    assert part.findings == {
        known: one for known, one in whole.findings.items() if whole.followed_at[known] <= minute(by)
    }


def test_each_finding_says_when_what_it_follows_from_came() -> None:
    records = [uplink(seq, seq, {"heart_rate": 135}, received=seq + 3) for seq in range(15)]
    again = rerun(HomeRerun(HOME, DEFAULT_BOOK, ALWAYS_THE_SAME), records, minute(20))
    (finding,) = [one for one in again.findings.values() if one.rule == "heart_rate"]
    assert again.followed_at[finding.finding_id] == finding.evidence[-1].observed_at + 3 * 60_000


@pytest.mark.parametrize("given_out", [0, 7])
def test_numbers_that_were_given_out_before_are_given_to_nothing_else(given_out: int) -> None:
    records = [uplink(seq, seq, {"heart_rate": 135}) for seq in range(15)]
    brought = Brought(episodes={PERSON: {"heart_rate": given_out}})
    again = rerun(HomeRerun(HOME, DEFAULT_BOOK, ALWAYS_THE_SAME, brought), records, minute(20))
    assert {one.episode for one in again.findings.values() if one.rule == "heart_rate"} == {given_out + 1}
