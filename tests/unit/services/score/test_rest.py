"""What counts as taken at rest because nothing says otherwise is said to be not known."""

from collections.abc import Sequence

import pytest

from schemas.alerts import Finding
from schemas.codec import parse_json, write_json
from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.home_state import HomeState
from tests.unit.services.score.story import run, series, uplink

RESTING, UNKNOWN = int(Flag.RESTING), "unknown"
FAST = [(float(n), 125.0) for n in range(12)]


def steps(*minutes: float, device: int = 11, count: float = 0) -> list[JudgedUplink]:
    return [uplink(500 + n, at, {"steps": count}, device=device) for n, at in enumerate(minutes)]


def found(records: Sequence[JudgedUplink]) -> Finding:
    """The first finding of records in the order of time."""
    effects = run(sorted(records, key=lambda one: one.received_at))
    return next(one for one in effects if isinstance(one, Finding))


@pytest.mark.parametrize(
    ("records", "rest"),
    [
        (series("heart_rate", FAST), UNKNOWN),
        (series("heart_rate", FAST, flags=RESTING), None),
        (series("heart_rate", FAST) + steps(5.5), None),
        (series("heart_rate", FAST) + steps(5), UNKNOWN),
        (series("heart_rate", FAST) + steps(9.5), None),
        (series("heart_rate", FAST) + steps(9.5, device=12), UNKNOWN),
        (series("heart_rate", FAST) + steps(0.5, 11), UNKNOWN),
        (series("spo2", [(n, 90) for n in range(6)]), UNKNOWN),
        (series("spo2", [(0, 90), (5, 90)], device_type=FINGER_OXIMETER.number), None),
        (series("respiratory_rate", [(5 * n, 27) for n in range(7)]), UNKNOWN),
        (series("glucose", [(5 * n, 60) for n in range(5)]), None),
        (series("heart_rate", [(n, 155) for n in range(12)], flags=int(Flag.MOVING)), None),
    ],
)
def test_a_finding_says_whether_rest_was_known(records: list[JudgedUplink], rest: str | None) -> None:
    one = found(records)
    assert one.facts.get("rest") == rest
    assert ("(whether at rest is not known)" in one.doctor_text) is (rest is not None)
    assert (
        " at rest" in one.doctor_text or one.rule not in {"heart_rate", "respiratory_rate"} or "moving" in one.message
    )


def test_an_end_says_it_too_and_a_pause_claims_no_rest() -> None:
    back = [(float(n), 80.0) for n in range(12, 24)]
    _, over = (one for one in run(series("heart_rate", [*FAST, *back])) if isinstance(one, Finding))
    assert over.doctor_text == "Heart rate back to 80 /min (whether at rest is not known)."
    _, pause = (one for one in run(series("heart_rate", [*FAST, (90, 80)])) if isinstance(one, Finding))
    assert "rest" not in pause.facts


def test_a_finding_is_the_same_one_whether_rest_was_known_or_not() -> None:
    unknown, known = found(series("heart_rate", FAST)), found(series("heart_rate", FAST, flags=RESTING))
    assert unknown.finding_id == known.finding_id
    assert known.doctor_text == "Heart rate above 120 /min at rest for 10 min; 125 /min at last."


def test_it_is_known_after_a_restart_as_well() -> None:
    records = sorted([*series("heart_rate", FAST), *steps(1, 5.5)], key=lambda one: one.received_at)
    state = HomeState()
    run(records[:10], state)
    loaded = HomeState.from_plain(parse_json(write_json(state.to_plain())))
    (one,) = (one for one in run(records[10:], loaded) if isinstance(one, Finding))
    assert "rest" not in one.facts
