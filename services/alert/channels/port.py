"""What a channel is: it takes a message to one doctor and says how that went."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from pydantic_settings import BaseSettings

S = TypeVar("S", bound=BaseSettings)


class AttemptOutcome(StrEnum):
    """Whether a notification has to be tried again. FAILED: trying again can't help."""

    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"


class AttemptReason(StrEnum):
    """Why, for the delivery log and the metric. Names no person and no address.

    REFUSES_US: the server refuses everything that we send, and operators have to mend that.
    """

    ACCEPTED = "accepted"
    NO_ADDRESS = "no_address"
    NO_ANSWER = "no_answer"
    SERVER_ERROR = "server_error"
    REFUSED_BY_RECEIVER = "refused_by_receiver"
    REFUSES_US = "refuses_us"
    REFUSED_TARGET = "refused_target"
    UNKNOWN_HOST = "unknown_host"
    UNKNOWN_KEY = "unknown_key"
    REDIRECT = "redirect"


class MessageKind(StrEnum):
    """What a message to a doctor is. A list is no notification: nobody has to act at once."""

    ALERT = "alert"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is sent to one doctor over one channel. ``key`` is the same at every attempt, and of no other message.

    ``subject``, one line, and ``text`` hold no name and no value, unless the doctor has asked for them at this address.
    ``facts`` are for receivers that are programs: ids and words of the platform, never a name or a value.
    ``sealed_secrets``: the receiver's own, the newest first, for a channel that signs what it sends.
    """

    kind: MessageKind
    key: str
    subject: str
    text: str
    link: str
    address: str
    possible_duplicate: bool
    facts: Mapping[str, str | int]
    sealed_secrets: Sequence[bytes] = ()


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
class ConfiguredChannel:
    """A channel with its settings, ready to be opened. ``accepts``: whether a text can be an address of it."""

    name: str
    accepts: Callable[[str], bool]
    open: Callable[[], AbstractAsyncContextManager[Channel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelType(Generic[S]):
    """A channel that exists, all in its own file: ``settings`` reads the environment, ``is_on`` judges them.

    Only what ``accepts`` takes for an address is ever sent to. ``name`` is that of the file and of the address rows.
    """

    name: str
    settings: type[S]
    is_on: Callable[[S], bool]
    accepts: Callable[[str], bool]
    open: Callable[[S], AbstractAsyncContextManager[Channel]]

    def configure(self, settings: S) -> ConfiguredChannel:
        """This channel as ``settings`` have it."""
        return ConfiguredChannel(name=self.name, accepts=self.accepts, open=lambda: self.open(settings))
