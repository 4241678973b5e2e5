"""A partition's homes, its position and its time, as they are after the records so far. Pure."""

from dataclasses import dataclass, field
from heapq import heappop, heappush

from schemas.records import DeviceWord, JudgedUplink, WatermarkMarker
from services.score.core import pass_time, step
from services.score.device_words import hear_status
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK, LimitBook
from services.score.log_time import LogTime
from services.score.re_ruled import hands_over, use_rules
from services.score.rule import NEVER
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rule_timeline import ALWAYS_THE_SAME, RuleTimeline


@dataclass(slots=True)
class Partition:
    """The homes as they are after the record before ``position``; the checkpoint stands at ``saved``.

    ``dirty`` are homes that have changed since then. ``passed_at`` is the newest marker of the log, in ms. ``rules``
    are those of now, until a record or a marker comes at ``rules_until``, in ms, or later: then it has to ``turn``.
    """

    position: int = 0
    saved: int = 0
    rules: RuleBook = RULE_BOOK
    limits: LimitBook = DEFAULT_BOOK
    homes: dict[int, HomeState] = field(default_factory=dict)
    time: LogTime = field(default_factory=LogTime)
    dirty: set[int] = field(default_factory=set)
    passed_at: int | None = None
    looked_up: set[tuple[int, int]] = field(default_factory=set)
    timeline: RuleTimeline = ALWAYS_THE_SAME
    rules_until: int = NEVER
    _due: list[tuple[int, int]] = field(default_factory=list)
    _due_of: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for home_no, home in self.homes.items():
            self._expect(home_no, home)

    @property
    def now(self) -> int:
        """How late it is by the log, in ms: by its markers, or by what was received since."""
        return max(self.time.now, max((home.newest for home in self.homes.values()), default=0))

    def home(self, home_no: int) -> HomeState:
        """The state of a home, begun where there is none yet."""
        found = self.homes.get(home_no)
        if found is None:
            found = self.homes[home_no] = HomeState(self.rules, self.limits)
        elif found.rules is not self.rules:
            use_rules(found, self.rules)
        return found

    def follow(self, timeline: RuleTimeline) -> None:
        """The versions of rules that are known from now on.

        One that has begun before what was taken last became known too late, and begins with the next record.
        """
        if timeline is not self.timeline:
            self.timeline = timeline
            in_time = timeline.at(self.newest) is self.rules
            self.rules_until = timeline.until(self.newest) if in_time else 0

    def turn(self, received_at: int) -> None:
        """Other rules hold from a record or a marker of ``received_at`` on; homes go over as they are heard of.

        But those in which another fit goes on go over at once, and are written: from a checkpoint that was made under
        the fit before, a start would judge the past by the new one. Questions to the models of before have to be
        answered before this.
        """
        self.rules, self.rules_until = self.timeline.at(received_at), self.timeline.until(received_at)
        for home_no, home in self.homes.items():
            if hands_over(home, self.rules):
                use_rules(home, self.rules)
                self.dirty.add(home_no)
                self._expect(home_no, home)

    @property
    def newest(self) -> int:
        """The latest reception of anything of the log by now, in ms; 0 where there was nothing."""
        return max(self.passed_at or 0, self.now)

    def use(self, limits: LimitBook) -> None:
        """The limits that are known from now on."""
        if limits is not self.limits:
            self.limits = limits
            for home in self.homes.values():
                home.use(limits)

    def take(self, record: JudgedUplink, tally: Tally) -> list[Effect]:
        """What follows from the next uplink of the log."""
        home_no = record.home_no
        home = self.home(home_no)
        effects = step(home, record, tally)
        self.dirty.add(home_no)
        if home.due_at != self._due_of.get(home_no, NEVER):
            self._expect(home_no, home)
        return effects

    def hear(self, word: DeviceWord) -> list[Effect]:
        """What follows from a device's next word of itself."""
        self.dirty.add(word.home_no)
        return [*hear_status(self.home(word.home_no), word)]

    def mark(self, marker: WatermarkMarker) -> list[Effect]:
        """What follows from the next marker of the log: time goes on, in quiet homes as well."""
        effects: list[Effect] = []
        self.passed_at = max(self.passed_at or 0, marker.received_at)
        now = self.time.mark(marker.instance, marker.received_at)
        while self._due and self._due[0][0] <= now:
            _, home_no = heappop(self._due)
            home = self.home(home_no)
            # A home may stand here twice: of its moments, only the newest one counts.
            if home.due_at <= now:
                effects += pass_time(home, home_no, now)
                self.dirty.add(home_no)
                self._expect(home_no, home)
        return effects

    def _expect(self, home_no: int, home: HomeState) -> None:
        self._due_of[home_no] = home.due_at
        if home.due_at < NEVER:
            heappush(self._due, (home.due_at, home_no))
