"""A slot that goes to somebody else: whose is what was stamped before, and for how long."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import MAX_RAW_BYTES, REBINDING_GRACE_MS
from schemas.reasons import NOT_SCORED, Flag, RejectionReason
from schemas.records import JudgedUplink
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice

HOUR = 3_600_000
CHANGED = 1_795_000_000_000
FOR_EVER = 2**53
FORMER, PRESENT = 1, 2
DAY_AFTER = CHANGED + REBINDING_GRACE_MS


def band(*people: BoundPerson, kind: str = "wearable_band") -> RegisteredDevice:
    kind_row = DEVICE_TYPE_BY_CODE[kind]
    return RegisteredDevice(device_no=7, device="band-7", home_no=1, shard=5, type=kind_row, people={1: people})


def had(person_no: int, from_ms: int = 0, to_ms: int = FOR_EVER) -> BoundPerson:
    return BoundPerson(person_no=person_no, home_no=1, from_ms=from_ms, to_ms=to_ms)


HANDED = band(had(FORMER, to_ms=CHANGED), had(PRESENT, from_ms=CHANGED))
RETURNED = band(had(FORMER, to_ms=CHANGED))


def judged(
    entry: RegisteredDevice,
    *,
    at: int,
    received_at: int,
    events: Sequence[dict[str, Any]] = (),
    retained: bool = False,
    **more: Any,
) -> JudgedUplink:
    """One pulse at ``at``, or ``events``."""
    body = {
        "epoch": 1, "seq": 0, "sent_at": received_at, "clock": "synced", "oldest": 0, "events": list(events),
        "readings": [{"vital": "heart_rate", "value": 70, "at": at, **more}] if not events else [],
    }  # fmt: skip
    payload = write_json(body)
    return judge(payload, device="band-7", entry=entry, shard=5, received_at=received_at, retained=retained)


def test_within_a_day_what_was_stamped_before_is_the_former_persons_flagged_and_unscored() -> None:
    for entry in (HANDED, RETURNED):
        for received_at in (CHANGED, CHANGED + HOUR, DAY_AFTER):
            (reading,) = judged(entry, at=CHANGED - 1, received_at=received_at).readings
            assert (reading.person_no, Flag(reading.flags)) == (FORMER, Flag.BEFORE_REBINDING)
            assert reading.flags & NOT_SCORED


def test_after_a_day_it_is_nobodys_and_can_be_assigned() -> None:
    for entry in (HANDED, RETURNED):
        uplink = judged(entry, at=CHANGED - 5, received_at=DAY_AFTER + 1, note="x" * 9000)
        (refused,) = uplink.rejections
        assert (uplink.readings, refused.reason, refused.field) == ((), RejectionReason.UNATTRIBUTED, "slot")
        assert (refused.observed_at, refused.flags) == (CHANGED - 5, 0)
        assert parse_json(refused.raw) == {"vital": "heart_rate", "value": 70, "at": CHANGED - 5}
        assert len(refused.raw) < MAX_RAW_BYTES


def test_whoever_has_it_now_is_scored_and_so_is_somebody_who_got_it_back() -> None:
    (reading,) = judged(HANDED, at=CHANGED, received_at=DAY_AFTER + HOUR).readings
    assert (reading.person_no, reading.flags) == (PRESENT, 0)
    back = band(had(FORMER, to_ms=CHANGED), had(FORMER, from_ms=CHANGED + HOUR))
    (reading,) = judged(back, at=CHANGED - 1, received_at=DAY_AFTER + HOUR).readings
    assert (reading.person_no, reading.flags) == (FORMER, 0)


def test_an_emergency_is_never_refused_for_it() -> None:
    sos = {"event": "sos_pressed", "at": CHANGED - 1}
    (event,) = judged(HANDED, at=0, received_at=CHANGED + HOUR, events=[sos]).events
    assert (event.person_no, Flag(event.flags)) == (FORMER, Flag.BEFORE_REBINDING)
    (event,) = judged(HANDED, at=0, received_at=DAY_AFTER + HOUR, events=[sos]).events
    assert (event.person_no, Flag(event.flags)) == (0, Flag.NOBODY)


def test_a_dose_event_of_nobody_keeps_what_it_takes_to_assign_it() -> None:
    dispenser = band(had(FORMER, to_ms=CHANGED), kind="pill_dispenser")
    lifted = {"event": "cup_lifted", "at": CHANGED - 9, "compartment": 3, "extra": "y"}
    (refused,) = judged(dispenser, at=0, received_at=DAY_AFTER + HOUR, events=[lifted]).rejections
    assert parse_json(refused.raw) == {"event": "cup_lifted", "at": CHANGED - 9, "compartment": 3}
    assert refused.observed_at == CHANGED - 9


@given(
    at=st.integers(min_value=CHANGED - 20 * 24 * HOUR, max_value=CHANGED + 20 * 24 * HOUR),
    late=st.integers(min_value=-119_000, max_value=9 * 24 * HOUR),
)
def test_a_reading_is_scored_for_whoever_has_the_slot_both_when_stamped_and_when_received(at: int, late: int) -> None:
    uplink = judged(HANDED, at=at, received_at=at + late)
    stamped = min(at, at + late)
    if (stamped < CHANGED) == (at + late < CHANGED):
        whose = FORMER if stamped < CHANGED else PRESENT
        assert [(one.person_no, one.flags) for one in uplink.readings] == [(whose, 0)]
    elif at + late <= DAY_AFTER:
        assert [(one.person_no, one.flags) for one in uplink.readings] == [(FORMER, Flag.BEFORE_REBINDING)]
    else:
        assert [one.reason for one in uplink.rejections] == [RejectionReason.UNATTRIBUTED]


def test_what_was_sent_with_the_retain_flag_says_so() -> None:
    (reading,) = judged(HANDED, at=CHANGED, received_at=CHANGED, retained=True).readings
    assert (reading.person_no, Flag(reading.flags)) == (PRESENT, Flag.RETAINED)
    assert not reading.flags & NOT_SCORED
