"""What people are asked after a reading: to measure again, for symptoms, who it was. Commands, no findings. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeGuard, runtime_checkable
from uuid import UUID, uuid5

from schemas.alerts import FINDING_NAMESPACE
from schemas.asks import AskKind
from schemas.devices.fall_robot import FALL_ROBOT
from schemas.devices.pill_dispenser import PILL_DISPENSER
from schemas.devices.wearable_band import WEARABLE_BAND
from schemas.reasons import NOT_SCORED
from schemas.records import JudgedUplink
from schemas.vitals import VITAL_BY_NUMBER
from services.score.rule import MINUTE_MS, Subject
from services.score.sample import SPOT_TYPES, Sample

LATE_MS: Final = 15 * MINUTE_MS
"""Nobody is asked about a reading that was so old when it was received."""
SENT_WITHIN_MS: Final = 10 * MINUTE_MS
"""A command that has not been sent for so long since the reading was received is not sent any more."""
OPEN_MS: Final = 15 * MINUTE_MS
"""So long an ask waits for an answer, and nobody is asked the same again."""
SPEAKING: Final = (FALL_ROBOT.code, PILL_DISPENSER.code, WEARABLE_BAND.code)
"""Which asks first, where the device that measured can't: they have a voice or a screen."""


class Want(NamedTuple):
    """What a rule wants to know of a person because of its newest reading: ``after_ms`` from that on."""

    kind: AskKind
    after_ms: int = 0


@runtime_checkable
class AskingFold(Protocol):
    """A fold that wants to know more of some readings than they say."""

    def wants(self, state: Any, newest: Sample) -> Sequence[Want]:
        """What to ask now that ``newest`` was taken; nothing where another reading has taken its place."""


def can_ask(fold: object) -> TypeGuard[AskingFold]:
    """Whether it is such a fold."""
    return isinstance(fold, AskingFold)


class Asking(Protocol):
    """What is known of a person, as far as asks rest on it."""

    def wants(self, newest: Sequence[Sample]) -> Sequence[tuple[Want, Sample]]:
        """What the person's rules want to know after these samples of one uplink, and because of which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """To be asked of a person, for ``sample``, at ``due_at`` at the soonest. Times in ms."""

    subject: Subject
    kind: AskKind
    sample: Sample
    due_at: int
    received_at: int

    @property
    def ask_id(self) -> UUID:
        """The same whenever the same uplink is stepped over again."""
        sample = self.sample
        asked = f"ask|{self.subject.person_no}|{self.kind}|{sample.vital}|{sample.device_no}|{sample.at}"
        return uuid5(FINDING_NAMESPACE, asked)


def details_of(ask: Ask, slot: int | None) -> dict[str, Any]:
    """The command's own fields. ``slot`` is whose the measuring device takes the person for; None on another one."""
    if ask.kind is AskKind.SYMPTOMS:
        return {"about": "symptoms"}
    whose = {} if slot is None else {"slot": slot}
    return {"vital": VITAL_BY_NUMBER[ask.sample.vital].code, "due_at": ask.due_at} | whose


def asks_of(record: JudgedUplink, person: Callable[[int], Asking]) -> list[Ask]:
    """What follows from an uplink that has been scored. Only of a device that somebody uses, and of what is new."""
    if record.device_type not in SPOT_TYPES:
        return []
    not_scored, by_person = int(NOT_SCORED), dict[int, list[Sample]]()
    for item, person_no, vital, value, at, flags in record.readings:
        if not flags & not_scored and record.received_at - at <= LATE_MS:
            sample = Sample(
                at, value, record.device_no, record.epoch, record.seq, item, vital, flags, record.received_at,
                record.device_type,
            )  # fmt: skip
            by_person.setdefault(person_no, []).append(sample)
    return [
        Ask(
            subject=Subject(person_no, record.home_no), kind=want.kind, sample=sample,
            due_at=sample.at + want.after_ms, received_at=record.received_at,
        )
        for person_no, samples in by_person.items()
        for want, sample in person(person_no).wants(samples)
    ]  # fmt: skip
