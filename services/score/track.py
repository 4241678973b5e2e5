"""One rule over one person: the window of samples, its folding, and what has been reported. Pure."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from copy import copy
from dataclasses import astuple, dataclass
from typing import Any, Final

from schemas.alerts import EndReason
from services.score.rule import ENDED, Fold, Mark, Rule, Sample

_MOST_SAMPLES: Final = 32
_MOST_MOVES: Final = 16
_FOREVER: Final = 2**62


@dataclass(slots=True)
class Reported:
    """An episode that findings were made of. ``until`` is when its end was reported."""

    episode: int
    since: int
    until: int
    level: int


@dataclass(slots=True)
class _Episode:
    """An episode as the samples of the window show it."""

    since: int
    until: int
    level: int
    marks: list[Mark]


@dataclass(frozen=True, slots=True)
class Report:
    """A finding to make: ``mark`` of episode number ``episode``."""

    episode: int
    mark: Mark


class Track:
    """The samples of the last ``window_ms`` (the newest 32 at most) over a base state at their beginning.

    In order a sample only advances the fold. A late one inside the window folds the window again; what then differs
    from what was reported is reported: a level not reported yet, an end, a new episode. Nothing is reported twice, and
    an episode that later samples disprove is ended.
    """

    __slots__ = ("_base", "_fold", "_moves", "_reported", "_rest_ms", "_state", "_window", "_window_ms", "episodes")

    def __init__(self, rule: Rule, *, episodes: int = 0) -> None:
        assert rule.fold is not None  # noqa: S101 - only rules with a fold have tracks
        self._fold: Fold[Any] = rule.fold
        self._window_ms, self._rest_ms = rule.fold.window_ms, rule.fold.rest_ms
        self._base = rule.fold.start()
        self._state = rule.fold.start()
        self._window: list[Sample] = []
        self._moves: list[list[int]] = []
        self._reported: list[Reported] = []
        self.episodes = episodes

    def take(self, sample: Sample) -> Sequence[Report] | None:
        """What follows from ``sample``. Raises LateError where it is older than the window."""
        window = self._window
        # Samples compare field by field, the time first.
        if window and sample < window[-1]:
            return self._take_late(sample)
        window.append(sample)
        marks = self._fold.advance(self._state, sample, rested=not self._moves or not self._covered(sample[0]))
        # Only when it is twice as long as it may be, so that most samples cost no trimming.
        if len(window) > 2 * _MOST_SAMPLES or sample[0] - window[0][0] > 2 * self._window_ms:
            self.trim()
        return None if marks is None else [self._report(mark) for mark in marks]

    def move(self, at: int) -> Sequence[Report] | None:
        """The person moved at ``at``: samples from then on for ``rest_ms`` are not taken at rest."""
        if not self._rest_ms:
            return None
        moves, end, window = self._moves, at + self._rest_ms, self._window
        if window and at <= window[-1][0]:
            return self._move_late(at, end)
        if moves and moves[-1][0] <= at <= moves[-1][1]:
            moves[-1][1] = max(end, moves[-1][1])
            return None
        self._cover(at, end)
        return None

    def trim(self) -> None:
        """Folds what has left the window into the base; changes nothing that can be seen from outside."""
        if not self._window:
            return
        horizon = self._horizon()
        # A tuple of the time alone sorts before every sample of that time.
        leaving = bisect_left(self._window, (horizon,))
        for sample in self._window[:leaving]:
            self._fold.advance(self._base, sample, rested=not self._covered(sample.at))
        del self._window[:leaving]
        self._moves = [[max(start, horizon), end] for start, end in self._moves if end > horizon]
        self._reported = [one for one in self._reported if one.until >= horizon]

    def _horizon(self) -> int:
        """Where the window begins, in ms: it holds 32 samples at most (and those at the same time as the oldest)."""
        window = self._window
        horizon = window[-1].at - self._window_ms
        return horizon if len(window) < _MOST_SAMPLES else max(horizon, window[-_MOST_SAMPLES].at)

    def _move_late(self, at: int, end: int) -> Sequence[Report] | None:
        self.trim()
        start = max(at, self._horizon())
        if end <= start:
            return None
        before = [self._covered(sample.at) for sample in self._window]
        self._cover(start, end)
        if before == [self._covered(sample.at) for sample in self._window]:
            return None
        return self._fold_again()

    def _covered(self, at: int) -> bool:
        for start, end in reversed(self._moves):
            # Spans are in order and apart: past the end of the newest one, no earlier one holds it.
            if at >= end:
                return False
            if at >= start:
                return True
        return False

    def _cover(self, start: int, end: int) -> None:
        apart = [one for one in self._moves if one[1] < start or one[0] > end]
        touching = [one for one in self._moves if one[1] >= start and one[0] <= end]
        joined = [min([start, *(one[0] for one in touching)]), max([end, *(one[1] for one in touching)])]
        self._moves = sorted([*apart, joined])[-_MOST_MOVES:]

    def _take_late(self, sample: Sample) -> Sequence[Report] | None:
        if sample.at < self._horizon():
            raise LateError
        insort(self._window, sample)
        return self._fold_again()

    def _fold_again(self) -> Sequence[Report]:
        self.trim()
        # A shallow copy does: folds replace what they hold and change none of it.
        state = copy(self._base)
        # An episode that began before the window: it has no mark in it.
        found = [_Episode(state.since, _FOREVER, state.level, [])] if state.level else []
        for sample in self._window:
            marks = self._fold.advance(state, sample, rested=not self._covered(sample.at))
            for mark in marks or ():
                if mark.level == ENDED:
                    found[-1].until = mark.last.at
                elif not found or found[-1].until != _FOREVER:
                    found.append(_Episode(mark.first.at, _FOREVER, mark.level, []))
                if mark.level:
                    found[-1].level = mark.level
                found[-1].marks.append(mark)
        self._state = state
        return self._reconcile(found)

    def _reconcile(self, found: list[_Episode]) -> list[Report]:
        """Reports what differs between the episodes of the window and the ones reported."""
        reports: list[Report] = []
        free, self._reported = self._reported, []
        for episode in found:
            reported = _matching(free, episode)
            if reported is None:
                reported = self._new_episode(episode.since)
            else:
                free.remove(reported)
                if reported.until != _FOREVER and episode.level > reported.level:
                    # An end is reported once: what was worse is an episode of its own, with an end of its own.
                    reported = self._new_episode(episode.since, level=reported.level)
                else:
                    self._reported.append(reported)
            reports += self._catch_up(reported, episode)
        # Reported, but not there any more: late samples have disproved it.
        for reported in free:
            if reported.until == _FOREVER:
                newest = self._window[-1]
                reports.append(Report(reported.episode, Mark(ENDED, newest, newest, EndReason.DISPROVED)))
        return reports

    def _catch_up(self, reported: Reported, episode: _Episode) -> list[Report]:
        reports = []
        marks = episode.marks
        # Its beginning lies in the base, so no mark says it: one is made, or it would never be
        # reported.
        if not reported.level and episode.level and not any(mark.level for mark in marks):
            marks = [Mark(episode.level, self._window[0], self._window[-1]), *marks]
        for mark in marks:
            if mark.level > reported.level:
                reports.append(Report(reported.episode, mark))
                reported.level = mark.level
            elif mark.level == ENDED and reported.until == _FOREVER:
                reports.append(Report(reported.episode, mark))
        reported.since, reported.until = episode.since, episode.until
        return reports

    def _report(self, mark: Mark) -> Report:
        reported = next((one for one in self._reported if one.until == _FOREVER), None) or self._new_episode(
            mark.first.at
        )
        if mark.level == ENDED:
            reported.until = mark.last.at
        else:
            reported.level = mark.level
        return Report(reported.episode, mark)

    def _new_episode(self, since: int, *, level: int = 0) -> Reported:
        self.episodes += 1
        reported = Reported(self.episodes, since, _FOREVER, level)
        self._reported.append(reported)
        return reported

    def to_plain(self) -> dict[str, Any]:
        """The same for the same samples, however often and whenever it was trimmed before."""
        self.trim()
        return {
            "base": list(astuple(self._base)),
            "window": list(self._window),
            "moves": self._moves,
            "reported": [list(astuple(one)) for one in self._reported],
            "episodes": self.episodes,
        }

    @classmethod
    def from_plain(cls, rule: Rule, plain: dict[str, Any]) -> "Track":
        """The track that ``to_plain`` wrote."""
        track = cls(rule, episodes=plain["episodes"])
        if "base" not in plain:
            return track
        track._base = type(track._base)(*(Sample(*one) if isinstance(one, list) else one for one in plain["base"]))
        track._window = _samples_of(plain["window"])
        track._moves = [list(one) for one in plain["moves"]]
        track._reported = [Reported(*one) for one in plain["reported"]]
        track._state = copy(track._base)
        for sample in track._window:
            track._fold.advance(track._state, sample, rested=not track._covered(sample.at))
        return track


def _samples_of(plain: Sequence[Sequence[Any]]) -> list[Sample]:
    """Samples that share integers: else each would be half as large again."""
    shared: dict[int, int] = {}
    return [
        Sample(at, value, shared.setdefault(device_no, device_no), shared.setdefault(epoch, epoch), seq, item)
        for at, value, device_no, epoch, seq, item in plain
    ]


class LateError(Exception):
    """A sample is older than the window of its rule."""


def _matching(reported: Sequence[Reported], episode: _Episode) -> Reported | None:
    """The newest reported episode that overlaps this one; an ended one can't be open again."""
    for one in reversed(reported):
        overlaps = one.since <= episode.until and episode.since <= one.until
        if overlaps and not (one.until != _FOREVER and episode.until == _FOREVER):
            return one
    return None
