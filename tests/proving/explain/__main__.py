"""The command: runs score over a log with kills and late arrivals, then explains each finding; 0: all are the same."""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr

from deploy.embedded.embedded import Embedded
from services.runtime.database import Pool, load_queries, open_pool
from services.runtime.migrate import load_migrations, migrate
from services.runtime.settings import DatabaseSettings
from services.score.compared_findings import Verdict
from services.score.explain import Explainer
from services.score.learned import catalogue_of
from services.score.settings import SHIPPED
from tests.proving.explain.course import Course
from tests.proving.explain.home_logs import OUTAGES, marked, settle_in, uplinks_of, with_outages
from tests.proving.explain.other_fit import chosen, other_fit

_REPORT: Final = Path(__file__).resolve().parents[3] / ".local" / "reports" / "explain.json"
_MOST_SHOWN: Final = 20


async def prove(
    dsn: str, folder: Path, *, homes: int, hours: int, seed: int, outages: float = OUTAGES
) -> dict[str, Any]:
    """Figures of a run on an empty database; ``other`` names what was not byte-identical."""
    uplinks = with_outages(uplinks_of(folder, homes=homes, hours=hours, seed=seed), seed, hours, outages)
    catalogue = catalogue_of(SHIPPED, [other_fit(folder / "other")])
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="hb-explain") as pool:
        async with pool.acquire() as connection:
            await settle_in(connection, uplinks)
            await chosen(connection, catalogue, uplinks[0].received_at, hours)
        course, began = Course(pool, catalogue, seed), time.monotonic()
        await course.run(marked(uplinks, 5_000))
        ran_s, began = time.monotonic() - began, time.monotonic()
        rows = await pool.fetch(
            "select finding_id, home_no, rule, looked_back, raised_at, '' as tried from findings union all"
            " select finding_id, home_no, rule, looked_back, raised_at, ' tried' from shadow_findings"
            " order by home_no, raised_at desc, finding_id"
        )
        explainer = Explainer(pool, load_queries("services.score"), catalogue)
        said: Counter[tuple[str, str]] = Counter()
        other: list[dict[str, Any]] = []
        for row in rows:
            done = await explainer.explain(row["finding_id"])
            said[f"{row['rule']}{row['tried']}{' looked back' * row['looked_back']}", done.verdict] += 1
            if done.verdict is not Verdict.SAME:
                fields = [one._asdict() for one in done.differences]
                other.append(
                    {"finding": str(row["finding_id"]), "rule": row["rule"], "why": done.why, "fields": fields}
                )
        explained_s, fits = time.monotonic() - began, await fits_of(pool)
    return {
        "uplinks": len(uplinks), "kills": course.kills, "models": fits, "findings": len(rows),
        "same": sum(count for (_, verdict), count in said.items() if verdict == Verdict.SAME),
        "by_rule": {f"{rule}: {verdict}": count for (rule, verdict), count in sorted(said.items())},
        "ran_s": round(ran_s, 1), "explained_s": round(explained_s, 1), "other": other,
    }  # fmt: skip


async def fits_of(pool: Pool) -> int:
    """How many fitted models have made findings."""
    count: int = await pool.fetchval("select count(distinct artefact) from findings where artefact <> ''")
    return count


def main(
    homes: Annotated[int, typer.Option(min=1)] = 60,
    hours: Annotated[int, typer.Option(min=1)] = 24,
    seed: int = 1,
) -> None:
    """Prints the figures."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    with TemporaryDirectory() as name, Embedded(Path(name) / "servers") as servers:
        asyncio.run(migrate(servers.dsn, load_migrations("schemas.sql.migrations")))
        figures = asyncio.run(prove(servers.dsn, Path(name), homes=homes, hours=hours, seed=seed))
    _REPORT.parent.mkdir(parents=True, exist_ok=True)
    _REPORT.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    for one in figures["other"][:_MOST_SHOWN]:
        sys.stdout.write(json.dumps(one) + "\n")
    figures.pop("other")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    raise SystemExit(0 if figures["same"] == figures["findings"] else 1)


if __name__ == "__main__":
    typer.run(main)
