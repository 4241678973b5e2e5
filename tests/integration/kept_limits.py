"""Limits of one person that pages can show: a mute that goes on, what was before it, and a back-test that is done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from schemas.alerts import Severity
from schemas.default_limits import usual_of
from schemas.limit_levels import rows_of
from schemas.limits import Limits
from services.api.limit_changes import moved
from services.runtime.clock import to_ms
from services.runtime.database import Pool
from tests.integration.console_world import DOCTOR, NOW

_LIMITS = (
    "insert into limits (person_no, concern, levels, off, clear_min, worse_by, withdrawn, source, signed_off_by,"
    " author, doctor_no, reason, valid_from, written_at)"
    " select person_no, $2, $3, $4, $5, $6, $7, 'the doctor', 'Dr. Haddad', 'Dr. Haddad', doctor_no, $8, $9, $9"
    " from people, doctors where person_id = $1 and email = $10"
)
_TRIED = (
    "insert into back_tests (back_test_id, person_no, concern, levels, off, clear_min, worse_by, reason, days,"
    " asked_by, asked_at, done_at, result)"
    " select $1, person_no, $3, $4, $5, $6, $7, 'trains', 30, doctor_no, $8, $8, $9"
    " from people, doctors where person_id = $2 and email = $10"
)


async def kept_limits(pool: Pool, person_id: UUID) -> UUID:
    """Writes all of it; gives the back-test's id."""
    slow, fast = usual_of("heart_rate.slow"), usual_of("heart_rate.fast")
    other = moved(slow, 0, 45.0, source="the doctor", signed_off_by="Dr. Haddad")
    for limits, withdrawn, hours in ((other, False, -50), (_muting(slow), False, -2), (other, False, 5)):
        await pool.execute(
            _LIMITS, person_id, slow.concern, rows_of(limits.levels), limits.off, limits.clear_min, limits.worse_by,
            withdrawn, "a pacemaker is being set", NOW + timedelta(hours=hours), DOCTOR,
        )  # fmt: skip
    tried, back_test_id = moved(fast, 0, 128.0, source="the doctor", signed_off_by=""), uuid4()
    await pool.execute(
        _TRIED, back_test_id, person_id, tried.concern, rows_of(tried.levels), tried.off, tried.clear_min,
        tried.worse_by, NOW, _result(), DOCTOR,
    )  # fmt: skip
    return back_test_id


def _muting(limits: Limits) -> Limits:
    """Nothing of it is urgent."""
    return replace(limits, levels=tuple(replace(one, severity=Severity.MEDIUM) for one in limits.levels))


def _result() -> dict[str, Any]:
    def one(days: int, severity: int, *, alerts: bool = True) -> dict[str, Any]:
        since = to_ms(NOW - timedelta(days=days))
        return {
            "concern": "heart_rate.fast", "since_ms": since, "until_ms": None if days == 1 else since + 1_800_000,
            "level": 1, "severity": severity, "alerts": alerts,
        }  # fmt: skip

    gone, kept, milder, new, noted = one(9, 2), one(7, 3), one(7, 2), one(1, 2), one(5, 1, alerts=False)
    return {"today": [gone, kept, noted], "changed": [milder, new], "vanish": [gone, noted], "begin": [new],
            "differ": [[kept, milder]]}  # fmt: skip
