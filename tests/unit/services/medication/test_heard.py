"""Whether a dispenser was heard well enough to say that a dose was not taken."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.doses import DoseState
from services.medication.core import Heard, hear
from services.medication.machine import Dose
from tests.unit.services.medication.dose_world import at, doses_of, event, heard_often, only, said, seen

MINUTE = timedelta(minutes=1)


def judged_from(dose: Dose, heard_at: datetime, watermark: datetime) -> datetime | None:
    return hear(dose, Heard(heard_at), watermark, MINUTE).judged_from


def test_a_dispenser_that_was_away_has_some_minutes_to_send_what_it_kept() -> None:
    away = only(seen(doses_of(time(8), critical=True), now=at(9), heard=at(7, 10)))
    back = only(seen([away], now=at(11), heard=at(11)))

    assert (back.state, back.judged_from) == (DoseState.UNKNOWN, at(11, 2))
    assert said(seen([back], now=at(11, 1), heard=at(11, 1))) == []
    judged = seen([back], now=at(11, 2), heard=at(11, 2))
    assert said(judged) == [(2, "missed_dose.time_critical")]
    assert only(judged).state is DoseState.REMINDED


def test_a_dispenser_that_is_heard_all_the_time_is_believed_at_once() -> None:
    (dose,) = heard_often(doses_of(time(8), critical=True), at(8, 20))

    assert judged_from(dose, at(8, 31), at(8, 31)) == at(8, 31)
    assert judged_from(dose, at(8, 29), at(8, 31)) is None
    # Away for longer than between two reports: what was taken may come right behind the first one.
    assert judged_from(dose, at(8, 35), at(8, 35)) == at(8, 35)
    assert judged_from(dose, at(8, 36), at(8, 36)) == at(8, 38)
    assert judged_from(replace(dose, heard_at=None), at(8, 31), at(8, 31)) == at(8, 33)


def test_a_dispenser_that_was_not_heard_lately_at_the_cut_off_leaves_its_dose_unknown() -> None:
    raised = seen(heard_often(doses_of(time(8), critical=True), at(8, 20)), now=at(8, 31)).doses
    # At the very cut-off it can still be taken: to be heard since the window is enough.
    assert only(seen(raised, now=at(20), heard=at(19))).state is DoseState.REMINDED
    unknown = only(seen(raised, now=at(20, 1), heard=at(19)))
    assert (unknown.state, unknown.unknown_since) == (DoseState.UNKNOWN, at(20))
    lately = only(seen(raised, now=at(20, 1), heard=at(19, 30)))
    assert lately.state is DoseState.MISSED
    back = only(seen([unknown], now=at(22), heard=at(22)))
    assert back.state is DoseState.UNKNOWN
    assert said(seen([back], now=at(22, 3), heard=at(22, 3))) == [(0, "missed_dose.missed")]


def test_while_an_uplink_is_missing_a_dose_is_unknown_and_nothing_is_said() -> None:
    doses = heard_often(doses_of(time(8), critical=True), at(8, 20))
    lacking = seen(doses, now=at(8, 31), lacks=True)

    assert said(lacking) == []
    assert (only(lacking).state, only(lacking).unknown_since) == (DoseState.UNKNOWN, at(8, 30))
    # It comes, and it was the taking.
    taken = seen(lacking.doses, event(at(8, 25)), now=at(8, 33))
    assert (said(taken), only(taken).state) == ([], DoseState.TAKEN)
    # It comes, and it was something else.
    assert said(seen(lacking.doses, now=at(8, 33))) == [(2, "missed_dose.time_critical")]


def test_an_uplink_that_never_comes_keeps_nothing_from_the_doctor_for_longer_than_a_quarter_hour() -> None:
    doses = heard_often(doses_of(time(8), critical=True), at(8, 20))
    lacking = seen(doses, now=at(8, 44), lacks=True)

    assert said(lacking) == []
    late = seen(lacking.doses, now=at(8, 45), lacks=True)
    assert said(late) == [(2, "missed_dose.time_critical")]
    # So too of a dispenser that falls silent meanwhile.
    silent = seen(lacking.doses, now=at(8, 45), heard=at(8, 34), lacks=True)
    assert said(silent) == [(2, "missed_dose.time_critical")]
    # Said is said: an uplink that is missing later changes nothing until the cut-off.
    assert said(seen(late.doses, now=at(8, 50), lacks=True)) == []
    assert only(seen(late.doses, now=at(8, 50), lacks=True)).state is DoseState.REMINDED


def test_where_devices_send_again_seldom_it_is_waited_for_three_times_that() -> None:
    (dose,) = heard_often(doses_of(time(8), critical=True), at(8, 20))
    lacks = Heard(at(8, 59), is_whole=False)

    assert hear(dose, lacks, at(8, 59), 10 * MINUTE).judged_from is None
    assert hear(dose, Heard(at(9), is_whole=False), at(9), 10 * MINUTE).judged_from is not None
    # And whoever was away has at least one resend.
    assert hear(dose, Heard(at(8, 50)), at(8, 50), 10 * MINUTE).judged_from == at(8, 50)
    assert hear(dose, Heard(at(8, 51)), at(8, 51), 10 * MINUTE).judged_from == at(9, 1)


def test_what_is_missing_at_the_cut_off_is_waited_for_once_more() -> None:
    raised = seen(heard_often(doses_of(time(8), critical=True), at(8, 20)), now=at(8, 31)).doses
    lacking = seen(raised, now=at(20, 1), heard=at(20, 1), lacks=True)

    assert said(lacking) == []
    assert (only(lacking).state, only(lacking).unknown_since) == (DoseState.UNKNOWN, at(20))
    assert only(seen(lacking.doses, now=at(20, 18), lacks=True)).judged_from is not None


@given(st.integers(1, 90), st.integers(0, 20))
def test_a_missing_uplink_never_makes_anything_be_said_sooner(after_min: int, resend_min: int) -> None:
    (dose,) = heard_often(doses_of(time(8), critical=True), at(8, 20))
    now = at(8, 30) + after_min * MINUTE
    whole, lacks = (hear(dose, Heard(now, is_whole=one), now, resend_min * MINUTE) for one in (True, False))

    assert whole.judged_from is not None
    assert lacks.judged_from is None or lacks.judged_from >= whole.judged_from
