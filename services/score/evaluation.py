"""One rule over one person's window: its fold, from a base at the window's beginning to now. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from math import inf
from typing import Any, Final, Self

from services.score.age import Reception
from services.score.asks import Want, can_ask
from services.score.beyond import Beyond
from services.score.calm import NOBODY, Calm
from services.score.episodes import FOREVER, Behind, Episodes, Report, Seen, from_to, put_mark
from services.score.limit_book import ALWAYS, Folds
from services.score.rule import ENDED, HOUR_MS, NEVER, Fold, Forecasting, Mark, Rule
from services.score.sample import INPUTS, SYMPTOM, Rest, Sample
from services.score.window import Window

LONGEST_GAP_MS: Final = 4 * HOUR_MS
"""No rule knows an episode to go on for longer without a reading, unless its window is longer."""
_PASSED_OVER: Final = "passed_over"


def reach_ms(fold: Fold[Any]) -> int:
    """How far a reading of a rule may matter for what lies before and after it."""
    return fold.window_ms + max(fold.window_ms, LONGEST_GAP_MS)


class Evaluation:
    """In order a sample only advances the fold. A late one inside the rule's window folds it again.

    What then differs from what was reported is reported: a level not reported yet, an end, a new
    episode; and an episode that later samples disprove is ended. The samples are the person's: the
    rule keeps its state before ``_since`` (the base), its state now, and what it has said. Each sample
    is judged by the limits in force when it was received, however late it is folded again.
    ``_passed_over_at`` is the newest moment of which something came too late for this, 0 for none.
    While it is ``calm``, samples are not looked at one by one: ``_newest`` and ``_state`` are behind, until asked for.
    """

    __slots__ = (
        "_base",
        "_fold",
        "_folds",
        "_is_fitted",
        "_newest",
        "_passed_over_at",
        "_since",
        "_state",
        "_window",
        "calm",
        "episodes",
        "inputs",
        "needs_rest",
        "rule",
    )

    def __init__(self, rule: Rule, window: Window, folds: Folds, *, highest: int = 0) -> None:
        assert rule.fold is not None  # noqa: S101 - only rules with a fold are evaluated
        self.rule, self._window, self._folds = rule, window, folds
        self._fold: Fold[Any] = rule.fold
        self._is_fitted = bool(rule.artefact)
        self.inputs = tuple(INPUTS[code] for code in rule.inputs)
        self.needs_rest = rule.fold.needs_rest
        self._base = rule.fold.start()
        self._state = rule.fold.start()
        # A rule that is new begins now: what others have kept in the window was before its time.
        self._newest = window.newest(self.inputs)
        self._since = 0 if self._newest is None else self._newest.at + 1
        self._passed_over_at = 0
        self.calm = Calm()
        self.episodes = Episodes(highest)

    def use(self, folds: Folds) -> None:
        """The limits from now on. What is in force for a sample that was taken already does not change."""
        self._catch_up()
        self._folds = folds

    @property
    def folds(self) -> Folds:
        """By the limits of each time."""
        return self._folds

    @property
    def fold(self) -> Fold[Any]:
        """By the limits in force now."""
        return self._folds.fold

    @property
    def window_ms(self) -> int:
        """How far back the rule looks."""
        return self._fold.window_ms

    def take(self, sample: Sample) -> Sequence[Report | Behind] | None:
        """What follows from ``sample``, which the window holds already."""
        newest = self.newest
        # Of a rule over several vitals: one vital may come after a later sample of another.
        if newest is not None and sample < newest:
            return self.take_late(sample)
        if newest is None and sample.at < self._since:
            return None
        self._newest = sample
        window = self._window
        if window.off and not window.is_usable(sample):
            return None
        rested = not self.needs_rest or not window.movement.spans or not window.movement.is_moving(sample[0])
        folds, received_at = self._folds, sample[8]
        fold = folds.fold if folds.begins_at <= received_at < folds.ends_at else folds.at(received_at)
        marks = fold.advance(self._state, sample, rested=rested)
        if marks is not None:
            reports = self.episodes.reports(map(self._with_rest, marks), Reception(received_at, sample[0]))
            return [*reports, *self._after(reports, sample[0])] if self._passed_over_at else reports
        # Of most people nothing was said.
        if self.episodes.reported:
            return self._go_on(fold, sample, Reception(received_at, sample[0]))
        self._see_if_calm(sample)
        return None

    def _go_on(self, fold: Fold[Any], sample: Sample, reception: Reception) -> Sequence[Report] | None:
        """Of what was said before ``sample``, which changes nothing by itself."""
        if self._is_fitted and not self._state.level:
            # Another fit has said it, whose file is not here any more: nothing else would ever end it.
            return self.episodes.disprove(sample)
        return self._still(fold, sample, reception) if self.episodes.looks_back else None

    def _see_if_calm(self, sample: Sample) -> None:
        """Begins it after a sample from which nothing has followed, by limits that hold however late it was."""
        folds, fold = self._folds, self._folds.fold
        if folds.begins_at == ALWAYS and folds.ends_at == NEVER and isinstance(fold, Beyond) and not self._window.off:
            between = fold.calm_after(self._state, sample)
            if between is not None:
                self.calm.begin(sample, *between)

    def _catch_up(self) -> None:
        """Takes what came while it was calm, which it is no longer."""
        calm = self.calm
        if calm.device_no == NOBODY:
            return
        calm.device_no = NOBODY
        newest, fold = self._newest, self._folds.fold
        if calm.newest is not newest and newest is not None and isinstance(fold, Beyond):
            samples = self._window.samples[self.inputs[0]]
            # What ends it stands in the window already.
            passed = samples[bisect_right(samples, newest) : bisect_right(samples, calm.newest)]
            fold.pass_by(self._state, passed)
            self._newest = calm.newest

    def is_quiet(self, device_no: int, value: float, at: int, received_at: int) -> bool:
        """Whether nothing follows from a value of ``at`` that comes next: of limits that nothing is beyond, or was."""
        folds = self._folds
        fold = folds.fold
        if not isinstance(fold, Beyond) or not fold.is_between(value):
            return False
        return folds.begins_at <= received_at < folds.ends_at and self.is_beyond_nothing(device_no, at)

    def is_beyond_nothing(self, device_no: int, at: int) -> bool:
        """Whether, of limits, nothing is or was beyond any by now, so that values between them change nothing."""
        self._catch_up()
        newest, state = self._newest, self._state
        if not isinstance(self._folds.fold, Beyond) or state.courses or self.episodes.reported:
            return False
        track = state.tracks.get(device_no)
        return track is not None and not track.runs and newest is not None and newest[0] < at

    def put_down(self, samples: Sequence[Sample]) -> None:
        """What ``take`` leaves of one device's samples in order, between all limits, where ``is_beyond_nothing``."""
        fold = self._folds.fold
        assert isinstance(fold, Beyond)  # noqa: S101 - see is_beyond_nothing
        self._newest = samples[-1]
        if len(samples) == 1 or not fold.skip(self._state, samples):
            track = self._state.tracks[samples[0][2]]
            most = inf if track.is_asked else fold.max_step_per_minute
            for sample in samples:
                track.takes(sample, most)

    def take_late(self, sample: Sample) -> Sequence[Report | Behind]:
        """One that comes after a later one, and that the window holds, if the rule looks back so far."""
        at = sample.at
        return self.fold_again(sample.received_at, at) if self.reaches(at) else self.pass_over(at)

    def pass_over(self, at: int) -> Sequence[Behind]:
        """What is of ``at`` comes too late: what it means is in the rows, and from then on less is known here."""
        self._passed_over_at = max(self._passed_over_at, at)
        return [Behind(at, at)]

    def _after(self, reports: Sequence[Report], at: int) -> Sequence[Behind]:
        """At the end of an episode: what was passed over may have made it another one."""
        passed_at = self._passed_over_at
        if all(one.mark.level != ENDED for one in reports):
            return ()
        if at > passed_at + reach_ms(self._fold):
            self._passed_over_at = 0
        return (from_to(passed_at, at),)

    def _still(self, fold: Fold[Any], sample: Sample, reception: Reception) -> Sequence[Report]:
        mark = fold.still(self._state, sample)
        return self.episodes.still(mark and self._with_rest(mark), reception)

    def _with_rest(self, mark: Mark) -> Mark:
        """Says so where a value counts as one at rest because nothing says whether it is."""
        last = mark.last
        if not self.needs_rest or last.is_spot or mark.pauses_at or (mark.passed is not None and mark.passed.moving):
            return mark
        is_known = last.rest is Rest.KNOWN or self._window.movement.is_counted(last.device_no, last.at)
        return mark if is_known else mark._replace(rest=Rest.UNKNOWN)

    @property
    def newest(self) -> Sample | None:
        """The newest sample that was seen, None before the first one."""
        self._catch_up()
        return self._newest

    @property
    def newest_at(self) -> int:
        """When that was taken, in ms; -1 before the first one."""
        newest = self.newest
        return -1 if newest is None else newest[0]

    @property
    def due_at(self) -> int:
        """When the open episode pauses if nothing usable comes until then, in ms."""
        return self._fold.pauses_at(self._state)

    def pass_time(self, now: int) -> Sequence[Report]:
        """Nothing has come until ``now``."""
        if now < self.due_at:
            return ()
        self._catch_up()
        return self.episodes.reports(self._pass(self._state, now), Reception(now, max(0, self.newest_at)))

    def _pass(self, state: Any, now: int) -> list[Mark]:
        """What is due by the time alone, at ``now``; changes ``state``."""
        fold = self._folds.fold
        return [fold.pause(state)] if fold.pauses_at(state) <= now else []

    def wants(self, newest: Sample) -> Sequence[Want]:
        """What the rule wants to know more of ``newest``, where it is one of those that ask."""
        self._catch_up()
        fold = self._folds.at(newest.received_at)
        return fold.wants(self._state, newest) if can_ask(fold) else ()

    def features(self, device_no: int) -> tuple[float, ...] | None:
        """What the rule's model sees of a device by now, where the rule is one that forecasts."""
        fold = self._folds.fold
        return fold.features(self._state, device_no) if isinstance(fold, Forecasting) else None

    def shown_until(self) -> int:
        """When the newest reading was taken that shows the open episode, in ms; 0 where none is open."""
        return self._shown_last().at if self._state.level else 0

    def _shown_last(self) -> Sample:
        return self._fold.pause(self._state.copied()).first

    def newest_usable_at(self) -> int:
        """When the newest reading was taken that says something of the person, in ms; 0 where none does."""
        return next((one.at for one in reversed(self._window.since(self.inputs, 0)) if self._window.is_usable(one)), 0)

    def reaches(self, at: int) -> bool:
        """Whether the rule looks back to ``at``."""
        return at >= max(self.horizon(), self._since)

    def horizon(self) -> int:
        """Where the rule's window begins, in ms: so long ago, and at most so many samples."""
        return self._horizon_of(self.newest)

    def _horizon_of(self, newest: Sample | None) -> int:
        if newest is None:
            return 0
        return max(newest[0] - self._fold.window_ms, self._window.oldest_of_most(self.inputs))

    def circumstances(self) -> list[tuple[bool, bool]]:
        """Of each sample of the rule's window, whether it was taken on the body, and in movement."""
        window = self._window
        return [
            (window.is_usable(one), self.needs_rest and window.movement.is_moving(one.at)) for one in self._samples()
        ]

    def fold_again(self, received_at: int, at: int) -> Sequence[Report | Behind]:
        """The window has changed behind the newest sample, from ``at`` on, by what was received then.

        Gives what was not reported so.
        """
        self.trim()
        state = self._base.copied()
        # An episode that began before the window: it has no mark in it.
        found, samples = [], self._samples()
        if state.level and samples:
            standing = self._folds.at(samples[-1].received_at).standing(state, samples[0], samples[-1])
            found.append(Seen(state.since, FOREVER, state.level, [], self._with_rest(standing)))
        for mark in self._through(state, samples, before=FOREVER):
            put_mark(self._with_rest(mark), found)
        for mark in self._pass(state, received_at) if samples else ():
            put_mark(mark, found)
        self._state = state
        usable = [one for one in samples if self._window.is_usable(one)]
        measured = next((one for one in reversed(usable) if one.vital != SYMPTOM), None)
        reception = Reception(received_at, measured.at if measured else 0)
        reports = self.episodes.reconcile(found, samples, reception)
        if state.level and self.episodes.looks_back:
            shown = self._shown_last()
            reports += self._still(self._folds.at(shown.received_at), shown, reception)
        passed_at = self._passed_over_at
        if passed_at and (state.level or at <= passed_at + reach_ms(self._fold)):
            reports.append(from_to(passed_at, at))
        return reports

    def trim(self) -> int:
        """Folds what has left the rule's window into the base; gives where the window begins now.

        Changes nothing that can be seen from outside.
        """
        return self._trim_to(self.horizon())

    def _trim_to(self, horizon: int) -> int:
        if horizon > self._since:
            self._leave(horizon)
            self._since = horizon
            self.episodes.forget(horizon)
        return self._since

    def hand_over(self) -> None:
        """Folds all that was taken into the base: another fit goes on from there, and judges nothing of before again.

        What comes late of that time is a look back's.
        """
        newest = self.newest
        if newest is not None:
            self._trim_to(newest.at + 1)

    def _leave(self, horizon: int) -> None:
        """Folds into the base what was taken before ``horizon``, in ms."""
        self._through(self._base, self._window.between(self.inputs, self._since, horizon), before=horizon)

    def shown(self) -> Any:
        """What the samples show by now, as plain values: for comparing."""
        self._catch_up()
        return self._state.to_plain()

    def _samples(self) -> list[Sample]:
        return self._window.since(self.inputs, self._since)

    def _through(self, state: Any, samples: Sequence[Sample], *, before: int) -> list[Mark]:
        """What follows from samples in order, which are all of the window of before ``before``; changes ``state``."""
        del before
        if self._skips(state, samples):
            return []
        return [mark for sample in samples for mark in self._advance(state, sample) or ()]

    def _skips(self, state: Any, samples: Sequence[Sample]) -> bool:
        """Whether they were taken at once: of devices that were on the body, by limits that held for all of them."""
        folds = self._folds
        if (
            self._window.off
            or folds.begins_at != ALWAYS
            or folds.ends_at != NEVER
            or not isinstance(folds.fold, Beyond)
        ):
            return False
        return folds.fold.skip(state, samples)

    def _advance(self, state: Any, sample: Sample) -> Any:
        window = self._window
        if window.off and not window.is_usable(sample):
            return None
        rested = not self.needs_rest or not window.movement.spans or not window.movement.is_moving(sample[0])
        folds, received_at = self._folds, sample[8]
        fold = folds.fold if folds.begins_at <= received_at < folds.ends_at else folds.at(received_at)
        return fold.advance(state, sample, rested=rested)

    def to_plain(self) -> dict[str, Any]:
        """The same for the same samples, however often and whenever it was trimmed before."""
        self.trim()
        return {
            "base": self._base.to_plain(),
            "since": self._since,
            **self.episodes.kept(),
        } | ({_PASSED_OVER: self._passed_over_at} if self._passed_over_at else {})

    @classmethod
    def from_plain(cls, rule: Rule, window: Window, folds: Folds, plain: dict[str, Any]) -> Self:
        """The evaluation that ``to_plain`` wrote, over the same window."""
        found = cls(rule, window, folds)
        found._base = found._base.from_plain(plain["base"])
        found._since = plain["since"]
        found._passed_over_at = plain.get(_PASSED_OVER, 0)
        found.episodes = Episodes.from_kept(plain)
        found._newest = window.newest(found.inputs)
        found._state = found._base.copied()
        found._through(found._state, found._samples(), before=FOREVER)
        return found
