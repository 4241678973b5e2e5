"""What has been said of a rule's episodes, kept apart from samples; reconciles it with what late samples show. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final, NamedTuple

from schemas.alerts import EndReason, Finding
from services.score.age import Reception
from services.score.rule import ENDED, Mark, Rule, Subject, finding_from
from services.score.sample import Sample

FOREVER: Final = 2**62


@dataclass(slots=True)
class Reported:
    """An episode that findings were made of. ``until`` is when its end was reported.

    ``concern`` is "" where the rule has but one, or where an older version of score did not write it.
    ``findings`` counts those that were made, ``paused_at`` is when the last pause began that was reported, ``worst``
    the worst value; None where there is none, or an older version of score did not write it. ``is_current``: one of
    them was news when it was found. ``is_confirmed``: not said by one doubtful reading alone. ``shown`` is the level
    that samples showed at last, which may be less than was said.
    """

    episode: int
    since: int
    until: int
    level: int
    concern: str = ""
    findings: int = 0
    paused_at: int = 0
    worst: float | None = None
    is_current: bool = True
    is_confirmed: bool = True
    shown: int = -1

    def __post_init__(self) -> None:
        # An older version of score did not write it.
        if self.shown < 0:
            self.shown = self.level

    def take(self, mark: Mark, *, is_current: bool) -> "Report | None":
        """The finding to make of ``mark``; None where it says nothing new."""
        if mark.pauses_at:
            if mark.pauses_at <= self.paused_at:
                return None
            self.paused_at = mark.pauses_at
        elif mark.level == ENDED:
            self.until = mark.last.at
        else:
            self.level = self.shown = mark.level
            self.is_current = is_current or (self.findings > 0 and self.is_current)
            self.is_confirmed = mark.confirmed or (self.findings > 0 and self.is_confirmed)
            limits, value = mark.limits, mark.last.value
            if limits is not None and (self.worst is None or limits.worsening(self.worst, value) > 0):
                self.worst = value
        self.findings += 1
        # The end of what was never current is no news either.
        return Report(self.episode, mark, self.findings, is_current if mark.level else self.is_current)

    def is_outdone_by(self, mark: Mark) -> bool:
        """Whether ``mark`` is worse than what was reported, or no longer in doubt."""
        if mark.level == self.level and mark.confirmed and not self.is_confirmed:
            return True
        if mark.level > self.level or mark.limits is None or self.worst is None or not mark.level:
            return mark.level > self.level
        return mark.limits.worsening(self.worst, mark.last.value) >= mark.limits.worse_by


@dataclass(slots=True)
class Seen:
    """An episode as the samples of the window show it; ``standing`` says it where it began before the window."""

    since: int
    until: int
    level: int
    marks: list[Mark]
    standing: Mark | None = None

    @property
    def concern(self) -> str:
        """What it is about."""
        return (self.standing or self.marks[0]).concern


def put_mark(mark: Mark, found: list[Seen]) -> None:
    """Adds what was reached to the episodes as they go."""
    # A doubt about one side may stand beside an episode of the other.
    going = next((one for one in reversed(found) if one.until == FOREVER and one.concern == mark.concern), None)
    if mark.level == ENDED:
        # The end of what never was is none.
        if going is None:
            return
        going.until = FOREVER if mark.pauses_at else mark.last.at
    elif going is None:
        going = Seen(mark.first.at, FOREVER, mark.level, [])
        found.append(going)
    if mark.level:
        going.level = mark.level
    going.marks.append(mark)


@dataclass(frozen=True, slots=True)
class Report:
    """A finding to make of ``mark``: the ``said``-th, from 1, of episode number ``episode``."""

    episode: int
    mark: Mark
    said: int
    is_current: bool = True


class Behind(NamedTuple):
    """Of what readings of ``[first_at, last_at]`` show, a rule can't say itself how much it changes. In ms.

    They came later than its window, or they change what was said of an episode otherwise than by making it worse.
    """

    first_at: int
    last_at: int


def finding_of(rule: Rule, subject: Subject, report: Report) -> Finding:
    """The finding of a report about ``subject``."""
    finding = finding_from(rule, subject, report.episode, report.mark, said=report.said)
    return finding if report.is_current else replace(finding, retrospective=True)


class Episodes:
    """Of one rule about one person, each of one concern; numbered together: ``highest`` is the last number given out.

    Nothing is reported twice. ``reported`` are those that late samples may still change.
    """

    __slots__ = ("highest", "reported")

    def __init__(self, highest: int = 0) -> None:
        self.reported: list[Reported] = []
        self.highest = highest

    def reports(self, marks: Iterable[Mark], reception: Reception) -> list[Report]:
        """What follows from the marks of the newest sample, or of time that has passed."""
        return [report for mark in marks if (report := self._report(mark, reception)) is not None]

    def _report(self, mark: Mark, reception: Reception) -> Report | None:
        reported = self._standing(mark.concern)
        if reported is None and mark.level == ENDED:
            return None
        # What nobody confirmed is said once, whether time showed it or the next reading.
        if reported is not None and not mark.confirmed and not reported.is_outdone_by(mark):
            return None
        is_current = mark.level != ENDED and reception.is_current(mark)
        return (reported or self._begin(mark.first.at, mark.concern)).take(mark, is_current=is_current)

    @property
    def looks_back(self) -> bool:
        """Whether an episode goes on of which nothing was news when it was found."""
        return bool(self.reported) and any(one.until == FOREVER and not one.is_current for one in self.reported)

    def still(self, mark: Mark | None, reception: Reception) -> list[Report]:
        """``mark`` of an episode that was a look back, where it still goes on: that is news."""
        reported = self._standing(mark.concern) if mark else None
        if mark is None or reported is None or reported.is_current or not reception.is_current(mark):
            return []
        report = reported.take(mark._replace(level=max(mark.level, reported.level)), is_current=True)
        return [report] if report else []

    def disprove(self, sample: Sample) -> list[Report]:
        """Ends those that go on: what has said them does not decide any more, and what does sees nothing of them."""
        ends = [one.take(_disproof(one, sample), is_current=False) for one in self.standing]
        return [one for one in ends if one is not None]

    def _standing(self, concern: str) -> Reported | None:
        return next((one for one in self.reported if one.until == FOREVER and _same(one, concern)), None)

    def reconcile(self, found: Iterable[Seen], window: Sequence[Sample], reception: Reception) -> list[Report | Behind]:
        """Reports what differs between the episodes of the window and the ones reported."""
        reports: list[Report | Behind] = []
        free, self.reported = self.reported, []
        for episode in found:
            reported = _matching(free, episode)
            if reported is None:
                reported = self._begin(episode.since, episode.concern)
            else:
                free.remove(reported)
                # It began at another time, or was never so grave, or is again: that is nothing to say at once.
                if (reported.since, reported.shown) != (episode.since, episode.level):
                    reports.append(from_to(reported.since, episode.since))
                if reported.until != FOREVER and episode.level > reported.level:
                    # An end is reported once: what was worse is an episode of its own, with an end of its own.
                    reported = self._begin(episode.since, episode.concern, level=reported.level)
                else:
                    self.reported.append(reported)
            said = _catch_up(reported, episode, reception)
            # What a late reading has shown may be a part of what a look back knows.
            reports += [*said, from_to(episode.since, said[-1].mark.last.at)] if said else []
        # Reported, but not there any more: late samples have disproved it.
        for reported in free:
            if reported.until == FOREVER:
                disproved = reported.take(_disproof(reported, window[-1]), is_current=False)
                reports += [disproved] if disproved else []
            else:
                # Its end was said already.
                reports.append(from_to(reported.since, reported.until))
        return reports

    @property
    def standing(self) -> list[Reported]:
        """Those whose end was not reported."""
        return [one for one in self.reported if one.until == FOREVER]

    def forget(self, before: int) -> None:
        """Drops what ended before ``before``: no late sample reaches it."""
        self.reported = [one for one in self.reported if one.until >= before]

    def _begin(self, since: int, concern: str, *, level: int = 0) -> Reported:
        self.highest += 1
        reported = Reported(self.highest, since, FOREVER, level, concern)
        self.reported.append(reported)
        return reported

    def to_plain(self) -> list[list[Any]]:
        """As plain values, without the number."""
        return [list(astuple(one)) for one in self.reported]

    def kept(self) -> dict[str, Any]:
        """Plain values for a checkpoint; of most people nothing was said, and nothing is written."""
        reported = {"reported": self.to_plain()} if self.reported else {}
        return reported | ({"episodes": self.highest} if self.highest else {})

    @classmethod
    def from_kept(cls, plain: Mapping[str, Any]) -> "Episodes":
        """What ``kept`` wrote, among other things."""
        return cls.from_plain(plain.get("reported", ()), plain.get("episodes", 0))

    @classmethod
    def from_plain(cls, plain: Sequence[Sequence[Any]], highest: int) -> "Episodes":
        """What ``to_plain`` wrote."""
        episodes = cls(highest)
        episodes.reported = [Reported(*one) for one in plain]
        return episodes


def _catch_up(reported: Reported, episode: Seen, reception: Reception) -> list[Report]:
    reports = []
    marks = episode.marks
    # Its beginning lies in the base, so no mark of the window says it: without one it would never be reported.
    if not reported.level and episode.standing is not None and not any(mark.level for mark in marks):
        marks = [episode.standing, *marks]
    for mark in marks:
        # A pause that something has followed is past.
        says = mark is marks[-1] if mark.pauses_at else mark.level == ENDED or reported.is_outdone_by(mark)
        is_current = mark.level != ENDED and reception.is_current(mark)
        report = reported.take(mark, is_current=is_current) if says and reported.until == FOREVER else None
        reports += [report] if report else []
    reported.since, reported.until, reported.concern = episode.since, episode.until, episode.concern
    reported.shown = episode.level
    return reports


def _matching(reported: Sequence[Reported], episode: Seen) -> Reported | None:
    """The reported episode of this concern that overlaps this one and began nearest to it, else the newest.

    An ended one can't be open again.
    """
    overlapping = [
        one
        for one in reversed(reported)
        if _same(one, episode.concern)
        and one.since <= episode.until
        and episode.since <= one.until
        and (one.until == FOREVER or episode.until != FOREVER)
    ]
    # A sitting can begin an episode with a reading that was among those that ended the one before.
    return min(overlapping, key=lambda one: abs(one.since - episode.since), default=None)


def _disproof(reported: Reported, sample: Sample) -> Mark:
    return Mark(ENDED, sample, sample, EndReason.DISPROVED, about=reported.concern)


def from_to(one: int, other: int) -> Behind:
    """What lies between two moments, in ms."""
    return Behind(min(one, other), max(one, other))


def _same(reported: Reported, concern: str) -> bool:
    return reported.concern in {"", concern}
