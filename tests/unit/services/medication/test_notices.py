"""What a caregiver reads of a dose that was not taken by the end of its window."""

from datetime import UTC, datetime
from uuid import UUID

from schemas.alerts import Message
from services.medication.notices import OpenDose, notice_of
from services.sentences.catalogue import ENGLISH, Reader

DOSE = OpenDose(
    dose_id=UUID(int=5),
    person_no=1,
    home_no=4,
    drug="Levodopa",
    strength="100 mg",
    due_at=datetime(2026, 6, 1, 18, tzinfo=UTC),
    closes_at=datetime(2026, 6, 1, 18, 30, tzinfo=UTC),
    zone="Europe/Berlin",
)


def test_it_says_when_it_was_due_at_home_and_names_no_medicine() -> None:
    notice = notice_of(DOSE)

    assert notice.caregiver_text == "The dose due at 20:00 was not taken by 20:30."
    assert (notice.dose_id, notice.person_no, notice.home_no, notice.at) == (DOSE.dose_id, 1, 4, DOSE.closes_at)


def test_it_can_be_said_again_from_its_facts_to_others_too() -> None:
    notice = notice_of(DOSE)
    message = Message(notice.message, notice.facts)

    assert ENGLISH.say(message, Reader.CAREGIVER) == notice.caregiver_text
    assert "Levodopa 100 mg" in ENGLISH.say(message, Reader.DOCTOR)


def test_a_strength_that_is_not_known_leaves_no_blank() -> None:
    assert notice_of(DOSE._replace(strength="")).facts["drug"] == "Levodopa"
