"""Each cause by the facts that show it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import Flag, RejectionReason
from schemas.vitals import HEART_RATE, SPO2
from services.cli.why import (
    BoundDevice,
    Cause,
    Facts,
    OpenAlert,
    Reading,
    Recipient,
    Rejections,
    causes_of,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BAND = BoundDevice(
    device="band-1",
    device_type="wearable_band",
    slot=1,
    from_at=NOW - timedelta(days=9),
    until_at=None,
    removed_at=None,
    has_credential=True,
    suspended_at=None,
    heard_at=NOW - MINUTE,
)


def readings(vital: int, value: float, *, number: int = 60, flags: int = 0) -> list[Reading]:
    times = [NOW - MINUTE * (number - one) for one in range(number)]
    return [Reading(vital, at, at, value, flags) for at in times]


def facts(**changed: Any) -> Facts:
    """Of a person who is well, in a home that sends, with a doctor."""
    pulse = readings(HEART_RATE.number, 72)
    well = Facts(
        now=NOW,
        rate=1.0,
        checks_devices=True,
        watermark=NOW - timedelta(seconds=2),
        devices=[BAND],
        home_devices=2,
        home_heard_at=NOW - MINUTE,
        recent=pulse,
        last=pulse[-1:],
        rejections=[],
        throttled=[],
        recipients=[Recipient(email="doctor@example.org", channel="email", works=True)],
        alerts=[],
    )
    return replace(well, **changed)


def rejected(reason: RejectionReason, field: str = "") -> list[Rejections]:
    return [Rejections("band-1", reason, 7, NOW - MINUTE, field)]


def alert(**changed: Any) -> OpenAlert:
    opened = OpenAlert("sos", "open", NOW - MINUTE * 20, None, NOW - MINUTE * 19, 0, 0)
    return opened._replace(**changed)


CASES: dict[str, tuple[Facts, Cause]] = {
    "a quiet day": (facts(), Cause.WITHIN_LIMITS),
    "no device": (facts(devices=[]), Cause.NO_DEVICE),
    "a device that was given to somebody else": (
        facts(devices=[BAND._replace(until_at=NOW - MINUTE)]), Cause.NO_DEVICE),
    "a binding that has not begun": (facts(devices=[BAND._replace(from_at=NOW + MINUTE)]), Cause.NOT_YET_BOUND),
    "a suspended device": (facts(devices=[BAND._replace(suspended_at=NOW - MINUTE)]), Cause.SUSPENDED),
    "a device without a secret": (
        facts(devices=[BAND._replace(has_credential=False, heard_at=None)]), Cause.NO_CREDENTIAL),
    "a silent device": (facts(devices=[BAND._replace(heard_at=NOW - timedelta(hours=5))]), Cause.SILENT_DEVICE),
    "a silent gateway": (
        facts(devices=[BAND._replace(heard_at=NOW - timedelta(hours=5))], home_heard_at=NOW - timedelta(hours=4)),
        Cause.SILENT_HOME),
    "a wrong unit": (facts(rejections=rejected(RejectionReason.UNKNOWN_UNIT, "unit")), Cause.WRONG_UNIT),
    "a clock in the future": (facts(rejections=rejected(RejectionReason.IN_THE_FUTURE, "at")), Cause.WRONG_CLOCK),
    "a payload that is no JSON": (facts(rejections=rejected(RejectionReason.UNREADABLE)), Cause.WRONG_FORM),
    "readings of nobody's time": (
        facts(rejections=rejected(RejectionReason.UNATTRIBUTED)), Cause.NOT_OF_THIS_PERSON),
    "a value of no living person": (facts(rejections=rejected(RejectionReason.OUT_OF_RANGE)), Cause.REJECTED),
    "a flood": (facts(throttled=[("band-1", 4000)]), Cause.THROTTLED),
    "a poor fit": (
        facts(recent=readings(SPO2.number, 80, flags=Flag.POOR_QUALITY)), Cause.NOT_SCORED),
    "nothing measured": (facts(recent=[], last=[]), Cause.NO_READINGS),
    "an alert that is open": (facts(alerts=[alert()]), Cause.ALERT_IS_OPEN),
    "an alert that somebody has acknowledged": (
        facts(alerts=[alert(state="acknowledged", acknowledged_at=NOW - MINUTE)]), Cause.ACKNOWLEDGED),
    "a mail that was refused": (facts(alerts=[alert(failed=1)]), Cause.NOT_DELIVERED),
    "no doctor": (facts(recipients=[]), Cause.NO_RECIPIENT),
    "a doctor without an address": (
        facts(recipients=[Recipient(email="doctor@example.org", channel=None, works=False)]), Cause.NO_RECIPIENT),
    "an address on a channel that is not there": (
        facts(recipients=[Recipient(email="doctor@example.org", channel="pigeon", works=False)]), Cause.NO_RECIPIENT),
    "a platform that stands still": (facts(watermark=NOW - timedelta(minutes=5)), Cause.NOTHING_COMES_THROUGH),
    "a platform that never ran": (facts(watermark=None), Cause.NOTHING_COMES_THROUGH),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_named(case: str) -> None:
    known, cause = CASES[case]
    assert cause in {one.cause for one in causes_of(known)}


@pytest.mark.parametrize("case", CASES)
def test_nothing_else_is_named_but_that_the_readings_are_in_order(case: str) -> None:
    known, cause = CASES[case]
    assert {one.cause for one in causes_of(known)} - {Cause.WITHIN_LIMITS} <= {cause, Cause.ALERT_IS_OPEN}


def test_what_quiet_hours_hold_is_said_with_the_alert() -> None:
    (said,) = [
        one for one in causes_of(facts(alerts=[alert(sent_at=None, held=1)])) if one.cause is Cause.ALERT_IS_OPEN
    ]
    assert said.text.endswith("nobody was notified yet; quiet hours hold 1.")


def test_every_cause_has_its_case() -> None:
    assert {cause for _, cause in CASES.values()} == set(Cause)


def test_what_a_rule_reports_is_not_called_within_limits() -> None:
    low = readings(SPO2.number, 85)
    assert Cause.WITHIN_LIMITS not in {one.cause for one in causes_of(facts(recent=low, last=low[-1:]))}


def test_low_values_while_somebody_moves_are_within_the_rule_of_rest() -> None:
    moving = readings(SPO2.number, 89, flags=Flag.MOVING)
    assert Cause.WITHIN_LIMITS in {one.cause for one in causes_of(facts(recent=moving, last=moving[-1:]))}


def test_a_quiet_device_of_which_another_in_the_home_is_heard_is_no_silent_gateway() -> None:
    quiet = facts(devices=[BAND._replace(heard_at=NOW - timedelta(hours=5))])
    assert Cause.SILENT_HOME not in {one.cause for one in causes_of(quiet)}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "band-1 was heard 5 h ago."),
        ({"offline_at": NOW - timedelta(hours=4)}, "band-1 was heard 5 h ago, and lost its connection 4 h ago."),
        (
            {"offline_at": NOW - timedelta(hours=4), "leaving": True},
            "band-1 was heard 5 h ago, and said good-bye 4 h ago.",
        ),
        ({"offline_at": NOW - timedelta(hours=6)}, "band-1 was heard 5 h ago."),
    ],
)
def test_a_quiet_device_is_named_with_how_its_connection_ended(changed: dict[str, Any], said: str) -> None:
    quiet = facts(devices=[BAND._replace(heard_at=NOW - timedelta(hours=5), **changed)])
    assert [one.text for one in causes_of(quiet) if one.cause is Cause.SILENT_DEVICE] == [said]


def test_on_a_broker_that_checks_nobody_no_secret_is_missed() -> None:
    bare = facts(devices=[BAND._replace(has_credential=False, heard_at=None)], checks_devices=False)
    assert Cause.NO_CREDENTIAL not in {one.cause for one in causes_of(bare)}


def test_a_fast_clock_stands_still_later() -> None:
    behind = NOW - timedelta(minutes=5)
    assert Cause.NOTHING_COMES_THROUGH not in {one.cause for one in causes_of(facts(watermark=behind, rate=60.0))}


@given(
    heard_s=st.none() | st.integers(0, 10**7),
    home_s=st.none() | st.integers(0, 10**7),
    until_s=st.none() | st.integers(-(10**6), 10**6),
    from_s=st.integers(-(10**6), 10**6),
)
def test_whatever_the_times_are_it_says_something_and_never_of_the_future(
    heard_s: int | None, home_s: int | None, until_s: int | None, from_s: int
) -> None:
    def before(seconds: int | None) -> datetime | None:
        return None if seconds is None else NOW - timedelta(seconds=seconds)

    device = BAND._replace(from_at=NOW - timedelta(seconds=from_s), until_at=before(until_s), heard_at=before(heard_s))
    said = causes_of(facts(devices=[device], home_heard_at=before(home_s)))
    assert said
    assert not any(" -" in one.text for one in said)


def test_a_last_reading_that_nobody_is_shown_is_marked() -> None:
    (usual,), (poor,) = (readings(SPO2.number, 71, number=1, flags=flags) for flags in (Flag.MOVING, Flag.POOR_QUALITY))
    assert (usual.marks, poor.marks) == ("", "poor quality")
    (both,) = readings(SPO2.number, 71, number=1, flags=Flag.JUMPED | Flag.OTHER_HOME | Flag.CLIPPED)
    assert both.marks == "jumped, other home"
