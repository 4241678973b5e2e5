"""What readings that came later than a rule's window show, beside what was found without them. Pure.

The same step runs again on the stored readings of that time, in the order in which they were measured. What it finds is
what would have been found if all of them had come in time.
"""

from collections.abc import Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final, NamedTuple

from schemas.alerts import EndReason, Evidence, Finding, Severity
from schemas.records import JudgedUplink
from services.score.age import CURRENT_FOR_MS, URGENT_FOR_MS
from services.score.beyond import Beyond
from services.score.core import pass_time
from services.score.evaluation import reach_ms
from services.score.followups import Effect, LookBack
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, NEVER, LimitBook
from services.score.look_rows import KnownRows, judged
from services.score.rule import ENDED, HOUR_MS, MINUTE_MS, Mark, Rule, Subject, finding_from
from services.score.sample import INPUTS, Sample
from services.score.stood import FOREVER, Seen, Source, Stood, source_of, stood_of

FURTHEST_MS: Final = 35 * 24 * HOUR_MS
"""Nothing that is older than 30 days is stored, and no episode is followed back further than a little beyond."""
LOOKED_AT_WITHIN_MS: Final = 5 * MINUTE_MS
"""What comes late without a pause is looked at so often."""
LOOKS_AGAIN_MS: Final = 10 * MINUTE_MS
"""An episode that goes on, and of which only a look back knows, is looked at again so long after."""
_NEWEST_MS: Final = 5 * MINUTE_MS
"""A reading may be stamped so long after its reception at most."""
_SINCE_2020_S: Final = 1_577_836_800
_KINDS: Final = 8
"""More than there are levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """As all readings show it. ``number`` is its own, where no finding was made of it yet.

    ``top`` says its highest level first; ``shown_at`` is its last abnormal reading, in ms.

    ``end`` says that it is over, ``pause`` that nothing is known any more; ``is_news``: people may still need to know.
    """

    number: int
    onset: Evidence
    top: Finding
    shown_at: int
    end: Finding | None
    pause: Finding | None
    is_news: bool

    @property
    def since(self) -> int:
        """When it began, in ms."""
        return self.onset.observed_at

    @property
    def until(self) -> int:
        """When it was over, in ms; FOREVER where it goes on."""
        return self.end.observed_at if self.end else FOREVER

    @property
    def says(self) -> tuple[int, int]:
        """When it began, in ms, and its highest level."""
        return self.since, self.top.level


class Off(NamedTuple):
    """A device has said at ``at``, in ms, that it is off the body, and nothing has shown since that it is worn."""

    device_no: int
    at: int
    is_charging: bool


@dataclass(slots=True)
class Look:
    """One look back. It asks for the readings from ``since`` up to before ``until``, and for more, until it is done.

    ``asked`` names the rule, whose ``rule`` it is, and the time; ``received_by`` is how far the log had come, in ms.
    ``gone`` are readings that were this person's, and have been given to somebody else.
    ``known_rows`` is for who looks back many times.
    ``known`` are all findings of this rule about this person, in the order in which they were made, ``known_as`` is
    what looks back have seen of their episodes. ``findings`` and ``seen`` are what follows.
    """

    asked: LookBack
    rule: Rule
    limits: LimitBook
    received_by: int
    known: Sequence[Finding]
    known_as: Sequence[Seen]
    gone: AbstractSet[Source] = frozenset()
    known_rows: KnownRows | None = None
    since: int = field(init=False)
    until: int = field(init=False)
    findings: list[Finding] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    follow: LookBack | None = None
    _stood: list[Stood] = field(init=False)
    _reach_ms: int = field(init=False)

    def __post_init__(self) -> None:
        assert self.rule.fold is not None  # noqa: S101 - no other rule looks back
        self._reach_ms = reach_ms(self.rule.fold)
        self._stood = stood_of(self.known, self.known_as)
        near = [one.since for one in self._stood if self._concerns(one)]
        first = min([self.asked.first_at - self._reach_ms, *near])
        self.since = max(first - self._reach_ms, self.asked.first_at - FURTHEST_MS)
        last = self.asked.last_at + 2 * self._reach_ms
        # What is over is news for so long, unless something usable has come since: that has to be known.
        is_recent = last >= self.received_by - CURRENT_FOR_MS
        self.until = self._end if is_recent else min(last, self._end)

    @property
    def _end(self) -> int:
        return self.received_by + _NEWEST_MS

    def _concerns(self, one: Stood | Episode) -> bool:
        """Whether late readings of that time may matter for it."""
        first, last = self.asked.first_at - self._reach_ms, self.asked.last_at + self._reach_ms
        return one.since <= last and first <= one.until

    def take(self, records: Iterable[JudgedUplink], off: Iterable[Off]) -> bool:
        """All records of this person from ``since`` up to before ``until``; False: they have to reach further.

        ``off`` are devices that were off the body when these begin.
        """
        taking = self.taking(records, off)
        while True:
            try:
                next(taking)
            except StopIteration as done:
                return bool(done.value)

    def taking(self, records: Iterable[JudgedUplink], off: Iterable[Off]) -> Generator[None, None, bool]:
        """As ``take``; gives the caller its turn now and then."""
        listed, shown = list(records) if self.known_rows else in_order_of_time(records), list[Episode]()
        if not self._is_quiet(listed):
            by = self.asked, self.rule, self.limits, self.since
            shown = self._episodes(*(yield from judged(*by, listed, off, self.known_rows)))
        mine = [one for one in shown if self._concerns(one)]
        begins_before = [one for one in mine if one.since < self.since + self._reach_ms]
        if begins_before and self.since > self.asked.first_at - FURTHEST_MS:
            self.since = max(self.since - 4 * self._reach_ms, self.asked.first_at - FURTHEST_MS)
            return False
        if self.until < self._end and any(one.until == FOREVER for one in mine):
            self.until = min(self.until + (self.until - self.since), self._end)
            return False
        self._compare(shown, listed)
        return True

    def _is_quiet(self, listed: Iterable[JudgedUplink]) -> bool:
        """Whether no value is beyond any limit, by limits that held for all of them: then there was no episode."""
        folds = self.limits.folds(self.rule, self.asked.subject.person_no)
        fold = folds.fold
        if folds.begins_at != ALWAYS or folds.ends_at != NEVER or not isinstance(fold, Beyond):
            return False
        inputs = {INPUTS[code] for code in self.rule.inputs}
        values = {one[3] for record in listed for one in record.readings if one[2] in inputs}
        return all(map(fold.is_between, values))

    def _episodes(self, state: HomeState, effects: list[Effect]) -> list[Episode]:
        evaluation = state.subject(self.asked.subject.person_no).evaluation(self.rule)
        shown_until, usable_at = evaluation.shown_until(), evaluation.newest_usable_at()
        effects += pass_time(state, self.asked.subject.home_no, self.received_by)
        said: dict[tuple[str, int], list[Finding]] = {}
        for one in effects:
            if isinstance(one, Finding) and one.rule == self.rule.name:
                said.setdefault((one.concern, one.episode), []).append(one)
        found = [self._episode(those, shown_until, usable_at) for those in said.values()]
        return _numbered(one for one in found if one is not None)

    def _episode(self, said: Sequence[Finding], shown_until: int, usable_at: int) -> Episode | None:
        levels = [one for one in said if one.level]
        ends = [one for one in said if not one.level and one.end_reason is not EndReason.NO_DATA]
        if not levels or any(one.end_reason is EndReason.DISPROVED for one in ends):
            return None
        end, top = ends[-1] if ends else None, max(levels, key=lambda one: (one.level, one.severity))
        onset = min((one.evidence[0] for one in levels), key=lambda one: one.observed_at)
        shown_at = max(
            [item.observed_at for one in levels for item in one.evidence]
            + ([end.evidence[0].observed_at] if end else [shown_until])
        )
        pauses = [one for one in said if one.end_reason is EndReason.NO_DATA]
        followed = usable_at > shown_at
        is_news_for = URGENT_FOR_MS if top.severity is Severity.HIGH and followed else CURRENT_FOR_MS
        return Episode(
            number=number_of(onset.observed_at),
            onset=onset,
            top=top,
            shown_at=shown_at,
            end=end,
            pause=pauses[-1] if pauses and not end else None,
            is_news=self.asked.received_at - shown_at <= is_news_for,
        )

    def _compare(self, shown: Sequence[Episode], records: Sequence[JudgedUplink]) -> None:
        of_episode: dict[int, list[Stood]] = {}
        doubted: list[Stood] = []
        for one in self._stood:
            same = [episode for episode in shown if one.overlaps(episode.top.concern, episode.since, episode.until)]
            if same:
                nearest = min(same, key=lambda episode: _distance(episode, one))
                of_episode.setdefault(shown.index(nearest), []).append(one)
            elif self._concerns(one) and one.version == self.rule.version:
                doubted.append(one)
        newest = _newest(records, self.rule) if doubted else None
        if newest is not None:
            # What rests on readings that came after this moment is not for this look to judge.
            sources = {source_of(item, record) for record in records for item in record.readings} | self.gone
            found = [one for one in doubted if one.sources <= sources]
            self.findings += [disproof_of(self.rule, self.asked.subject, one, newest) for one in found]
        for place, episode in enumerate(shown):
            known = of_episode.get(place)
            if not self._concerns(episode):
                continue
            if known is None:
                self._say_new(episode)
            for one in known or ():
                self._say_more(episode, one)

    def _say_new(self, episode: Episode) -> None:
        # One that was disproved, and is there after all, is said under other ids.
        known = stood_of(self.known, self.known_as, all_of_them=True)
        heard = next((one.heard for one in known if one.episode == episode.number), 0)
        before = len(self.findings)
        self.findings.append(self._as_said(episode, episode.number, heard, retrospective=not episode.is_news))
        self._say_end(episode, episode.number, heard, retrospective=not episode.is_news)
        self._see(episode, episode.number, heard + len(self.findings) - before)

    def _say_more(self, episode: Episode, known: Stood) -> None:
        """Of one that stands already: that it was worse than was said. When it began is noted."""
        if known.version != self.rule.version:
            return
        before, is_worse, is_over = len(self.findings), episode.top.level > known.level, known.until != FOREVER
        is_news = is_worse and episode.is_news
        if is_worse:
            self.findings.append(self._as_said(episode, known.episode, known.heard, retrospective=not is_news))
        # Its own evaluation ends the one that it knows; nobody else ends what only a look back knows.
        if (known.episode < 0 and not is_over) or (is_news and is_over):
            no_news = not known.is_current and not is_news
            self._say_end(
                episode, known.episode, known.heard, retrospective=no_news, is_paused=known.is_paused and not is_worse
            )
        if episode.says != (known.since, known.level):
            self._see(episode, known.episode, known.heard + len(self.findings) - before, known.concern)

    def _see(self, episode: Episode, number: int, heard: int, concern: str | None = None) -> None:
        about = episode.top.concern if concern is None else concern
        self.seen.append(Seen(about, number, episode.since, episode.top.level, heard))

    def _say_end(
        self, episode: Episode, number: int, heard: int, *, retrospective: bool, is_paused: bool = False
    ) -> None:
        end = episode.end or (None if is_paused else episode.pause)
        if end is not None:
            at = end.observed_at if episode.end else -end.observed_at
            self.findings.append(
                replace(
                    end, episode=number, said=_said(at, ENDED, heard), retrospective=retrospective,
                    looked_back=True,
                )
            )  # fmt: skip
        if number < 0 and episode.end is None and not (retrospective and episode.pause):
            # Until it ends; one that nobody was notified of, until it pauses.
            at = self.received_by + LOOKS_AGAIN_MS
            self.follow = replace(self.asked, first_at=episode.since, last_at=episode.shown_at, received_at=at)

    def _as_said(self, episode: Episode, number: int, heard: int, *, retrospective: bool) -> Finding:
        top = episode.top
        evidence = top.evidence if episode.onset in top.evidence else (episode.onset, *top.evidence)
        return replace(
            top, episode=number, evidence=evidence, looked_back=True,
            said=_said(episode.since, top.level, heard), retrospective=retrospective,
        )  # fmt: skip


def disproof_of(rule: Rule, subject: Subject, known: Stood, newest: Sample) -> Finding:
    """The end of an episode that no reading shows any more; ``newest`` is what is known by now."""
    mark = Mark(ENDED, newest, newest, EndReason.DISPROVED, about=known.concern)
    said = _said(-known.since, _KINDS - 1, known.heard)
    finding = finding_from(rule, subject, known.episode, mark, said=said)
    # Who was notified of it hears no more of it; an end that was said is not said again.
    is_no_news = not known.is_current or known.until != FOREVER
    return replace(finding, looked_back=True, retrospective=is_no_news)


def number_of(since: int) -> int:
    """The number of an episode that only a look back has found, by when it began, in ms: below 0, as no other is."""
    return _SINCE_2020_S - since // 1000


def _numbered(found: Iterable[Episode]) -> list[Episode]:
    """In the order of time. With two devices that contradict each other, several may begin at one moment."""
    listed: list[Episode] = []
    for one in sorted(found, key=lambda one: (one.since, one.until)):
        same = sum(before.since == one.since for before in listed)
        listed.append(replace(one, number=one.number - same))
    return listed


def _distance(episode: Episode, known: Stood) -> tuple[int, bool, bool, bool]:
    """How well an episode fits one that stands: the smallest fits best."""
    says, goes_on = (known.since, known.level), (episode.until == FOREVER, known.until == FOREVER)
    apart = abs(episode.since - known.since)
    return apart, episode.number != known.episode, goes_on[0] is not goes_on[1], episode.says != says


def _said(at: int, kind: int, heard: int) -> int:
    """The number of what a look back says of an episode of which so much was said: as large as no evaluation counts."""
    said = abs(at) * _KINDS + kind + heard * 2**50
    return said if at > 0 else -said


def _newest(records: Sequence[JudgedUplink], rule: Rule) -> Sample | None:
    # A symptom is no reading.
    vitals = {INPUTS[code] for code in rule.inputs}
    found = [
        Sample(one.observed_at, one.value, record.device_no, record.epoch, record.seq, one.item, one.vital, one.flags,
               record.received_at, record.device_type)
        for record in records
        for one in record.readings
        if one.vital in vitals
    ]  # fmt: skip
    return max(found, default=None)


def in_order_of_time(records: Iterable[JudgedUplink]) -> list[JudgedUplink]:
    """The records cut up, so that each has what one device measured at one time; in the order of these times."""
    parts = []
    for record in records:
        moments = {one[4] for one in record.readings}
        if record.events:
            moments.update(one.observed_at for one in record.events)
        for at in moments:
            part = record if len(moments) == 1 else _of_moment(record, at)
            parts.append((at, record.device_no, record.epoch, record.seq, part))
    parts.sort(key=itemgetter(0, 1, 2, 3))
    return [part[4] for part in parts]


def _of_moment(record: JudgedUplink, at: int) -> JudgedUplink:
    return record._replace(
        readings=tuple(one for one in record.readings if one.observed_at == at),
        events=tuple(one for one in record.events if one.observed_at == at),
    )
