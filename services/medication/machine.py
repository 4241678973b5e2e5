"""Which event takes which dose: a fold over all that a compartment has reported, in the order of what happened. Pure.

It is made from scratch each time, so it comes to the same whatever order the events arrived in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.doses import DISPENSES_WITHIN_DAYS, OPEN_STATES, SAME_TAKING_MIN, DoseState, EvidenceRole
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from services.medication.planning import dose_id_of

LIFTED: Final = EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number
CONFIRMED: Final = EVENT_TYPE_BY_KIND[EventKind.DOSE_CONFIRMED].number
DISPENSED: Final = EVENT_TYPE_BY_KIND[EventKind.DOSE_DISPENSED].number
TAKING: Final = (LIFTED, CONFIRMED)
"""What counts as taking a dose. Dispensed is not swallowed."""
_SAME_TAKING: Final = timedelta(minutes=SAME_TAKING_MIN)
_DISPENSES_WITHIN: Final = timedelta(days=DISPENSES_WITHIN_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A dose with what is kept of it and all that was said of it; the names are those of the table ``doses``.

    ``fixed_at``: what was received until then is not judged again.
    """

    dose_id: UUID
    plan_id: UUID
    version_no: int
    person_no: int
    home_no: int
    device_no: int
    compartment: int
    drug: str
    strength: str = ""
    count: float = 1.0
    zone: str
    time_critical: bool = False
    listed: bool = False
    as_needed: bool = False
    early_after: datetime
    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    missed_at: datetime
    state: DoseState = DoseState.PENDING
    reminders: int = 0
    settled_at: datetime | None = None
    episode: int | None = None
    said_last: str | None = None
    said: int = 0
    doubles: int = 0
    double_episode: int | None = None
    double_said: int = 0
    heard_at: datetime | None = None
    judged_from: datetime | None = None
    unknown_since: datetime | None = None
    fixed_at: datetime | None = None


class DoseEvent(NamedTuple):
    """A cup lifted, a dose confirmed or dispensed."""

    device_no: int
    epoch: int
    seq: int
    item: int
    person_no: int
    kind: int
    compartment: int
    observed_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A version of a plan that is taken when it is needed, in [``valid_from``, ``valid_to``)."""

    version_no: int
    plan_id: UUID
    person_no: int
    home_no: int
    device_no: int
    compartment: int
    drug: str
    strength: str
    count: float
    zone: str
    listed: bool
    least_interval: timedelta
    most_per_day: int | None
    valid_from: datetime
    valid_to: datetime | None


class Pause(NamedTuple):
    """A doctor has paused a plan from ``begins`` until ``ends``; None: until it is resumed."""

    plan_id: UUID
    begins: datetime
    ends: datetime | None

    def covers(self, moment: datetime) -> bool:
        """The end is no part of it."""
        return self.begins <= moment and (self.ends is None or moment < self.ends)


class Counted(NamedTuple):
    """An event and what it is to a dose."""

    event: DoseEvent
    dose_id: UUID
    role: EvidenceRole


@dataclass(slots=True, kw_only=True)
class Taking:
    """What a fold found of a dose. ``again``: the takings that were too many, in order.

    ``paused_at``: a pause that began then covers its due moment; what was taken before is taken.
    """

    dose: Dose
    decided: DoseEvent | None = None
    taken_at: datetime | None = None
    again: list[DoseEvent] = field(default_factory=list)
    too_soon: bool = False
    too_many: bool = False
    paused_at: datetime | None = None
    counted: list[Counted] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether its plan is paused, and it was not taken before."""
        return self.paused_at is not None and self.taken_at is None

    def count(self, event: DoseEvent, role: EvidenceRole) -> None:
        """Keeps an event as evidence."""
        self.counted.append(Counted(event, self.dose.dose_id, role))


def fold(
    doses: Iterable[Dose],
    events: Iterable[DoseEvent],
    *,
    given: Mapping[UUID, datetime] | None = None,
    needed: Sequence[Needed] = (),
    pauses: Sequence[Pause] = (),
) -> dict[UUID, Taking]:
    """What each dose of some devices comes to; doses of plans that are taken as needed are made by it.

    ``events``: also what other compartments of the devices have dispensed. ``given``: when doses that are not judged
    again were taken; one that has ``fixed_at`` and is not in it was not.
    """
    takings: dict[UUID, Taking] = {}
    by_place: dict[tuple[int, int, int], _Compartment] = {}
    heard = sorted(set(events), key=lambda event: (event.observed_at, *event[:4], event.kind))
    dispensed: dict[int, list[datetime]] = defaultdict(list)
    for event in heard:
        if event.kind == DISPENSED:
            dispensed[event.device_no].append(event.observed_at)

    def place(device_no: int, compartment: int, person_no: int) -> _Compartment:
        key = (device_no, compartment, person_no)
        if key not in by_place:
            by_place[key] = _Compartment(takings=takings, dispensed=dispensed[device_no], pauses=pauses)
        return by_place[key]

    for dose in sorted(doses, key=lambda dose: (dose.due_at, dose.dose_id)):
        place(dose.device_no, dose.compartment, dose.person_no).add(dose, (given or {}).get(dose.dose_id))
    for version in needed:
        place(version.device_no, version.compartment, version.person_no).needed.append(version)
    for event in heard:
        compartment = by_place.get((event.device_no, event.compartment, event.person_no))
        if compartment is not None:
            compartment.see(event)
    return takings


class _Compartment:
    """The plans of one person in one compartment, as events go by. ``dispensed``: when its device did, wherever."""

    def __init__(self, *, takings: dict[UUID, Taking], dispensed: Sequence[datetime], pauses: Sequence[Pause]) -> None:
        self.needed: list[Needed] = []
        self._takings = takings
        self._dispensed = dispensed
        self._pauses = pauses
        self._plans: dict[UUID, list[Taking]] = defaultdict(list)
        self._anchors: dict[UUID, list[tuple[datetime, Taking]]] = defaultdict(list)
        self._lifted_at: datetime | None = None
        self._dispensed_at: datetime | None = None

    def add(self, dose: Dose, taken_at: datetime | None) -> None:
        """The next dose, by when it is due."""
        taking = Taking(dose=dose, taken_at=taken_at)
        taking.paused_at = None if dose.as_needed else self._paused_at(dose.plan_id, dose.due_at)
        self._takings[dose.dose_id] = taking
        self._plans[dose.plan_id].append(taking)
        if taken_at is not None:
            self._anchors[dose.plan_id].append((taken_at, taking))

    def see(self, event: DoseEvent) -> None:
        """The next event."""
        if event.kind == DISPENSED:
            self._dispensed_at = event.observed_at
            return
        is_empty = event.kind == LIFTED and self._is_empty(event.observed_at)
        if event.kind == LIFTED:
            self._lifted_at = event.observed_at
        same = [one for plan_id in self._plans if (one := self._same_taking(plan_id, event.observed_at)) is not None]
        if same:
            self._count(same, event, EvidenceRole.SAME)
        elif is_empty:
            self._count(self._due_at(event.observed_at) or self._last_taken(event), event, EvidenceRole.EMPTY)
        elif due := self._due_at(event.observed_at):
            for taking in due:
                self._take(taking, event)
        elif not self._take_as_needed(event):
            self._take_again(self._last_taken(event), event)

    def _paused_at(self, plan_id: UUID, moment: datetime) -> datetime | None:
        of_plan = (pause.begins for pause in self._pauses if pause.plan_id == plan_id and pause.covers(moment))
        return next(of_plan, None)

    def _is_empty(self, moment: datetime) -> bool:
        """Nothing was dispensed since the last lift, of a device that says what it dispenses."""
        if not any(moment - _DISPENSES_WITHIN < one <= moment for one in self._dispensed):
            return False
        since = moment - _DISPENSES_WITHIN if self._lifted_at is None else self._lifted_at
        return self._dispensed_at is None or self._dispensed_at <= since

    def _same_taking(self, plan_id: UUID, moment: datetime) -> Taking | None:
        for at, taking in reversed(self._anchors[plan_id]):
            if at <= moment <= at + _SAME_TAKING:
                return taking
        return None

    def _due_at(self, moment: datetime) -> list[Taking]:
        """Of each plan the oldest dose that is not taken and can be at ``moment``."""
        return [one for plan in self._plans.values() if (one := _due_of(plan, moment)) is not None]

    def _take(self, taking: Taking, event: DoseEvent) -> None:
        self._anchors[taking.dose.plan_id].append((event.observed_at, taking))
        if taking.paused_at is not None and taking.paused_at <= event.observed_at:
            taking.count(event, EvidenceRole.HELD)
            taking.again.append(event)
            return
        taking.decided, taking.taken_at = event, event.observed_at
        taking.count(event, EvidenceRole.DECIDED)

    def _take_as_needed(self, event: DoseEvent) -> bool:
        """Whether there was a plan to be taken as needed."""
        moment = event.observed_at
        now = [
            one for one in self.needed if one.valid_from <= moment and (one.valid_to is None or moment < one.valid_to)
        ]
        for version in now:
            dose = _dose_of(version, moment)
            taking = self._takings[dose.dose_id] = Taking(dose=dose)
            taking.paused_at = self._paused_at(version.plan_id, moment)
            before = [one.taken_at for one in self._plans[version.plan_id] if one.taken_at is not None]
            taking.too_soon = bool(before) and moment - max(before) < version.least_interval
            taking.too_many = _are_too_many(before, moment, version)
            self._plans[version.plan_id].append(taking)
            self._take(taking, event)
        return bool(now)

    def _take_again(self, taken: Sequence[Taking], event: DoseEvent) -> None:
        """One too many of what was taken last; a confirmation alone is a late word about that taking."""
        if event.kind != LIFTED:
            self._count(taken, event, EvidenceRole.SAME)
            return
        for taking in taken:
            taking.again.append(event)
            taking.count(event, EvidenceRole.DOUBLE)
            self._anchors[taking.dose.plan_id].append((event.observed_at, taking))

    def _last_taken(self, event: DoseEvent) -> list[Taking]:
        """The doses of the newest taking, if no dose of theirs was missed since; one taking may be of several plans."""
        last = [one for plan in self._plans.values() if (one := _last_of(plan, event)) is not None]
        newest = max((one.taken_at for one in last if one.taken_at is not None), default=None)
        if newest is None:
            return []
        return [one for one in last if one.taken_at is not None and newest - one.taken_at <= _SAME_TAKING]

    @staticmethod
    def _count(takings: Iterable[Taking], event: DoseEvent, role: EvidenceRole) -> None:
        for taking in takings:
            taking.count(event, role)


def _due_of(plan: Sequence[Taking], moment: datetime) -> Taking | None:
    before: Taking | None = None
    for taking in plan:
        dose = taking.dose
        if dose.as_needed:
            continue
        is_open = taking.taken_at is None and dose.fixed_at is None
        if is_open and dose.early_after < moment <= dose.missed_at:
            # Never early while the window of the one before lasts: that would be that one's second.
            is_early = moment < dose.opens_at
            if not (is_early and before is not None and moment <= before.dose.closes_at):
                return taking
        if not taking.held:
            before = taking
    return None


def _last_of(plan: Sequence[Taking], event: DoseEvent) -> Taking | None:
    last: Taking | None = None
    for taking in plan:
        if taking.taken_at is not None and taking.taken_at <= event.observed_at:
            last = taking
        elif not taking.held and not taking.dose.as_needed and taking.dose.missed_at < event.observed_at:
            # Whoever missed one since takes that, far too late, and no second one.
            last = None
    if last is not None and last.dose.fixed_at is not None and event.received_at <= last.dose.fixed_at:
        return None
    return last


def _are_too_many(before: Iterable[datetime], moment: datetime, version: Needed) -> bool:
    if version.most_per_day is None:
        return False
    zone = ZoneInfo(version.zone)
    today = moment.astimezone(zone).date()
    return sum(one.astimezone(zone).date() == today for one in before) >= version.most_per_day


def _dose_of(version: Needed, moment: datetime) -> Dose:
    return Dose(
        dose_id=dose_id_of(version.plan_id, version.version_no, moment),
        plan_id=version.plan_id,
        version_no=version.version_no,
        person_no=version.person_no,
        home_no=version.home_no,
        device_no=version.device_no,
        compartment=version.compartment,
        drug=version.drug,
        strength=version.strength,
        count=version.count,
        zone=version.zone,
        listed=version.listed,
        as_needed=True,
        early_after=moment,
        opens_at=moment,
        due_at=moment,
        closes_at=moment,
        missed_at=moment,
    )


def taken(taking: Taking) -> Dose:
    """The dose of ``taking`` as its events settle it; one without a deciding event is not settled by them.

    Times of day, of how it was taken, stand in its evidence where the state is ``double``.
    """
    dose = taking.dose
    too_many = len(taking.again) + (taking.too_soon or taking.too_many)
    if taking.held:
        return replace(dose, doubles=too_many if dose.listed else 0)
    if dose.fixed_at is not None:
        state = DoseState.DOUBLE if taking.again else dose.state
        return replace(dose, state=state, doubles=max(dose.doubles, len(taking.again)))
    if taking.taken_at is None:
        # It was taken before another event came in that belongs before the one that took it.
        is_open_again = dose.state not in OPEN_STATES | {DoseState.MISSED, DoseState.HELD}
        return replace(dose, state=DoseState.PENDING, settled_at=None, doubles=0) if is_open_again else dose
    state = DoseState.EARLY if taking.taken_at < dose.opens_at else DoseState.TAKEN
    if taking.taken_at > dose.closes_at:
        state = DoseState.LATE
    return replace(dose, state=DoseState.DOUBLE if too_many else state, settled_at=taking.taken_at, doubles=too_many)
