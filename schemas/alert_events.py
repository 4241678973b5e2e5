"""What can happen to an alert from outside, and what has to be done when it has. Pure data."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.alert_states import Happened, LiveAlert, Step
from schemas.alerts import Finding, Severity


class Reason(StrEnum):
    """Why people are, or will be, notified."""

    FIRST = "first"
    WORSE = "worse"
    CAME_BACK = "came_back"
    """Somebody had taken it on, and it began anew."""
    AGAIN = "again"
    """A new episode, while nobody has answered yet."""
    CALLED = "called"
    """Another fall, or another press of the button."""
    REPEAT = "repeat"


class Verdict(StrEnum):
    """Whether it was so, as a doctor says."""

    REAL = "real"
    FALSE = "false"
    UNCLEAR = "unclear"


class DoctorAction(StrEnum):
    """What a doctor did about it."""

    CALLED = "called"
    VISITED = "visited"
    HANDLED_ALREADY = "handled_already"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding came. ``notified_at``: when people were last notified of the alert; None: never.

    ``pending_due``: when the step that is planned is due; None: there is none. ``others``: alerts about the same person
    that go on, by rule and severity, of rules that this one rests on.
    """

    finding: Finding
    notified_at: int | None = None
    pending_due: int | None = None
    others: tuple[tuple[str, Severity], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A doctor takes the alert on. ``verdict`` and ``action``: as far as they can be said by then."""

    doctor_no: int
    note: str = ""
    verdict: Verdict | None = None
    action: DoctorAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSaid:
    """A doctor says later what came of an alert that somebody took on, or corrects what was said."""

    doctor_no: int
    note: str = ""
    verdict: Verdict | None = None
    action: DoctorAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A doctor closes an alert that was taken on, and whose condition nobody will see recover."""

    doctor_no: int
    note: str = ""
    verdict: Verdict | None = None
    action: DoctorAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDue:
    """The time of a planned step has come; ``others`` as in ``Found``."""

    reason: Reason
    repeats: int
    others: tuple[tuple[str, Severity], ...] = ()


Event = Found | Acknowledged | OutcomeSaid | Finished | StepDue


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """People are notified now. ``repeats``: how many repetitions there were since something was new."""

    reason: Reason
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """People would be notified now, but another alert says as much already: the step is kept, and sends nothing."""

    reason: Reason
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """The next step, in place of the one that was planned. ``since``: the moment from which its wait counts."""

    reason: Reason
    repeats: int
    due: int
    since: int


@dataclass(frozen=True, slots=True)
class CancelSteps:
    """What was planned is not done any more."""


@dataclass(frozen=True, slots=True)
class WithdrawHeld:
    """Notifications that quiet hours hold are not needed any more."""


Effect = Notify | Suppress | PlanStep | CancelSteps | WithdrawHeld


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """An alert as it is after something happened, the steps that led there, and what has to be done, in order."""

    alert: LiveAlert
    steps: tuple[Step, ...]
    effects: tuple[Effect, ...] = ()

    @property
    def happened(self) -> Happened | None:
        """What came first; what else there is follows from it. None: nothing, as of a step that is due no more."""
        return self.steps[0].happened if self.steps else None

    @property
    def notification(self) -> Notify | None:
        """How people are notified now, if they are."""
        return next((one for one in self.effects if isinstance(one, Notify)), None)

    @property
    def plan(self) -> PlanStep | None:
        """The step that is planned, if one is."""
        return next((one for one in self.effects if isinstance(one, PlanStep)), None)
