"""Readings that another unit or a room-mate explains: kept from the rules, unless they may call for help."""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Finding, Severity
from schemas.asks import AskKind
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.limits import Condition
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score import core
from services.score.asks import Ask
from services.score.core import pass_time, step
from services.score.followups import DoubtedMeasurement, Effect, Tally
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, LimitBook, PersonCondition
from services.score.limit_book import NEVER as FOREVER
from services.score.models.own_band import MOST_IN_A_ROW, Reason
from services.score.residences import Residence, Residences
from services.score.rule import MINUTE_MS
from tests.unit.services.score.story import HOME, PERSON, minute, uplink

_MATE: Final = 8
_DAY: Final = 24 * 60
_DAYS: Final = 12
NOW: Final = _DAYS * _DAY
_HEART_FAILURE: Final = LimitBook(
    conditions=[
        PersonCondition(person_no=PERSON, condition=Condition.HEART_FAILURE, valid_from=ALWAYS, valid_to=FOREVER)
    ]
)
_TYPES: Final = {"scale": 21, "pressure_cuff": 22, "glucose_meter": 23, "finger_oximeter": 24, "thermometer": 25}


def used(
    seq: int, at: float, device: str, values: Mapping[str, float], person: int = PERSON, flags: int = 0
) -> JudgedUplink:
    return uplink(
        seq,
        at,
        values,
        person=person,
        device=_TYPES[device],
        device_type=DEVICE_TYPE_BY_CODE[device].number,
        flags=flags,
    )


def lived(
    device: str, mine: Mapping[str, float], theirs: Mapping[str, float], limits: LimitBook | None = None
) -> HomeState:
    """A home in which two people have used a device each day; every fourth value is a little higher."""
    state = HomeState(limits=limits) if limits else HomeState()
    for day in range(_DAYS):
        for place, (person, values) in enumerate(((PERSON, mine), (_MATE, theirs))):
            shown = {code: value * (1 + 0.005 * (day % 4)) for code, value in values.items()}
            step(state, used(2 * day + place, day * _DAY + place, device, shown, person), Tally())
    return state


def _scales(mine: float = 80, theirs: float = 62, limits: LimitBook | None = None) -> HomeState:
    return lived("scale", {"weight": mine}, {"weight": theirs}, limits)


def doubted_in(effects: Sequence[Effect]) -> list[DoubtedMeasurement]:
    return [one for one in effects if isinstance(one, DoubtedMeasurement)]


def come(
    state: HomeState, device: str, values: Mapping[str, float], *, at: float = NOW, seq: int = 900, flags: int = 0
) -> list[Effect]:
    return step(state, used(seq, at, device, values, flags=flags), Tally())


def test_a_room_mates_weight_is_held_and_asked_about() -> None:
    state = _scales(limits=_HEART_FAILURE)
    effects = come(state, "scale", {"weight": 62.4})
    (doubted,) = doubted_in(effects)
    assert (doubted.is_held, doubted.doubt.reason, doubted.doubt.person_no) == (True, Reason.PERSON, _MATE)
    assert [one.kind for one in effects if isinstance(one, Ask)] == [AskKind.WHO_WAS_MEASURED]
    assert doubted.subject.person_no == PERSON
    assert [one.value for one in doubted.samples] == [62.4]


def _moved_out(at: float) -> LimitBook:
    """The room-mate lives elsewhere from ``at`` on, in minutes."""
    homes = [(HOME, ALWAYS, minute(at)), (HOME + 1, minute(at), FOREVER)]
    return LimitBook(residences=Residences(Residence(_MATE, *one) for one in homes))


@pytest.mark.parametrize(("ahead_min", "is_held"), [(0, False), (-1, False), (1, True), (_DAY, True)])
def test_only_who_lives_there_when_it_is_measured_explains_it(ahead_min: float, is_held: bool) -> None:  # noqa: FBT001
    doubted = doubted_in(come(_scales(limits=_moved_out(NOW + ahead_min)), "scale", {"weight": 62.4}))
    assert [one.is_held for one in doubted] == [True] * is_held


def test_what_was_measured_before_somebody_moved_out_may_be_theirs_though_it_comes_later() -> None:
    late = used(900, NOW, "scale", {"weight": 62.4})._replace(received_at=minute(NOW + 120))
    (doubted,) = doubted_in(step(_scales(limits=_moved_out(NOW + 60)), late, Tally()))
    assert doubted.doubt.person_no == _MATE


def test_of_a_stamp_ahead_of_its_reception_what_was_known_then_decides() -> None:
    early = used(900, NOW, "scale", {"weight": 62.4})._replace(received_at=minute(NOW - 1))
    assert doubted_in(step(_scales(limits=_moved_out(NOW)), early, Tally()))


def test_pounds_need_nobody_else() -> None:
    assert doubted_in(come(_scales(limits=_moved_out(0)), "scale", {"weight": 176.6}))[0].doubt.reason is Reason.UNIT


def test_a_weight_in_pounds_is_held_and_moves_no_rule() -> None:
    state, undisturbed = _scales(limits=_HEART_FAILURE), _scales(limits=_HEART_FAILURE)
    (doubted,) = doubted_in(come(state, "scale", {"weight": 176.6}))
    assert (doubted.is_held, doubted.doubt.unit) == (True, "[lb_av]")
    pass_time(undisturbed, HOME, minute(NOW))
    rules, others = (one.subject(PERSON).to_plain()["rules"] for one in (state, undisturbed))
    assert rules == others
    assert state.subject(PERSON).recent.to_plain() == undisturbed.subject(PERSON).recent.to_plain()


def test_of_two_values_of_one_moment_neither_is_held() -> None:
    def both(state: HomeState, device: str, code: str, *values: float) -> list[Effect]:
        record = used(900, NOW, device, {code: values[0]})
        (one,) = record.readings
        readings = tuple(one._replace(item=item, value=value) for item, value in enumerate(values))
        return step(state, record._replace(readings=readings), Tally())

    assert doubted_in(both(_scales(), "scale", "weight", 62.4))[0].is_held
    assert not doubted_in(both(_scales(), "scale", "weight", 62.4, 80.2))
    meter = lived("glucose_meter", {"glucose": 105}, {"glucose": 190})
    effects = both(meter, "glucose_meter", "glucose", 45, 190)
    assert not doubted_in(effects)
    assert max(found.severity for found in effects if isinstance(found, Finding)) is Severity.HIGH


@pytest.mark.parametrize("value", [11.5, 13.2, 30.1])
def test_a_glucose_in_mmol_is_scored_at_once_and_asked_about(value: float) -> None:
    state = lived("glucose_meter", {"glucose": 230}, {"glucose": 120})
    effects = come(state, "glucose_meter", {"glucose": value})
    (doubted,) = doubted_in(effects)
    assert (doubted.is_held, doubted.doubt.unit) == (False, "mmol/L")
    assert max(one.severity for one in effects if isinstance(one, Finding)) is Severity.HIGH
    assert AskKind.WHO_WAS_MEASURED in [one.kind for one in effects if isinstance(one, Ask)]


@pytest.mark.parametrize("value", [45, 400, 590])
def test_an_extreme_glucose_that_nothing_else_explains_is_scored(value: float) -> None:
    state = lived("glucose_meter", {"glucose": 120}, {"glucose": 125})
    assert doubted_in(come(state, "glucose_meter", {"glucose": value})) == []


def test_what_is_worn_and_what_is_not_scored_is_not_judged() -> None:
    state = _scales()
    assert doubted_in(come(state, "scale", {"weight": 62.4}, flags=int(Flag.POOR_QUALITY))) == []
    assert doubted_in(step(state, uplink(901, NOW, {"weight": 62.4}), Tally())) == []
    assert doubted_in(come(state, "scale", {"weight": 62.4}, seq=902))


def test_nothing_begins_of_somebody_whose_readings_are_not_scored_here() -> None:
    state = _scales()
    step(state, used(904, NOW, "scale", {"weight": 70}, person=99, flags=int(Flag.OTHER_HOME)), Tally())
    assert 99 not in state.subjects


def test_somebody_who_lives_alone_has_no_room_mate_and_nobody_is_asked_late() -> None:
    state = _scales(theirs=95)
    assert doubted_in(come(state, "scale", {"weight": 62.4})) == []
    effects = step(
        _scales(), uplink(
            903, NOW - 60, {"weight": 62.4}, device=_TYPES["scale"],
            device_type=DEVICE_TYPE_BY_CODE["scale"].number, received=NOW,
        ), Tally(),
    )  # fmt: skip
    assert doubted_in(effects)
    assert not any(isinstance(one, Ask) for one in effects)


def test_after_some_in_a_row_the_next_is_scored_and_still_asked_about() -> None:
    state = _scales()
    held = [
        doubted_in(come(state, "scale", {"weight": 62.4}, at=NOW + day * _DAY, seq=900 + day))[0].is_held
        for day in range(MOST_IN_A_ROW + 1)
    ]
    assert held == [True] * MOST_IN_A_ROW + [False]


def test_what_wore_out_is_not_asked_about_again() -> None:
    state = _scales()
    came = [
        len(doubted_in(come(state, "scale", {"weight": 62.4}, at=NOW + day * _DAY, seq=900 + day)))
        for day in range(MOST_IN_A_ROW + 5)
    ]
    assert came == [1] * (MOST_IN_A_ROW + 1) + [0] * 4


def _say(state: HomeState, seq: int, at: float, mine: str) -> None:
    step(state, uplink(seq, at, events=["check_in_answered"], details={"mine": mine}), Tally())


@pytest.mark.parametrize(("mine", "asked_again"), [("yes", False), ("no", True), ("unclear", True)])
def test_a_reading_that_is_theirs_by_their_own_word_is_not_asked_about_again(mine: str, *, asked_again: bool) -> None:
    state = _scales()
    assert doubted_in(come(state, "scale", {"weight": 62.4}))
    _say(state, 950, NOW + 1, mine)
    state = HomeState.from_plain(state.to_plain())
    assert bool(doubted_in(come(state, "scale", {"weight": 62.2}, at=NOW + _DAY, seq=901))) is asked_again
    # Whatever is unlike it is doubted as before.
    assert doubted_in(come(state, "scale", {"weight": 176.6}, at=NOW + _DAY + 20, seq=902))


def test_a_held_reading_again_under_a_new_epoch_is_not_one_more_in_a_row() -> None:
    state = _scales()
    for again in range(2 * MOST_IN_A_ROW):
        record = used(900, NOW, "scale", {"weight": 62.4})._replace(epoch=50 + again)
        assert [one.is_held for one in doubted_in(step(state, record, Tally()))] == [True]
    assert doubted_in(come(state, "scale", {"weight": 62.4}, at=NOW + _DAY, seq=901))[0].is_held


def test_what_was_scored_is_not_held_when_it_comes_again_and_a_room_mate_explains_it_by_now() -> None:
    state = HomeState()
    for day in range(_DAYS):
        step(state, used(day, day * _DAY, "scale", {"weight": 80 * (1 + 0.005 * (day % 4))}), Tally())
    assert doubted_in(come(state, "scale", {"weight": 62.4})) == []
    step(state, used(901, NOW + 1, "scale", {"weight": 80.2}), Tally())
    for day in range(_DAYS):
        step(state, used(902 + day, NOW + day * _DAY + 2, "scale", {"weight": 62 + day % 3 / 5}, _MATE), Tally())
    again = used(900, NOW, "scale", {"weight": 62.4})._replace(epoch=77)
    assert doubted_in(step(state, again, Tally())) == []


def test_the_same_uplink_again_says_nothing_and_a_restart_changes_nothing() -> None:
    state = _scales()
    again = HomeState.from_plain(state.to_plain())
    first = come(state, "scale", {"weight": 62.4})
    assert come(state, "scale", {"weight": 62.4}) == []
    second = come(again, "scale", {"weight": 62.4})
    assert doubted_in(first) == doubted_in(second)
    assert state.to_plain() == again.to_plain()
    (doubted,) = doubted_in(first)
    assert len({doubted.id_of(one) for one in doubted.samples}) == len(doubted.samples)


def test_a_state_of_before_there_were_bands_is_read() -> None:
    plain = _scales().to_plain()
    for one in plain["subjects"].values():
        one.pop("bands")
    assert HomeState.from_plain(plain).subject(PERSON).bands.values == {}


_VALUES = st.one_of(
    # Those of the room-mate, and pounds: most draws are held only if these are among them.
    st.tuples(st.just("scale"), st.fixed_dictionaries({"weight": st.sampled_from([61.8, 62.6, 176.4, 36.3])})),
    st.tuples(
        st.just("pressure_cuff"),
        st.fixed_dictionaries(
            {"systolic": st.integers(145, 158), "diastolic": st.integers(88, 97)},
            optional={"heart_rate": st.integers(48, 94)},
        ),
    ),
    st.tuples(st.just("glucose_meter"), st.fixed_dictionaries({"glucose": st.floats(10, 600)})),
    st.tuples(st.just("scale"), st.fixed_dictionaries({"weight": st.floats(20, 300)})),
    st.tuples(
        st.just("pressure_cuff"),
        st.fixed_dictionaries(
            {"systolic": st.integers(70, 230), "diastolic": st.integers(40, 130)},
            optional={"heart_rate": st.integers(35, 150)},
        ),
    ),
    st.tuples(
        st.just("finger_oximeter"),
        st.fixed_dictionaries({"spo2": st.integers(80, 100), "heart_rate": st.integers(35, 150)}),
    ),
    st.tuples(st.just("thermometer"), st.fixed_dictionaries({"body_temperature": st.floats(33, 41)})),
)


def _both() -> HomeState:
    """Two people unlike in all that they share."""
    state = HomeState(limits=_HEART_FAILURE)
    for day in range(_DAYS):
        wave = 1 + 0.01 * (day % 4)
        for place, (person, weight, glucose, pressure) in enumerate(
            ((PERSON, 80, 220, (120, 72)), (_MATE, 62, 110, (150, 92)))
        ):
            seq, at = 2 * day + place, day * _DAY + 10 * place
            step(state, used(seq, at, "scale", {"weight": weight * wave}, person), Tally())
            step(state, used(seq, at + 1, "glucose_meter", {"glucose": glucose * wave}, person), Tally())
            step(
                state,
                used(
                    seq,
                    at + 2,
                    "pressure_cuff",
                    {"systolic": pressure[0] * wave, "diastolic": pressure[1] * wave},
                    person,
                ),
                Tally(),
            )
    return state


_BOTH: Final = _both().to_plain()


def _highs(effects: Sequence[Effect]) -> set[str]:
    return {one.concern for one in effects if isinstance(one, Finding) and one.severity >= Severity.HIGH}


@settings(max_examples=60)
@given(story=st.lists(st.tuples(st.integers(1, 90), _VALUES), min_size=1, max_size=8))
def test_nothing_is_held_that_would_start_a_high(
    story: list[tuple[int, tuple[str, dict[str, float]]]],
) -> None:
    """Whatever came before: with the measurement scored, no HIGH follows that does not follow without it."""
    state, at = HomeState.from_plain(_BOTH, limits=_HEART_FAILURE), float(NOW)
    for seq, (gap, (device, values)) in enumerate(story, 900):
        at += gap
        record = used(seq, at, device, values)
        before = state.to_plain()
        effects = step(state, record, Tally())
        if not any(one.is_held for one in doubted_in(effects)):
            continue
        scored = HomeState.from_plain(before, limits=_HEART_FAILURE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(core, "hold_back", lambda _state, one: (one, ()))
            without = step(scored, record, Tally())
        later = record.received_at + 16 * MINUTE_MS
        without += pass_time(scored, HOME, later)
        held = HomeState.from_plain(state.to_plain(), limits=_HEART_FAILURE)
        assert _highs(without) <= _highs([*effects, *pass_time(held, HOME, later)])


_ACTS: Final = st.lists(
    st.tuples(
        st.sampled_from(["weigh", "weigh", "weigh", "again", "restart", "yes", "no"]),
        st.sampled_from([80.2, 81.0, 62.2, 62.6, 176.6, 71.0]),
        st.integers(2, 900),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(acts=_ACTS)
def test_every_reading_is_either_scored_or_held_whatever_comes_again_is_answered_or_restarts(
    acts: list[tuple[str, float, int]],
) -> None:
    """Until its person says that it is theirs; then it may be scored, and a look back scores what waits."""
    state, at, seq, epoch, newest = _scales(), NOW, 900, 50, 80.2
    held: set[int] = set()
    scored: set[int] = set()
    for act, value, gap in acts:
        seq += 1
        if act == "restart":
            state = HomeState.from_plain(state.to_plain())
        elif act in {"yes", "no"}:
            _say(state, seq, at + 1, act)
            held -= {minute(at)} if act == "yes" else set()
        else:
            if act == "weigh":
                at, newest = at + gap, value
            else:
                epoch += 1
            record = used(seq, at, "scale", {"weight": newest})._replace(epoch=epoch)
            is_held = any(one.is_held for one in doubted_in(step(state, record, Tally())))
            (held if is_held else scored).add(minute(at))
        assert not held & scored
        window = {one.at for some in state.subject(PERSON).window.samples.values() for one in some}
        assert not held & window
