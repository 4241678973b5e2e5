"""All rules over a home's stored records again, from nothing: what they found, and what they left to due rows. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from schemas.alerts import Finding
from schemas.records import JudgedUplink
from services.score.core import pass_time, step, with_answers
from services.score.days import Days
from services.score.followups import Effect, FallCheck, SosCall, Tally
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, LimitBook
from services.score.re_ruled import use_rules
from services.score.rerun import MARKS_MS
from services.score.rule_timeline import RuleTimeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What people bring whom the home's records alone do not know all of.

    ``episodes``: the numbers given out by then, by person and rule. ``days``: of what came by no log, by person.
    """

    episodes: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    days: Mapping[int, Days] = field(default_factory=dict)


class HomeRerun:
    """``findings`` by id, ``followed_at`` says of each when the record or the marker came that it follows from, in ms.

    ``falls`` and ``presses`` are what due rows were made of, in their order.
    """

    def __init__(self, home_no: int, limits: LimitBook, rules: RuleTimeline, brought: Brought | None = None) -> None:
        self.findings = dict[UUID, Finding]()
        self.followed_at = dict[UUID, int]()
        self.falls: list[FallCheck] = []
        self.presses: list[SosCall] = []
        self._home_no = home_no
        self._rules, self._rules_until = rules, ALWAYS
        self._home = HomeState(rules=rules.at(ALWAYS), limits=limits)
        self._tally = Tally()
        self._marked = 0
        self._bring(brought or Brought())

    def _bring(self, brought: Brought) -> None:
        for person_no, numbers in brought.episodes.items():
            self._home.subject(person_no).raise_numbers(numbers)
        for person_no, days in brought.days.items():
            self._home.subject(person_no).recent.days = days

    def _turn(self, now: int) -> None:
        """The rules that hold for what comes at ``now``, in ms."""
        use_rules(self._home, self._rules.at(now))
        self._rules_until = self._rules.until(now)

    def take(self, record: JudgedUplink) -> None:
        """The next one that was received."""
        self.pass_time(record.received_at)
        if record.received_at >= self._rules_until:
            self._turn(record.received_at)
        self._keep(step(self._home, record, self._tally), record.received_at)

    def pass_time(self, now: int) -> None:
        """Nothing has come until ``now``, in ms: what is due without a record happens at the first marker after it."""
        while (due_at := self._home.due_at) < now:
            moment = max(-(-due_at // MARKS_MS) * MARKS_MS, self._marked + MARKS_MS, self._home.newest)
            if moment >= now:
                return
            self._marked = moment
            if moment >= self._rules_until:
                self._turn(moment)
            self._keep(pass_time(self._home, self._home_no, moment), moment)

    def _keep(self, effects: list[Effect], at: int) -> None:
        if not effects:
            return
        for one in with_answers(effects, lambda _: self._home):
            if isinstance(one, Finding):
                if self.findings.setdefault(one.finding_id, one) is one:
                    self.followed_at[one.finding_id] = at
            elif isinstance(one, FallCheck):
                self.falls.append(one)
            elif isinstance(one, SosCall):
                self.presses.append(one)


def rerun(home: HomeRerun, records: Iterable[JudgedUplink], until: int) -> HomeRerun:
    """``home`` after ``records``, in the order of reception, and after the time up to ``until``, in ms."""
    for record in records:
        if record.received_at > until:
            break
        home.take(record)
    home.pass_time(until + 1)
    return home
