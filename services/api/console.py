"""What every request needs: settings, database, clock, queries; and the doctor who is signed in."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from services.api.feed import AlertFeed
from services.api.passwords import Passwords
from services.api.settings import ApiSettings
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, Queries, load_queries
from services.runtime.metrics import Metrics
from services.runtime.sealing import Keys

if TYPE_CHECKING:
    # Commands need what is here, too, and begin half a second sooner without it.
    from fastapi import Request

_FILES: Final = (
    "queries.sql", "sign_in.sql", "alert_reads.sql", "outcomes.sql", "morning.sql", "quiet_hours.sql", "plans.sql",
    "adherence.sql", "held_readings.sql", "person_limits.sql", "second_factors.sql", "password_resets.sql",
)  # fmt: skip


def _all_queries() -> Queries:
    return MappingProxyType({name: sql for file in _FILES for name, sql in load_queries("services.api", file).items()})


@dataclass(slots=True)
class Counted:
    """How many people it was, and until when that will do (monotonic seconds)."""

    people: int = 0
    good_until_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The console's parts, made once in ``app.run``. ``keys`` seal second factors; without them nobody gets one."""

    settings: ApiSettings
    pool: Pool
    clock: Clock
    stop: asyncio.Event
    feed: AlertFeed
    metrics: Metrics
    keys: Keys | None = None
    passwords: Passwords = field(default_factory=Passwords)
    sql: Queries = field(default_factory=_all_queries)
    without_doctor: Counted = field(default_factory=Counted)

    def now(self) -> datetime:
        """Platform time."""
        return to_datetime(self.clock.now_ms())


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """A doctor who is signed in, and the session they are signed in with.

    ``proved_at``: when they last gave their password, in real time; None: in no session.
    """

    doctor_no: int
    email: str
    name: str
    csrf_token: str
    session_hash: bytes
    address: str
    proved_at: datetime | None = None


NOBODYS_ADDRESS: Final = "unknown"


def console_of(request: "Request") -> Console:
    """The console that serves this request."""
    console: Console = request.app.state.console
    return console


def address_of(request: "Request") -> str:
    """Where a request comes from."""
    return request.client.host if request.client else NOBODYS_ADDRESS
