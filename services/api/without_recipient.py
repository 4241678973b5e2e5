"""Whom nobody would be notified about, as the worklist says it before anything has happened."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from asyncpg import Record

from services.api.console import Console, Doctor

MOST_NAMED: Final = 10
RECOUNT_S: Final = 10.0
"""Real seconds. The count goes over everybody, and every open page asks for it each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutRecipient:
    """Monitored people whom no doctor with an address cares for.

    ``people``: the first of those in this doctor's care, ``more``: how many others there are of them,
    ``without_doctor``: how many, on the whole platform, are in nobody's care.
    """

    people: Sequence[Record]
    more: int
    without_doctor: int


async def without_recipient_of(console: Console, doctor: Doctor) -> WithoutRecipient:
    """As it is now, for the worklist of a doctor."""
    people = await console.pool.fetch(
        console.sql["without_recipient_in_care"], doctor.doctor_no, console.now(), MOST_NAMED
    )
    everybody: int = people[0]["everybody"] if people else 0
    return WithoutRecipient(people=people, more=everybody - len(people), without_doctor=await _without_doctor(console))


async def _without_doctor(console: Console) -> int:
    counted = console.without_doctor
    # Two that ask at once both count; that costs little, and needs no lock.
    if time.monotonic() >= counted.good_until_s:
        counted.people = await console.pool.fetchval(console.sql["without_recipient_or_doctor"], console.now())
        counted.good_until_s = time.monotonic() + RECOUNT_S
    return counted.people
