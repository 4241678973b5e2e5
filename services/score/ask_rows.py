"""The rows of asks: each is sent once, and later it is found out what came of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.asks import COMMAND_OF, AskKind, AskOutcome
from schemas.devices import DEVICE_TYPES
from schemas.events import EVENT_TYPE_BY_KIND, EventKind, Whose, names_symptom
from schemas.reasons import NOT_SCORED
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Connection, Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.score.asks import OPEN_MS, SENT_WITHIN_MS, SPEAKING, Ask, details_of
from services.score.held_rows import hear_whose

_SQL: Final = load_queries("services.score", "asks.sql")
_ASKS: Final = "hb_score_asks_total"
_SAID: Final[Mapping[str, AskOutcome]] = MappingProxyType({Whose.YES: AskOutcome.MINE, Whose.NO: AskOutcome.NOT_MINE})
"""What an answer to "is this yours?" comes to; an unclear one is as good as none."""
_ANSWERS: Final = EVENT_TYPE_BY_KIND[EventKind.CHECK_IN_ANSWERED].number


async def add_ask(connection: Connection, ask: Ask, *, now_ms: int, metrics: Metrics) -> None:
    """Asks through a device of the person, unless they were asked the same lately, or it is too late by now."""
    if now_ms - ask.received_at > SENT_WITHIN_MS:
        metrics.count(_ASKS, kind=ask.kind, through="too_late")
        return
    command, sample, asked_at = COMMAND_OF[ask.kind], ask.sample, to_datetime(ask.received_at)
    through = await connection.fetchrow(
        _SQL["device_that_asks"],
        ask.subject.person_no, ask.subject.home_no, sample.device_no, asked_at,
        [kind.code for kind in DEVICE_TYPES if command in kind.commands], list(SPEAKING),
    )  # fmt: skip
    is_new = await connection.fetchval(
        _SQL["add_ask"],
        ask.ask_id, ask.subject.home_no, ask.subject.person_no, ask.kind, sample.vital,
        sample.device_no, sample.epoch, sample.seq, sample.item, to_datetime(sample.at),
        asked_at, to_datetime(ask.due_at), to_datetime(sample.at + OPEN_MS), timedelta(milliseconds=OPEN_MS),
        through is not None,
    )  # fmt: skip
    if not is_new:
        return
    metrics.count(_ASKS, kind=ask.kind, through=through["device_type"] if through else "nobody")
    if through is not None:
        details = details_of(ask, through["slot"] if through["device_no"] == sample.device_no else None)
        expires_at = to_datetime(ask.received_at + SENT_WITHIN_MS)
        await connection.execute(
            _SQL["send_ask"], ask.ask_id, through["device_no"], command, details, asked_at, expires_at
        )


class Came(NamedTuple):
    """What came of an ask, and when that was observed, in ms; None where nothing was."""

    outcome: AskOutcome
    at: int | None


def outcome_of(
    kind: AskKind,
    measured_at: int | None,
    answers: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    is_over: bool,
) -> Came | None:
    """What came of it by what is known now; None while it may still be answered. A symptom counts before "none".

    The first word on whose reading it was counts before a measurement that was repeated.
    """
    if kind is AskKind.SYMPTOMS:
        # Who says whose a reading is, and nothing of how they are, has answered another ask.
        answers = [one for one in answers if "mine" not in one[1] or "symptom" in one[1]]
        named = next((at for at, details in answers if names_symptom(details)), None)
        if named is not None:
            return Came(AskOutcome.SYMPTOM, named)
        # Somebody who answers "none" may still name one.
        if answers and is_over:
            return Came(AskOutcome.NO_SYMPTOM, answers[0][0])
    elif kind is AskKind.WHO_WAS_MEASURED and (said := _whose(answers)) is not None:
        return said
    elif measured_at is not None:
        return Came(AskOutcome.MEASURED, measured_at)
    return Came(AskOutcome.EXPIRED, None) if is_over else None


def _whose(answers: Sequence[tuple[int, Mapping[str, Any]]]) -> Came | None:
    said = ((at, _SAID.get(details.get("mine", ""))) for at, details in answers)
    return next((Came(outcome, at) for at, outcome in said if outcome is not None), None)


class OpenAsks:
    """Looks at those without an outcome. They are over once the watermark has passed the end of their time."""

    def __init__(self, *, pool: Pool, clock: Clock, metrics: Metrics) -> None:
        self._pool, self._clock, self._metrics = pool, clock, metrics

    async def settle(self) -> int:
        """One look; says how many were settled. Raises LOST_CONNECTION: nothing was changed."""
        # Read before the answers: everything received up to it is visible then.
        watermark = await self._pool.fetchval(_SQL["watermark"])
        now, done = to_datetime(self._clock.now_ms()), 0
        async with transaction(self._pool) as connection:
            for row in await connection.fetch(_SQL["open_asks"], _ANSWERS, int(NOT_SCORED)):
                measured_at = row["measured_at"]
                came = outcome_of(
                    AskKind(row["kind"]),
                    None if measured_at is None else to_ms(measured_at),
                    row["answers"],
                    is_over=watermark is not None and watermark > row["open_until"],
                )
                if came is not None:
                    at = None if came.at is None else to_datetime(came.at)
                    await connection.execute(_SQL["settle_ask"], row["ask_id"], came.outcome, at, now)
                    await hear_whose(connection, row["ask_id"], came.outcome, at)
                    self._metrics.count("hb_score_asks_settled_total", outcome=came.outcome)
                    done += 1
        return done
