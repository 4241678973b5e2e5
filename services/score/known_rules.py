"""The versions of rules as the table has them: looked at every 2 s, read again where one was written."""

import time
from typing import Final

import structlog

from schemas.alerts import Variant
from schemas.rule_versions import RULES_LEAD_S, VersionChange
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.score.learned import LEARNED, Catalogue
from services.score.rule_timeline import RuleTimeline, RuleVersion, Timelines, always

_SQL: Final = load_queries("services.score", "rule_versions.sql")
_LOOK_EVERY_S: Final = 2.0


class KnownRules:
    """The timeline as of at most two seconds ago."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        pool: Pool,
        clock: Clock,
        metrics: Metrics,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._pool, self._clock, self._metrics, self._log = pool, clock, metrics, log
        self._catalogue = catalogue
        self._timelines = Timelines(catalogue.shipped.book, catalogue.models)
        self._timeline = always(catalogue.shipped.book)
        self._mark, self._looked_at, self._beat = -1, float("-inf"), -1

    async def look(self) -> RuleTimeline:
        """The timeline; the same object where nothing has changed. Raises what ``LOST_CONNECTION`` lists."""
        now, beat = time.monotonic(), self._clock.beat
        if now - self._looked_at >= _LOOK_EVERY_S or beat != self._beat:
            mark = await self._pool.fetchval(_SQL["rule_versions_mark"])
            if mark != self._mark:
                self._timeline = self._timelines.of(await read_versions(self._pool))
                self._mark = mark
                self._log.info("versions of rules read", versions=mark)
                self._say_missing()
            self._looked_at, self._beat = now, beat
        return self._timeline

    def _say_missing(self) -> None:
        missing = self._timelines.missing
        without = {name.partition(" ")[0] for name in missing} | set(self._catalogue.shipped.missing)
        for learned in LEARNED:
            self._metrics.set("hb_score_rule_without_model_state", learned.rule in without, rule=learned.rule)
        for name in sorted(missing):
            self._log.error("a model that was chosen is not here: its rule runs as it is shipped", model=name)

    async def write_down(self) -> None:
        """What this score could run, and what it brings. Raises what ``LOST_CONNECTION`` lists."""
        now = self._clock.now_ms()
        models, shipped = self._catalogue.models, self._catalogue.shipped.book.rules
        brought = {rule.artefact: rule.name for rule in shipped if rule.artefact}
        names = sorted(models)
        await self._pool.execute(
            _SQL["see_fitted_models"],
            names, [models[name].name for name in names], [name in brought for name in names], to_datetime(now),
        )  # fmt: skip
        starts = to_datetime(now + round(RULES_LEAD_S * 1000 * self._clock.rate))
        async with transaction(self._pool) as connection:
            await connection.execute(_SQL["lock_rule_versions"])
            await connection.execute(
                _SQL["ship_rule_versions"], list(brought.values()), list(brought), starts, to_datetime(now)
            )


async def read_versions(pool: Pool | Connection) -> list[RuleVersion]:
    """All of them, in the order in which they were written."""
    return [
        RuleVersion(
            row["rule"], Variant(row["variant"]), row["artefact"], row["from_ms"], VersionChange(row["change"])
        )
        for row in await pool.fetch(_SQL["rule_versions"])
    ]  # fmt: skip
