"""What a caregiver is to know of a dose that is open at the end of its window, and the rows that say so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.alerts import Message
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries, transaction
from services.sentences.catalogue import ENGLISH, Reader

MESSAGES: Final = ("dose_notice.open",)
LATEST_NOTICE_MIN: Final = 12 * 60
"""A window that closed longer ago is no news to anybody any more (ours; as old as a finding may be)."""


class OpenDose(NamedTuple):
    """A scheduled dose that was not taken when its window closed, though its dispenser has been heard since."""

    dose_id: UUID
    person_no: int
    home_no: int
    drug: str
    strength: str
    due_at: datetime
    closes_at: datetime
    zone: str


class Notice(NamedTuple):
    """A row of caregiver_notices. ``at``: the end of the window. Its text names no medicine: channels are not ours."""

    person_no: int
    home_no: int
    dose_id: UUID
    at: datetime
    message: str
    facts: dict[str, str | int | float]
    caregiver_text: str


def notice_of(dose: OpenDose) -> Notice:
    """What is said of ``dose``, in English; its message and facts say it in any language."""
    zone = ZoneInfo(dose.zone)
    facts: dict[str, str | int | float] = {
        "drug": f"{dose.drug} {dose.strength}".rstrip(),
        "due": f"{dose.due_at.astimezone(zone):%H:%M}",
        "by": f"{dose.closes_at.astimezone(zone):%H:%M}",
    }
    (key,) = MESSAGES
    text = ENGLISH.say(Message(key, facts), Reader.CAREGIVER)
    return Notice(dose.person_no, dose.home_no, dose.dose_id, dose.closes_at, key, facts, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBoard:
    """Writes the notices. A crash before the commit writes none; afterwards no dose has two."""

    pool: Pool
    sql: Queries
    clock: Clock

    async def write(self, settled_through: datetime) -> int:
        """For each window that closed before ``settled_through``; says how many. Raises LOST_CONNECTION.

        By then the ledger has judged the doses: one that it left open is not taken as far as anybody has heard, and
        one whose dispenser was not heard is unknown, of which nobody says that it was not taken.
        """
        now = to_datetime(self.clock.now_ms())
        async with transaction(self.pool) as connection:
            rows = await connection.fetch(self.sql["doses_to_notice"], settled_through, LATEST_NOTICE_MIN)
            notices = [notice_of(OpenDose(**row)) for row in rows]
            await connection.executemany(self.sql["add_notice"], [(*one, now) for one in notices])
        return len(notices)
