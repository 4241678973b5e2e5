"""Doses, findings and commands as rows of their tables, in the order of queries.sql. Pure."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.alerts import Finding
from schemas.messages import Command
from services.medication.machine import Dose
from services.runtime.clock import to_datetime


def dose_row(dose: Dose) -> tuple[object, ...]:
    """What became of a dose."""
    return (
        dose.dose_id,
        str(dose.state),
        dose.reminders,
        dose.settled_at,
        dose.episode,
        dose.said_last,
        dose.said,
        dose.doubles,
        dose.double_episode,
        dose.double_said,
        dose.heard_at,
        dose.judged_from,
        dose.unknown_since,
    )


def new_dose_row(dose: Dose) -> tuple[object, ...]:
    """A dose that no plan foresaw: it was taken as needed."""
    return (
        dose.dose_id,
        dose.plan_id,
        dose.version_no,
        dose.person_no,
        dose.home_no,
        dose.device_no,
        dose.compartment,
        dose.drug,
        dose.strength,
        dose.count,
        dose.zone,
        dose.due_at.astimezone(ZoneInfo(dose.zone)).date(),
        dose.time_critical,
        dose.listed,
        dose.as_needed,
        dose.early_after,
        dose.opens_at,
        dose.due_at,
        dose.closes_at,
        dose.missed_at,
    )


def command_row(device_no: int, command: Command, now: datetime) -> tuple[object, ...]:
    """To be published soon."""
    expires_at = to_datetime(command.expires_at)
    return (UUID(command.id), device_no, command.kind, dict(command.details), now, expires_at)


def finding_row(finding: Finding, now: datetime) -> tuple[object, ...]:
    """With its concern: the alert is looked up by it."""
    return (
        finding.finding_id,
        finding.person_no,
        finding.home_no,
        finding.rule,
        finding.rule_version,
        finding.episode,
        finding.level,
        finding.severity,
        to_datetime(finding.observed_at),
        now,
        [asdict(one) for one in finding.evidence],
        finding.doctor_text,
        finding.caregiver_text,
        finding.rationale,
        finding.unverified,
        finding.message,
        dict(finding.facts),
        finding.end_reason,
        finding.concern,
    )
