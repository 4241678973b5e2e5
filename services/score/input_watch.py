"""Counts what models are asked, writes the counts, and shows how far they are from training. Never a person's."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Final

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


class InputWatch:
    """What the models of this process are asked. Of a monitor the newest row of a batch counts, so late ones do not.

    After a crash the log is read again, and some rows count twice: an index hardly moves by that.
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
        """``at_training``: of each feature, by the name of the rule that a model decides; nothing of what has none."""
        self._pool, self._clock, self._metrics, self._instance = pool, clock, metrics, instance
        self._models = {rule: ModelInputs(model=rule, spreads=known) for rule, known in at_training.items() if known}
        self._fits = {rule: fit_of(one.spreads) for rule, one in self._models.items()}

    def see(self, records: Sequence[UplinkRecord], homes: Mapping[int, HomeState], effects: Iterable[Effect]) -> None:
        """A batch that has been stepped over; ``effects`` with the questions that follow from it."""
        uplinks = [one for one in records if isinstance(one, JudgedUplink)] if self._models else []
        if not uplinks:
            return
        day = max(one.received_at for one in uplinks) // _DAY_MS
        asked: dict[str, list[tuple[int, Sequence[float]]]] = {}
        if GLUCOSE_FORECAST.name in self._models:
            asked[GLUCOSE_FORECAST.name] = _of_monitors(uplinks, homes)
        for one in effects:
            if isinstance(one, Question) and not one.lapsed_at and one.rule.key in self._models:
                asked.setdefault(one.rule.name, []).append((one.subject.person_no, one.features))
        for rule, rows in asked.items():
            self._count(rule, day, rows)

    def _count(self, model: str, day: int, asked: Sequence[tuple[int, Sequence[float]]]) -> None:
        if asked:
            self._models[model].see(day, [person_no for person_no, _ in asked], [row for _, row in asked])
            self._metrics.count("hb_score_model_rows_total", len(asked), model=model)

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
                                    _date(today.day), one.model, self._fits[one.model], name, self._instance,
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
        for model, one in self._models.items():
            for feature, index in one.drift().by_feature.items():
                self._metrics.set("hb_score_model_drift_ratio", index, model=model, feature=feature)
        return 0


def fit_of(spreads: Mapping[str, Spread]) -> str:
    """Which fit of a model it is: counts against other spreads are not added to these."""
    return sha256(repr([(name, tuple(one)) for name, one in spreads.items()]).encode()).hexdigest()[:8]


def _of_monitors(uplinks: Iterable[JudgedUplink], homes: Mapping[int, HomeState]) -> list[tuple[int, Sequence[float]]]:
    """By whose they are, the newest rows of the monitors that sent something."""
    sent = {
        (uplink.home_no, person_no, uplink.device_no)
        for uplink in uplinks
        if uplink[12] not in _WITHOUT_GLUCOSE
        for _, person_no, vital, _, _, _ in uplink.readings
        if vital == GLUCOSE.number
    }
    asked: list[tuple[int, Sequence[float]]] = []
    for home_no, person_no, device_no in sorted(sent):
        person = homes[home_no].subjects.get(person_no) if home_no in homes else None
        evaluation = person.evaluations.get(GLUCOSE_FORECAST.key) if person else None
        features = evaluation.features(device_no) if evaluation else None
        if features is not None:
            asked.append((person_no, features))
    return asked


def _date(day: int) -> date:
    return _FIRST_DAY + timedelta(days=day)
