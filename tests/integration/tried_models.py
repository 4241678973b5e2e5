"""Rules that fitted models decide: one is tried beside the live one, another was promoted; with findings of both."""

from datetime import timedelta

from services.runtime.database import Pool
from tests.integration.console_world import DOCTOR, NOW

FORECAST, ANOMALY = "glucose_forecast", "anomaly"
SHIPPED, TRIED = (f"{FORECAST} 1 {digit * 64}" for digit in "ab")
BEFORE, PROMOTED = (f"{ANOMALY} 1 {digit * 64}" for digit in "cd")
_FINDING = (
    "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
    " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, unverified, message, facts)"
    " select gen_random_uuid(), person_no, home_no, $1, 1, $2, 1, 2, $3, $3, '[]', '', '', '', false, '', '{}'"
    " from people order by person_no limit 1"
)
_IN_THE_SHADOW = _FINDING.replace("findings", "shadow_findings", 1)


async def known_models(pool: Pool) -> None:
    """What a release has brought, and another fit of each; nothing was done about them yet."""
    await pool.execute("truncate rule_versions, fitted_models, shadow_findings")
    await pool.execute("delete from findings where rule = any ($1::text[])", [FORECAST, ANOMALY])
    for rule, name in ((FORECAST, SHIPPED), (FORECAST, TRIED), (ANOMALY, BEFORE), (ANOMALY, PROMOTED)):
        shipped = name in {SHIPPED, BEFORE}
        await pool.execute("insert into fitted_models values ($1, $2, $3, $4)", name, rule, shipped, NOW)
        if shipped:
            await choose(pool, rule, "live", name, "shipped", days_ago=30)
    for episode in range(5):
        for sql in [_FINDING] * (episode < 3) + [_IN_THE_SHADOW]:
            await pool.execute(sql, FORECAST, episode, NOW - timedelta(days=2))


async def tried_models(pool: Pool) -> None:
    """The same, with a trial and a promotion."""
    await known_models(pool)
    await choose(pool, FORECAST, "shadow", TRIED, "tried", days_ago=6)
    await choose(pool, ANOMALY, "shadow", PROMOTED, "tried", days_ago=9)
    await choose(pool, ANOMALY, "live", PROMOTED, "promoted", days_ago=1, by_doctor=True)
    await choose(pool, ANOMALY, "shadow", "", "ended", days_ago=1, by_doctor=True)


async def choose(
    pool: Pool, rule: str, place: str, name: str, change: str, *, days_ago: int, by_doctor: bool = False
) -> None:
    """Something was done about a model."""
    at = NOW - timedelta(days=days_ago)
    await pool.execute(
        "insert into rule_versions (rule, variant, artefact, change, valid_from, written_at, doctor_no, author, reason)"
        " select $1, $2, $3, $4, $6, $6, case when $5::boolean then doctor_no end, 'an operator',"
        " 'two weeks beside the other one' from doctors where email = $7",
        rule, place, name, change, by_doctor, at, DOCTOR,
    )  # fmt: skip
