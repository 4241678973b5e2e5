"""How episodes end: for one reason each, and recovered only where values have shown it."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding
from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.devices.glucose import GLUCOSE_METER
from schemas.devices.thermometer import THERMOMETER
from schemas.limits import CONCERN_BY_NAME
from schemas.records import JudgedUplink
from services.score.core import pass_time
from services.score.home_state import HomeState
from services.score.rule import NEVER
from services.score.sample import SPOT_TYPES
from tests.unit.services.score.pressure_cases import cuff
from tests.unit.services.score.story import BAND, HOME, START, minute, run, series, uplink
from tests.unit.services.score.test_step import VALUES

ASKED = {
    "spo2": FINGER_OXIMETER.number,
    "glucose": GLUCOSE_METER.number,
    "body_temperature": THERMOMETER.number,
}


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    """Values that stay for a while, of a worn device and of one that measures when asked, some twenty minutes late."""
    records: list[tuple[float, JudgedUplink]] = []
    at = 0.0
    for _ in range(draw(st.integers(1, 6))):
        vital = draw(st.sampled_from(sorted(VALUES)))
        value = draw(VALUES[vital])
        asked = vital in ASKED and draw(st.integers(0, 3)) == 0
        for _ in range(draw(st.integers(1, 3) if asked else st.integers(1, 16))):
            at += draw(st.sampled_from([1, 1, 1, 3, 5, 8, 20, 70]))
            late = draw(st.sampled_from([0, 0, 0, 0, 0, 3, 20]))
            record = uplink(
                len(records), at, {vital: value}, received=at + late,
                device=77 if asked else BAND, device_type=ASKED[vital] if asked else 0,
            )  # fmt: skip
            records.append((at + late, record))
    return [record for _, record in sorted(records, key=lambda one: one[0])]


@given(stories())
def test_an_episode_ends_for_one_reason_and_nothing_is_said_of_it_after_that(story: list[JudgedUplink]) -> None:
    said = defaultdict(list)
    for one in run(story):
        if isinstance(one, Finding):
            said[one.rule, one.concern, one.episode].append(one)
    for findings in said.values():
        ends = [one for one in findings if one.end_reason not in {None, EndReason.NO_DATA}]
        assert len(ends) <= 1
        assert not ends or findings[-1] is ends[0]
        assert findings[0].level > 0
        assert [one.said for one in findings] == list(range(1, len(findings) + 1))


def has_come_back(one: Finding, story: Sequence[JudgedUplink]) -> None:
    """Asserts that the readings of ``story`` show the recovery that a finding says."""
    concern, limits = CONCERN_BY_NAME[one.concern], DEFAULT_BY_CONDITION[None, one.concern]
    (device,) = {one.evidence[-1].device_no}
    readings = sorted(
        (reading.observed_at, reading.value, record.device_type)
        for record in story
        for reading in record.readings
        if record.device_no == device and reading.vital == concern.vital.number
        and reading.observed_at <= one.observed_at
    )  # fmt: skip
    back = 0
    while back < len(readings) and limits.is_cleared(readings[-1 - back][1], concern.side):
        back += 1
    assert back
    is_asked = readings[-1][2] in SPOT_TYPES
    assert is_asked or one.observed_at - readings[-back][0] >= limits.clear_min * 60_000
    assert one.facts["value"] == readings[-1][1]


@given(stories())
def test_nothing_is_said_to_have_recovered_that_values_past_the_off_limit_do_not_show(
    story: list[JudgedUplink],
) -> None:
    for one in run(story):
        # Of NEWS2 see test_news2: its values are no readings.
        if not isinstance(one, Finding) or one.end_reason is not EndReason.RECOVERED or one.rule == "news2":
            continue
        has_come_back(one, story)


@given(stories())
def test_a_pause_comes_when_nothing_usable_has_come_for_the_longest_gap_and_names_the_last_value(
    story: list[JudgedUplink],
) -> None:
    gaps_min = {"glucose_low": {30, 240}, "glucose_high": {30, 240}, "temperature": {1440}}
    for one in run(story):
        if not isinstance(one, Finding) or one.end_reason is not EndReason.NO_DATA or one.rule == "news2":
            continue
        # Of several devices, the one of which something could be known for longest.
        gaps, vital = gaps_min.get(one.rule, {60}), CONCERN_BY_NAME[one.concern].vital.number
        measured = [reading.observed_at for record in story for reading in record.readings if reading.vital == vital]
        last = one.evidence[-1]
        assert one.observed_at in {at + 60_000 * gap for at in measured for gap in gaps}
        assert START <= last.observed_at <= one.observed_at - 60_000 * min(gaps)
        assert one.facts["value"] == last.value
        assert one.facts["minutes"] == (one.observed_at - last.observed_at) // 60_000


def test_a_pause_is_counted_from_the_value_that_it_names_though_its_device_has_become_clear() -> None:
    sensor = series("glucose", [(5 * n, 53) for n in range(4)])
    meter = series("glucose", [(10, 60), (16, 110)], device=77, device_type=GLUCOSE_METER.number)
    story = sorted([*sensor, *meter], key=lambda one: one.received_at)
    state = HomeState()
    run(story, state)
    (pause,) = [one for one in pass_time(state, HOME, minute(46) + 1) if isinstance(one, Finding)]
    assert (pause.observed_at, pause.facts["value"], pause.facts["minutes"]) == (minute(46), 110, 30)


@given(stories())
def test_nothing_falls_due_before_the_home_says_so(story: list[JudgedUplink]) -> None:
    """Else a pause, or a pressure that nobody confirms, would be noticed late, and sooner after a restart."""
    state = HomeState()
    for record in story:
        run([record], state)
        assert state.due_at <= min((one.due_at for one in state.subjects.values()), default=NEVER)


def test_what_waits_without_a_word_falls_due_in_time() -> None:
    """At minutes at which no hour of this person closes before."""
    doubt = HomeState()
    run(cuff((12, 90, 56)), doubt)
    assert doubt.due_at == minute(27) + 1

    resumed = HomeState()
    run(series("glucose", [(12 + 5 * n, 60) for n in range(4)]), resumed)
    assert [one for one in pass_time(resumed, HOME, minute(57) + 1) if isinstance(one, Finding)]
    assert run([uplink(50, 75, {"glucose": 60})], resumed) == []
    # It is looked at a few times for nothing, and in time.
    while resumed.due_at <= minute(105):
        assert not [one for one in pass_time(resumed, HOME, resumed.due_at) if isinstance(one, Finding)]
    assert resumed.due_at == minute(105) + 1


@given(stories())
def test_levels_of_an_episode_only_rise(story: list[JudgedUplink]) -> None:
    said = defaultdict(list)
    for one in run(story):
        if isinstance(one, Finding) and one.level:
            said[one.rule, one.concern, one.episode].append(one.level)
    assert all(before <= after for levels in said.values() for before, after in pairwise(levels))
