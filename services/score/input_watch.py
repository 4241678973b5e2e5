"""Counts what models are asked, writes the counts, and shows how far they are from training. Never a person's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from math import nan
from typing import Final, NamedTuple

from schemas.alerts import Variant
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedUplink, UplinkRecord
from schemas.vitals import GLUCOSE
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.score.followups import Effect
from services.score.home_state import HomeState
from services.score.models.feature_drift import ModelInputs, Spread
from services.score.questions import Question
from services.score.rules.glucose_forecast import GLUCOSE_FORECAST
from services.score.sample import SPOT_TYPES

_SQL: Final = load_queries("services.score", "model_inputs.sql")
_KEPT: Final = timedelta(days=400)
_DAY_MS: Final = 86_400_000
_FIRST_DAY: Final = date(1970, 1, 1)
_WITHOUT_GLUCOSE: Final = SPOT_TYPES | {kind.number for kind in DEVICE_TYPES if GLUCOSE.code not in kind.vitals}
"""Device types that nobody forecasts by: they measure when somebody asks, or something else."""


class _Asked(NamedTuple):
    """A row of features that a fit of a rule's model was asked about a person."""

    rule: str
    fit: str
    person_no: int
    features: Sequence[float]


class InputWatch:
    """What live models are asked. Of a monitor the newest row of a batch counts, so late ones do not.

    Each row is compared with what the fit that answered it was fitted on, and shown is the fit that was asked last:
    where another one is promoted, that one. After a crash the log is read again, and some rows count twice: an index
    hardly moves by that.
    """

    def __init__(
        self,
        at_training: Mapping[str, Mapping[str, Spread]],
        *,
        pool: Pool,
        clock: Clock,
        metrics: Metrics,
        instance: str,
    ) -> None:
        """``at_training``: of each feature, by the name of the fit; nothing of what has none."""
        self._pool, self._clock, self._metrics, self._instance = pool, clock, metrics, instance
        self._at_training = {fit: known for fit, known in at_training.items() if known}
        self._models: dict[str, ModelInputs] = {}
        self._asked_last: dict[str, str] = {}
        self._shown: dict[str, set[str]] = {}

    def see(self, records: Sequence[UplinkRecord], homes: Mapping[int, HomeState], effects: Iterable[Effect]) -> None:
        """A batch that has been stepped over; ``effects`` with the questions that follow from it."""
        uplinks = [one for one in records if isinstance(one, JudgedUplink)] if self._at_training else []
        if not uplinks:
            return
        day = max(one.received_at for one in uplinks) // _DAY_MS
        asked: dict[tuple[str, str], list[_Asked]] = {}
        for one in (*_of_monitors(uplinks, homes), *_of_questions(effects)):
            asked.setdefault((one.rule, one.fit), []).append(one)
        for (rule, fit), rows in asked.items():
            self._asked_last[rule] = fit
            if fit in self._at_training:
                self._count(rule, fit, day, rows)

    def _count(self, rule: str, fit: str, day: int, asked: Sequence[_Asked]) -> None:
        if fit not in self._models:
            self._models[fit] = ModelInputs(model=rule, spreads=self._at_training[fit])
        self._models[fit].see(day, [one.person_no for one in asked], [one.features for one in asked])
        self._metrics.count("hb_score_model_rows_total", len(asked), model=rule)

    async def settle(self) -> int:
        """Writes what is new and shows how far it is from training. Raises LOST_CONNECTION: it is written later."""
        written = [(one, today) for one in self._models.values() for today in one.days if today.has_news]
        if written:
            # What is counted meanwhile is written the next time.
            news = [(one, today, today.take()) for one, today in written]
            try:
                async with transaction(self._pool) as connection:
                    for one, today, counts in news:
                        await connection.executemany(
                            _SQL["add_model_inputs"],
                            [
                                (
                                    _date(today.day), one.model, fit_of(one.spreads), name, self._instance,
                                    list(one.spreads[name].shares), counts[name].tolist(), len(today.people),
                                )
                                for name in one.spreads
                            ],
                        )  # fmt: skip
                    now = to_datetime(self._clock.now_ms()).date()
                    await connection.execute(_SQL["forget_model_inputs"], now - _KEPT)
            except BaseException:
                for _, today, counts in news:
                    today.give_back(counts)
                raise
        self._show()
        return 0

    def _show(self) -> None:
        for rule, fit in self._asked_last.items():
            by_feature = self._models[fit].drift().by_feature if fit in self._models else {}
            # Of a fit of which nothing is known, what the one before it was asked is shown no more.
            for feature in self._shown.setdefault(rule, set()) | by_feature.keys():
                index = by_feature.get(feature, nan)
                self._metrics.set("hb_score_model_drift_ratio", index, model=rule, feature=feature)
            self._shown[rule].update(by_feature)


def fit_of(spreads: Mapping[str, Spread]) -> str:
    """Which fit of a model it is: counts against other spreads are not added to these."""
    return sha256(repr([(name, tuple(one)) for name, one in spreads.items()]).encode()).hexdigest()[:8]


def _of_questions(effects: Iterable[Effect]) -> list[_Asked]:
    """What live models that answer a batch at once were asked."""
    return [
        _Asked(one.rule.name, one.rule.artefact, one.subject.person_no, one.features)
        for one in effects
        if isinstance(one, Question) and not one.lapsed_at and one.rule.variant is Variant.LIVE
    ]


def _of_monitors(uplinks: Iterable[JudgedUplink], homes: Mapping[int, HomeState]) -> list[_Asked]:
    """The newest rows of the monitors that sent something, as the live forecast sees them."""
    sent = {
        (uplink.home_no, person_no, uplink.device_no)
        for uplink in uplinks
        if uplink[12] not in _WITHOUT_GLUCOSE
        for _, person_no, vital, _, _, _ in uplink.readings
        if vital == GLUCOSE.number
    }
    asked: list[_Asked] = []
    for home_no, person_no, device_no in sorted(sent):
        person = homes[home_no].subjects.get(person_no) if home_no in homes else None
        evaluation = person.evaluations.get(GLUCOSE_FORECAST.key) if person else None
        features = evaluation.features(device_no) if evaluation else None
        if evaluation is not None and features is not None:
            asked.append(_Asked(GLUCOSE_FORECAST.name, evaluation.rule.artefact, person_no, features))
    return asked


def _date(day: int) -> date:
    return _FIRST_DAY + timedelta(days=day)
