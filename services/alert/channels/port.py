"""What a channel is: it takes a notification to one doctor and says how that went."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from services.alert.settings import AlertSettings


class AttemptOutcome(StrEnum):
    """Whether a notification has to be tried again. FAILED: trying again can't help."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"


class AttemptReason(StrEnum):
    """Why, for the delivery log and the metric. Names no person and no address.

    REFUSES_US: the server wants nothing of ours, whatever it is and whom it is for; operators have to mend that.
    """

    ACCEPTED = "accepted"
    NO_ADDRESS = "no_address"
    NO_ANSWER = "no_answer"
    SERVER_ERROR = "server_error"
    REFUSED_BY_RECEIVER = "refused_by_receiver"
    REFUSES_US = "refuses_us"
    REFUSED_TARGET = "refused_target"
    UNKNOWN_HOST = "unknown_host"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where a doctor wants to be notified; None: not that way."""

    doctor_no: int
    email: str | None
    webhook: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is sent: ids and a link, never a name or a value. ``key`` is the same at every attempt."""

    key: str
    alert_id: UUID
    step: int
    link: str
    address: str
    handled: bool
    possible_duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How an attempt went."""

    outcome: AttemptOutcome
    reason: AttemptReason


class Channel(Protocol):
    """One way to reach a doctor."""

    async def send(self, notification: Notification) -> AttemptResult:
        """Tries once, within a bounded real time. Raises nothing but cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelType:
    """A channel that exists: when it is configured, whom it can reach, how it is opened."""

    name: str
    configured: "Callable[[AlertSettings], bool]"
    address: Callable[[Contact], str | None]
    open: "Callable[[AlertSettings], AbstractAsyncContextManager[Channel]]"
