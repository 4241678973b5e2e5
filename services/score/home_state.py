"""Everything that score knows of one home, and its form in a checkpoint, which has a version. Pure."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from services.runtime.errors import HearthBeatError
from services.score.days import Days
from services.score.firmware_faults import FirmwareHabits
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.older_states import upgraded
from services.score.person import PersonState, Reports
from services.score.rule import NEVER
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.scored_uplinks import SeenMarks

VERSION: Final = 5
"""Of the form that is written. Whoever changes the form raises it, and adds a step to ``older_states``."""


DAYS: Final = "days"
"""In a text for comparing, what stands in a table of its own: the days of a home's people."""


class UnknownStateError(HearthBeatError):
    """A checkpoint was written by a newer version of score, which this one can't read."""


@dataclass(slots=True)
class HomeState:
    """``subjects`` by person number, 0 for the home itself; ``habits`` by device number.

    ``due_at`` is when something here is due without a record, in ms, or somewhat before; NEVER while nothing is.
    """

    rules: RuleBook = RULE_BOOK
    limits: LimitBook = DEFAULT_BOOK
    seen: SeenMarks = field(default_factory=SeenMarks)
    subjects: dict[int, PersonState] = field(default_factory=dict)
    habits: dict[int, FirmwareHabits] = field(default_factory=dict)
    due_at: int = field(init=False)

    def __post_init__(self) -> None:
        self.look_ahead()

    def subject(self, person_no: int) -> PersonState:
        """The state of a person, begun where there is none yet."""
        found = self.subjects.get(person_no)
        if found is None:
            found = self.subjects[person_no] = PersonState(self.rules, self.limits, person_no)
        return found

    def use(self, limits: LimitBook) -> None:
        """The limits that are known from now on."""
        self.limits = limits
        for subject in self.subjects.values():
            subject.use(limits)

    def pass_time(self, now: int) -> list[tuple[int, Reports]]:
        """The log has come to ``now``: what is due happens, by person. No record of this home is needed for it."""
        found = [(person_no, reports) for person_no, one in self.subjects.items() if (reports := one.pass_time(now))]
        self.look_ahead()
        return found

    def look_ahead(self) -> None:
        """Sets ``due_at`` by what is known now."""
        self.due_at = min((subject.due_at for subject in self.subjects.values()), default=NEVER)

    def to_plain(self) -> dict[str, Any]:
        """The same for the same story of the home, whenever and however often it is asked for."""
        return {
            "version": VERSION,
            "seen": self.seen.to_plain(),
            "subjects": {str(person_no): state.to_plain() for person_no, state in self.subjects.items()},
            "habits": {str(device_no): list(astuple(one)) for device_no, one in self.habits.items()},
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
    def from_compared(cls, plain: dict[str, Any], limits: LimitBook) -> "HomeState":
        """The state that ``to_compare`` wrote. Raises UnknownStateError, UnknownDaysError."""
        state = cls.from_plain(plain, limits=limits)
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
        subjects = plain["subjects"].items()
        return cls(
            rules=rules,
            limits=limits,
            seen=SeenMarks.from_plain(plain["seen"]),
            subjects={
                int(person): PersonState.from_plain(state, rules, limits, int(person)) for person, state in subjects
            },
            habits={int(device_no): FirmwareHabits(*one) for device_no, one in plain["habits"].items()},
        )


def seeded(episodes: Mapping[int, Mapping[str, int]]) -> HomeState:
    """A state that knows nothing but the highest episode number per person and rule."""
    state = HomeState()
    for person_no, numbers in episodes.items():
        state.subject(person_no).episodes.update(numbers)
    return state
