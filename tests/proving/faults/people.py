"""Households written straight into the database, and findings about them, for lines that are about notifying people."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from tests.proving.faults.testbed import Testbed

HIGH: Final = 3
_HOME: Final = "insert into homes (home_id, label, time_zone) values ($1, $2, 'Europe/Berlin') returning home_no"
_PERSON: Final = """
insert into people (person_id, home_no, display_name, born_on)
select gen_random_uuid(), $1, 'Person ' || n, '1940-01-01' from generate_series(1, $2::int) as n
returning person_no
"""
_DOCTOR: Final = "insert into doctors (email, display_name) values ($1, $2) returning doctor_no"
_ADDRESS: Final = "insert into contact_addresses (doctor_no, channel, address) values ($1, $2, $3)"
_CARE: Final = """
insert into care_relations (doctor_no, person_no, valid) select $1, unnest($2::int[]), '[2020-01-01,)'::tstzrange
"""
_FIND: Final = """
insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at,
                      raised_at, evidence, doctor_text, caregiver_text, rationale)
select gen_random_uuid(), person_no, $2, $3, 1, 1, 1, $4, $5, $5, '[]', 'for the doctor', 'for the caregiver', 'a limit'
from unnest($1::int[]) as person_no
"""
_ALERTS: Final = "select alert_id from alerts where home_no = $1 order by alert_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """People of one home with a doctor of their own."""

    home_no: int
    people: tuple[int, ...]
    doctor_no: int
    email: str


def settle_in(testbed: Testbed, *, people: int = 1, email: bool = True, webhook: str | None = None) -> Household:
    """A new household, whose doctor is notified by e-mail, by webhook, or both."""
    tag = uuid4().hex[:8]
    home_no = testbed.value(_HOME, uuid4(), tag)
    people_no = tuple(row["person_no"] for row in testbed.rows(_PERSON, home_no, people))
    address = f"{tag}@example.org"
    doctor_no = testbed.value(_DOCTOR, address, f"Dr. {tag}")
    for channel, notified_at in (("email", address if email else None), ("webhook", webhook)):
        if notified_at is not None:
            testbed.rows(_ADDRESS, doctor_no, channel, notified_at)
    testbed.rows(_CARE, doctor_no, list(people_no))
    return Household(home_no=home_no, people=people_no, doctor_no=doctor_no, email=address)


def find(testbed: Testbed, household: Household, *, rule: str = "spo2", severity: int = HIGH) -> None:
    """Writes a grave finding about each person, as score does."""
    now = datetime.fromtimestamp(testbed.clock.now_ms() / 1000, UTC)
    testbed.rows(_FIND, list(household.people), household.home_no, rule, severity, now)


def alerts_of(testbed: Testbed, household: Household) -> list[UUID]:
    """Every alert of the home."""
    return [row["alert_id"] for row in testbed.rows(_ALERTS, household.home_no)]


def alerted(testbed: Testbed, household: Household, *, rule: str = "spo2") -> list[UUID]:
    """A grave finding about each person, and the alerts that came of them."""
    wanted = len(alerts_of(testbed, household)) + len(household.people)
    find(testbed, household, rule=rule)
    testbed.until(lambda: len(alerts_of(testbed, household)) == wanted, f"{wanted} alerts are open")
    return alerts_of(testbed, household)
