"""A home with a person, a dispenser and a doctor, as rows; and findings about them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from schemas.alert_events import Acknowledged
from schemas.alert_rows import alert_of
from schemas.alerts import EndReason, Finding, Severity
from schemas.topics import shard_of
from services.api.acknowledge import write_change
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Pool, load_queries, transaction

START_MS = 1_780_300_800_000
"""Midday UTC of a summer day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One household, fresh for each test, so that tests may share a database."""

    home_no: int
    person_no: int
    device_no: int
    device: str
    doctor_no: int
    email: str


async def settle_in(
    pool: Pool, *, zone: str = "Europe/Berlin", webhook: str | None = None, emails: bool = True
) -> World:
    """A new household whose doctor cares for the person since long ago."""
    tag = uuid4().hex[:8]
    home_no = await pool.fetchval(
        "insert into homes (home_id, label, time_zone) values ($1, $2, $3) returning home_no", uuid4(), tag, zone
    )
    person_no = await pool.fetchval(
        "insert into people (person_id, home_no, display_name, born_on) values ($1, $2, $3, '1940-01-01')"
        " returning person_no",
        uuid4(),
        home_no,
        f"Person {tag}",
    )
    device = f"{tag}-pills"
    device_no = await pool.fetchval(
        "insert into devices (device, device_type, home_no, shard, registered_at)"
        " values ($1, 'pill_dispenser', $2, $3, $4) returning device_no",
        device,
        home_no,
        shard_of(device),
        datetime(2020, 1, 1, tzinfo=UTC),
    )
    email = f"{tag}@example.org"
    doctor_no = await _doctor(pool, person_no, email=email, webhook=webhook, emails=emails)
    return World(
        home_no=home_no, person_no=person_no, device_no=device_no, device=device, doctor_no=doctor_no, email=email
    )


async def settle_doctor(pool: Pool, world: World, *, email: str) -> int:
    """Another doctor who cares for the same person, notified by e-mail."""
    return await _doctor(pool, world.person_no, email=email, webhook=None, emails=True)


async def _doctor(pool: Pool, person_no: int, *, email: str, webhook: str | None, emails: bool) -> int:
    doctor_no: int = await pool.fetchval(
        "insert into doctors (email, display_name) values ($1, $2) returning doctor_no", email, f"Dr {email}"
    )
    for channel, address in (("email", email if emails else None), ("webhook", webhook)):
        if address is not None:
            await settle_address(pool, doctor_no, channel, address)
    await pool.execute(
        "insert into care_relations (doctor_no, person_no, valid) values ($1, $2, '[2020-01-01,)')",
        doctor_no,
        person_no,
    )
    return doctor_no


async def settle_address(pool: Pool, doctor_no: int, channel: str, address: str | None) -> None:
    """Where a doctor is notified over a channel from now on; None: nowhere."""
    await pool.execute("delete from contact_addresses where doctor_no = $1 and channel = $2", doctor_no, channel)
    if address is not None:
        await pool.execute("insert into contact_addresses values ($1, $2, $3)", doctor_no, channel, address)


async def acknowledge(
    pool: Pool, alert_id: UUID, doctor_no: int, *, version: int, at: datetime, note: str = "called them"
) -> bool:
    """Takes an alert on as the console does; False where it has another version by now."""
    row = await pool.fetchrow("select * from alerts where alert_id = $1", alert_id)
    assert row is not None
    if row["version"] != version:
        return False
    event = Acknowledged(doctor_no=doctor_no, note=note)
    async with transaction(pool) as connection:
        return await write_change(connection, load_queries("services.api"), alert_of(row), event, to_ms(at))


async def find(
    pool: Pool,
    world: World,
    *,
    rule: str = "spo2",
    episode: int = 1,
    level: int = 1,
    severity: Severity = Severity.MEDIUM,
    at: int = START_MS,
    for_home: bool = False,
    said: int = 0,
    concern: str = "",
    end_reason: EndReason | None = None,
) -> Finding:
    """Writes a finding as score or medication would."""
    finding = Finding(
        person_no=0 if for_home else world.person_no,
        home_no=world.home_no,
        rule=rule,
        rule_version=1,
        episode=episode,
        level=level,
        severity=severity,
        observed_at=at,
        evidence=(),
        doctor_text=f"What the doctor reads at level {level}.",
        caregiver_text="What the caregiver reads.",
        rationale="Because of a guideline.",
        said=said,
        concern=concern,
        end_reason=end_reason,
    )
    await pool.execute(
        "insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity,"
        " observed_at, raised_at, evidence, doctor_text, caregiver_text, rationale, concern, end_reason)"
        " values ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, '[]', $10, $11, $12, $13, $14)",
        finding.finding_id,
        finding.person_no,
        finding.home_no,
        finding.rule,
        finding.episode,
        finding.level,
        finding.severity,
        to_datetime(at),
        to_datetime(at) + timedelta(seconds=1),
        finding.doctor_text,
        finding.caregiver_text,
        finding.rationale,
        concern or None,
        end_reason,
    )
    return finding
