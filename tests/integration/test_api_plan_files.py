"""Dose plans of register files: which become versions, what a doctor's edit is worth, and what is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from schemas.plan_terms import AsNeeded, PlanTerms
from schemas.plan_versions import edited
from schemas.registry import Binding, Device, Doctor, DosePlan, Home, Person, Register
from services.api.plan_versions import content_of, version_of, write_edits
from services.api.registration import RegisterError, register
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.settings import DatabaseSettings

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


class House:
    """Two people with a dispenser each, a band, a doctor; ``plan`` is the first one's."""

    def __init__(self) -> None:
        self.tag = uuid4().hex[:8]
        self.ruth, self.karl, self.home, self.plan = uuid4(), uuid4(), uuid4(), uuid4()

    def file(self, *plans: DosePlan, zone: str = "Europe/Berlin", karls: tuple[DosePlan, ...] = ()) -> Register:
        owners = {f"pills-{self.tag}": self.ruth, f"karls-{self.tag}": self.karl, f"band-{self.tag}": self.ruth}
        devices = tuple(
            Device(
                device=name,
                type="wearable_band" if name.startswith("band") else "pill_dispenser",
                bindings=(Binding(person_id=owner),),
            )
            for name, owner in owners.items()
        )
        people = (
            Person(person_id=self.ruth, name="Ruth", born_on=date(1940, 1, 1), plans=plans),
            Person(person_id=self.karl, name="Karl", born_on=date(1940, 1, 1), plans=karls),
        )
        doctor = Doctor(email=f"{self.tag}@example.org", name="Dr", people=(self.ruth, self.karl))
        home = Home(home_id=self.home, label="home", time_zone=zone, people=people, devices=devices)
        return Register(homes=(home,), doctors=(doctor,))

    def plan_with(self, **more: Any) -> DosePlan:
        said: dict[str, Any] = {
            "plan_id": self.plan,
            "device": f"pills-{self.tag}",
            "compartment": 1,
            "drug": "Metformin",
        }
        return DosePlan(**(said | {"at": (time(8), time(20))} | more))


async def versions_of(pool: Pool, plan_id: UUID) -> list[dict[str, Any]]:
    rows = await pool.fetch(
        "select v.*, device, lower(valid) as valid_from, upper(valid) as ended_at from dose_plan_versions v"
        " join devices using (device_no) where plan_id = $1 order by version_no",
        plan_id,
    )
    return [dict(row) for row in rows]


async def doctor_edits(pool: Pool, house: House, at: datetime, *, plan_id: UUID | None = None) -> None:
    """A doctor's plan of another drug, as the console writes it."""
    plan_id = plan_id or house.plan
    rows = await versions_of(pool, plan_id)
    terms = PlanTerms(drug="Insulin", at=(time(7),))
    content = terms.content(device=f"pills-{house.tag}", compartment=2, zone="Europe/Berlin")
    edit = edited(plan_id, version_of(rows[-1], by_doctor=True) if rows else None, content, at)
    assert edit is not None
    doctor_no = await pool.fetchval("select doctor_no from doctors where email = $1", f"{house.tag}@example.org")
    async with transaction(pool) as connection:
        sql = load_queries("services.api", "plan_versions.sql")
        await connection.execute(sql["write_plan_ids"], [plan_id], [house.ruth])
        await write_edits(connection, [edit], at, author_no=doctor_no, reason="better")


async def test_a_file_that_says_the_same_makes_no_version(pool: Pool) -> None:
    house = House()
    await register(pool, house.file(house.plan_with(weekdays=("wed", "mon"))), NOW)
    await register(pool, house.file(house.plan_with(weekdays=("mon", "wed"), at=(time(20), time(8)))), NOW + DAY)

    (only,) = await versions_of(pool, house.plan)
    assert (only["valid_from"], only["ended_at"], only["weekdays"]) == (NOW, None, [1, 3])


async def test_all_that_a_file_says_of_a_plan_is_in_its_version(pool: Pool) -> None:
    house = House()
    plan = house.plan_with(
        strength="500 mg",
        count=1.5,
        every_days=3,
        from_day=date(2026, 12, 1),
        until_day=date(2026, 12, 31),
        listed=True,
    )
    at_will = DosePlan(
        plan_id=uuid4(),
        device=f"pills-{house.tag}",
        compartment=2,
        drug="Ibuprofen",
        as_needed=AsNeeded(least_interval_min=360, most_per_day=4),
    )
    await register(pool, house.file(plan, at_will), NOW)

    (row,), (other,) = await versions_of(pool, house.plan), await versions_of(pool, at_will.plan_id)
    assert content_of(row) == plan.content(device=plan.device, compartment=1, zone="Europe/Berlin")
    assert (row["anchor"], row["strength"], row["count"]) == (date(2026, 12, 1), "500 mg", 1.5)
    assert (other["kind"], other["at_times"], other["least_interval_min"], other["weekdays"]) == (
        "as_needed",
        [],
        360,
        None,
    )


async def test_a_file_that_says_something_else_begins_the_next_version(pool: Pool) -> None:
    house = House()
    await register(pool, house.file(house.plan_with()), NOW)
    await pool.execute("update dose_plans set changed = false where plan_id = $1", house.plan)
    await register(pool, house.file(house.plan_with(at=(time(9),))), NOW + DAY)

    before, after = await versions_of(pool, house.plan)
    assert (before["at_times"], before["ended_at"]) == ([time(8), time(20)], NOW + DAY)
    assert (after["at_times"], after["valid_from"], after["ended_at"]) == ([time(9)], NOW + DAY, None)
    assert after["author_no"] is None
    assert await pool.fetchval("select changed from dose_plans where plan_id = $1", house.plan)


async def test_what_a_doctor_edited_stays_until_the_file_says_something_else(pool: Pool) -> None:
    house = House()
    await register(pool, house.file(house.plan_with()), NOW)
    await doctor_edits(pool, house, NOW + DAY)
    await register(pool, house.file(house.plan_with()), NOW + 2 * DAY)
    assert [row["drug"] for row in await versions_of(pool, house.plan)] == ["Metformin", "Insulin"]

    await register(pool, house.file(house.plan_with(strength="850 mg")), NOW + 3 * DAY)
    newest = (await versions_of(pool, house.plan))[-1]
    assert (newest["drug"], newest["strength"], newest["author_no"]) == ("Metformin", "850 mg", None)


async def test_a_file_that_leaves_a_plan_out_ends_it_and_leaves_alone_what_doctors_began(pool: Pool) -> None:
    house, own = House(), uuid4()
    await register(pool, house.file(house.plan_with()), NOW)
    await doctor_edits(pool, house, NOW + DAY, plan_id=own)
    await register(pool, house.file(), NOW + 2 * DAY)
    assert [row["ended_at"] for row in await versions_of(pool, house.plan)] == [NOW + 2 * DAY]
    assert [row["ended_at"] for row in await versions_of(pool, own)] == [None]

    await register(pool, house.file(house.plan_with()), NOW + 3 * DAY)
    again = (await versions_of(pool, house.plan))[-1]
    assert (again["valid_from"], again["ended_at"]) == (NOW + 3 * DAY, None)


async def test_a_home_with_another_time_zone_takes_its_plans_along_and_no_edit_back(pool: Pool) -> None:
    house = House()
    other = house.plan_with(plan_id=uuid4(), compartment=3)
    await register(pool, house.file(house.plan_with(), other), NOW)
    await doctor_edits(pool, house, NOW + DAY)
    for later in (2, 3):
        await register(pool, house.file(house.plan_with(), other, zone="Asia/Tokyo"), NOW + later * DAY)

    edited_plan, plain = await versions_of(pool, house.plan), await versions_of(pool, other.plan_id)
    assert [(row["drug"], row["zone"]) for row in edited_plan][1:] == [
        ("Insulin", "Europe/Berlin"),
        ("Insulin", "Asia/Tokyo"),
    ]
    assert [row["zone"] for row in plain] == ["Europe/Berlin", "Asia/Tokyo"]


async def test_a_plan_that_its_device_can_never_report_is_refused_with_the_reason(pool: Pool) -> None:
    house = House()
    for device, why in (
        (f"band-{house.tag}", r"device: .* wearable_band"),
        (f"karls-{house.tag}", "device: no slot of"),
    ):
        with pytest.raises(RegisterError, match=why):
            await register(pool, house.file(house.plan_with(device=device)), NOW)
    assert await pool.fetchval("select count(*) from dose_plans where plan_id = $1", house.plan) == 0
    with pytest.raises(RegisterError, match="unknown: nowhere"):
        await register(pool, house.file(house.plan_with(device="nowhere")), NOW)


async def test_the_plan_of_somebody_else_does_not_change_hands(pool: Pool) -> None:
    house = House()
    await register(pool, house.file(house.plan_with()), NOW)
    with pytest.raises(RegisterError, match=r"plan_id: .* of somebody else"):
        await register(pool, house.file(karls=(house.plan_with(device=f"karls-{house.tag}"),)), NOW + DAY)


async def test_stock_of_a_file_counts_when_it_first_says_so(pool: Pool) -> None:
    house = House()
    for day, stock in enumerate((28, 28, 14, None)):
        await register(pool, house.file(house.plan_with(stock=stock)), NOW + day * DAY)
    rows = await pool.fetch(
        "select at, count, what, author_no from plan_stock where plan_id = $1 order by 1", house.plan
    )
    assert [tuple(row) for row in rows] == [(NOW, 28, "counted", None), (NOW + 2 * DAY, 14, "counted", None)]
    assert len(await versions_of(pool, house.plan)) == 1
