"""Everything that score knows of one home, and its form in a checkpoint, which has a version. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.runtime.errors import HearthBeatError
from services.score.coverage import HEARD_MS, MONITORED_MS, SHORTEST_GAP_MS, HourRow, Surroundings, open_from
from services.score.days import Days
from services.score.firmware_faults import FirmwareHabits
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.older_states import upgraded
from services.score.person import PersonState, Reports
from services.score.rule import NEVER
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.scored_uplinks import SeenMarks
from services.score.watch_gaps import HeardOf

VERSION: Final = 6
"""Of the form that is written. Whoever changes the form raises it, and adds a step to ``older_states``."""


DAYS: Final = "days"
"""In a text for comparing, what stands in a table of its own: the days of a home's people."""


class UnknownStateError(HearthBeatError):
    """A checkpoint was written by a newer version of score, which this one can't read."""


@dataclass(slots=True)
class HomeState:
    """``subjects`` by person number, 0 for the home itself; ``habits`` by device number.

    ``heard`` are spans ``[first, last]`` of the reception of uplinks, which lie less than half an hour apart, in ms.
    ``devices`` by number: whose items each sent last, and when it was heard last.
    ``due_at`` is when something here is due without a record, in ms, or somewhat before; NEVER while nothing is.
    """

    rules: RuleBook = RULE_BOOK
    limits: LimitBook = DEFAULT_BOOK
    seen: SeenMarks = field(default_factory=SeenMarks)
    subjects: dict[int, PersonState] = field(default_factory=dict)
    habits: dict[int, FirmwareHabits] = field(default_factory=dict)
    heard: list[list[int]] = field(default_factory=list)
    devices: dict[int, tuple[int, int]] = field(default_factory=dict)
    due_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.look_ahead()

    def subject(self, person_no: int) -> PersonState:
        """The state of a person, begun where there is none yet."""
        found = self.subjects.get(person_no)
        if found is None:
            found = self.subjects[person_no] = PersonState(self.rules, self.limits, person_no)
        return found

    def hear(self, received_at: int, device_no: int, person_no: int) -> None:
        """An uplink of a device has come; its first item is of ``person_no``, if it has one."""
        self.devices[device_no] = (person_no or self.devices.get(device_no, (0, 0))[0], received_at)
        heard = self.heard
        if heard and received_at - heard[-1][1] < SHORTEST_GAP_MS:
            heard[-1][1] = max(received_at, heard[-1][1])
        else:
            heard.append([received_at, received_at])

    @property
    def newest(self) -> int:
        """When the home was heard last, in ms; 0 for never."""
        return self.heard[-1][1] if self.heard else 0

    def covered(self, now: int) -> list[tuple[int, HourRow]]:
        """The hours of coverage that have changed since they were written, up to ``now``, by person number."""
        return [
            (person_no, row)
            for person_no, one in self.subjects.items()
            if person_no and one.coverage.is_due(one.window, now)
            for row in one.coverage.rows(one.window, Surroundings(self.heard, one.resting_only()), now)
        ]

    def covered_is_written(self, now: int) -> None:
        """What ``covered`` gave of ``now`` stands in the table."""
        for person_no, one in self.subjects.items():
            if person_no and one.coverage.is_due(one.window, now):
                one.coverage.written(one.window, now)

    def use(self, limits: LimitBook) -> None:
        """The limits that are known from now on."""
        self.limits = limits
        for subject in self.subjects.values():
            subject.use(limits)

    def pass_time(self, now: int) -> list[tuple[int, Reports]]:
        """The log has come to ``now``: what is due happens, by person. No record of this home is needed for it."""
        about = HeardOf(self.heard, self.devices)
        found = [
            (person_no, reports) for person_no, one in self.subjects.items() if (reports := one.pass_time(now, about))
        ]
        self.look_ahead()
        return found

    def look_ahead(self) -> None:
        """Sets ``due_at`` by what is known now."""
        self.due_at = min((subject.due_at for subject in self.subjects.values()), default=NEVER)

    def to_plain(self) -> dict[str, Any]:
        """The same for the same story of the home, whenever and however often it is asked for."""
        newest = self.newest
        open_heard = [one for one in self.heard if one[1] + HEARD_MS > open_from(newest)]
        return {
            "version": VERSION,
            "seen": self.seen.to_plain(),
            "subjects": {str(person_no): state.to_plain(newest) for person_no, state in self.subjects.items()},
            "habits": {str(device_no): one.to_plain() for device_no, one in self.habits.items()},
            "devices": [
                [device_no, whose, at]
                for device_no, (whose, at) in sorted(self.devices.items())
                if newest - at < MONITORED_MS
            ],
            "heard": [[max(first, min(last, open_from(newest))), last] for first, last in open_heard],
        }

    def to_compare(self) -> dict[str, Any]:
        """As plain values, with the days of people who have some."""
        days = {
            str(person_no): state.recent.days.to_plain()
            for person_no, state in self.subjects.items()
            if state.recent.days.revision or state.recent.is_folded
        }
        return self.to_plain() | ({DAYS: days} if days else {})

    @classmethod
    def from_compared(cls, plain: dict[str, Any], limits: LimitBook, rules: RuleBook = RULE_BOOK) -> "HomeState":
        """The state that ``to_compare`` wrote. Raises UnknownStateError, UnknownDaysError."""
        state = cls.from_plain(plain, rules, limits)
        for person_no, days in plain.get(DAYS, {}).items():
            state.subject(int(person_no)).recent.days = Days.from_plain(days, revision=1)
        return state

    @classmethod
    def from_plain(
        cls, plain: dict[str, Any], rules: RuleBook = RULE_BOOK, limits: LimitBook = DEFAULT_BOOK
    ) -> "HomeState":
        """The state that ``to_plain`` wrote, in whichever version. Raises UnknownStateError."""
        version = plain.get("version", 1)
        if not isinstance(version, int) or version > VERSION:
            raise UnknownStateError(f"its form is version {version}, and this score reads up to {VERSION}")
        plain = upgraded(plain, version)
        subjects, heard = plain["subjects"].items(), [list(one) for one in plain["heard"]]
        newest = heard[-1][1] if heard else 0
        return cls(
            rules=rules,
            limits=limits,
            seen=SeenMarks.from_plain(plain["seen"]),
            subjects={
                int(person): PersonState.from_plain(state, rules, limits, int(person), newest)
                for person, state in subjects
            },
            habits={int(device_no): FirmwareHabits(*one) for device_no, one in plain["habits"].items()},
            heard=heard,
            devices={device_no: (whose, at) for device_no, whose, at in plain["devices"]},
        )


def heard_of(plain: Mapping[str, Any]) -> int:
    """When the home of a written state was heard last, in ms; 0 for never, or where an older version wrote it."""
    heard = plain.get("heard") or [[0, 0]]
    return int(heard[-1][1])


def seeded(episodes: Mapping[int, Mapping[str, int]]) -> HomeState:
    """A state that knows nothing but the highest episode number per person and rule."""
    state = HomeState()
    for person_no, numbers in episodes.items():
        state.subject(person_no).episodes.update(numbers)
    return state
