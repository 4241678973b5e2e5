"""The register command against a real database."""

import time as stopwatch
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from schemas.registry import Binding, Device, Doctor, DosePlan, Home, Person, Register
from schemas.topics import shard_of
from services.api.registration import RegisterError, register
from services.runtime.database import Pool, open_pool
from services.runtime.settings import DatabaseSettings

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LEAD = timedelta(seconds=10)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as opened:
        yield opened


def household(tag: str, *, bound_to: int = 0, patients: tuple[int, ...] = (0, 1), plan: bool = True) -> Register:
    """Two people, a cuff whose slot 1 is ``bound_to``'s, a dispenser with one plan, one doctor."""
    ids = [UUID(int=hash((tag, number)) % 2**120) for number in range(3)]
    plans = (
        DosePlan(plan_id=ids[2], device=f"{tag}-pills", compartment=1, drug="Metformin", at=(time(8), time(20, 30))),
    )
    people = tuple(
        Person(person_id=ids[n], name=f"{tag} {n}", born_on=date(1940, 1, 1), plans=plans if plan and not n else ())
        for n in (0, 1)
    )
    return Register(
        homes=(
            Home(
                home_id=UUID(int=hash(tag) % 2**120),
                label=tag,
                time_zone="Europe/Berlin",
                people=people,
                devices=(
                    Device(device=f"{tag}-cuff", type="pressure_cuff", bindings=(Binding(person_id=ids[bound_to]),)),
                    Device(device=f"{tag}-pills", type="pill_dispenser", bindings=(Binding(person_id=ids[0]),)),
                ),
            ),
        ),
        doctors=(Doctor(email=f"{tag}@Example.org", name="Dr Who", people=tuple(ids[n] for n in patients)),),
        no_recipient=tuple(ids[n] for n in (0, 1) if n not in patients),
    )


async def bindings(pool: Pool, device: str) -> list[tuple[str, datetime, datetime | None]]:
    rows = await pool.fetch(
        "select display_name, lower(valid), upper(valid) from bindings join people using (person_no)"
        " join devices using (device_no) where device = $1 order by lower(valid)",
        device,
    )
    return [tuple(row) for row in rows]


async def test_a_first_binding_of_a_new_device_is_valid_from_registration(pool: Pool) -> None:
    written = await register(pool, household("first"), NOW)

    assert (written.homes, written.people, written.new_devices, written.bindings_begun) == (1, 2, 2, 2)
    assert await bindings(pool, "first-cuff") == [("first 0", NOW, None)]
    assert await pool.fetchval("select shard from devices where device = 'first-cuff'") == shard_of("first-cuff")


async def test_registering_the_same_file_again_changes_nothing(pool: Pool) -> None:
    await register(pool, household("same"), NOW)
    again = await register(pool, household("same"), NOW + timedelta(hours=1))

    assert (again.new_devices, again.bindings_begun, again.bindings_ended) == (0, 0, 0)
    assert (again.care_begun, again.care_ended) == (0, 0)
    assert await bindings(pool, "same-cuff") == [("same 0", NOW, None)]


async def test_a_rebinding_closes_the_old_range_where_the_new_one_begins(pool: Pool) -> None:
    await register(pool, household("moved"), NOW)
    later = NOW + timedelta(minutes=5)
    await register(pool, household("moved", bound_to=1), later)

    assert await bindings(pool, "moved-cuff") == [
        ("moved 0", NOW, later + LEAD),
        ("moved 1", later + LEAD, None),
    ]


async def test_a_fast_clock_asks_for_a_longer_lead(pool: Pool) -> None:
    await register(pool, household("fast"), NOW)
    await register(pool, household("fast", bound_to=1), NOW + LEAD, lead_s=600)

    assert [row[1] for row in await bindings(pool, "fast-cuff")] == [NOW, NOW + LEAD + timedelta(seconds=600)]


@pytest.mark.parametrize("seconds", [0, 3, 10, 11])
async def test_a_rebinding_taken_back_leaves_no_gap_and_no_overlap(pool: Pool, seconds: int) -> None:
    tag = f"back{seconds}"
    await register(pool, household(tag), NOW)
    await register(pool, household(tag, bound_to=1), NOW + timedelta(hours=1))
    await register(pool, household(tag), NOW + timedelta(hours=1, seconds=seconds))

    rows = await bindings(pool, f"{tag}-cuff")
    assert rows[-1][0] == f"{tag} 0"
    assert rows[-1][2] is None
    assert all(before[2] == after[1] for before, after in pairwise(rows))


async def test_care_that_the_file_no_longer_lists_ends_at_once(pool: Pool) -> None:
    await register(pool, household("care"), NOW)
    later = NOW + timedelta(days=1)
    ended = await register(pool, household("care", patients=(1,)), later)

    assert ended.care_ended == 1
    rows = await pool.fetch(
        "select display_name, upper(valid) as until from care_relations join people using (person_no)"
        " where display_name like 'care %' order by 1"
    )
    assert [tuple(row) for row in rows] == [("care 0", later), ("care 1", None)]


async def test_plans_are_written_changed_and_ended(pool: Pool) -> None:
    await register(pool, household("plans"), NOW)
    row = await pool.fetchrow(
        "select at_times, lower(valid), upper(valid) from dose_plan_versions join dose_plans using (plan_id)"
        " join people using (person_no) where display_name = 'plans 0'"
    )
    assert row is not None
    assert tuple(row) == ([time(8), time(20, 30)], NOW, None)

    later = NOW + timedelta(days=2)
    await register(pool, household("plans", plan=False), later)
    until = await pool.fetchval(
        "select upper(valid) from dose_plan_versions join dose_plans using (plan_id) join people using (person_no)"
        " where display_name = 'plans 0'"
    )
    assert until == later


async def test_a_file_that_names_an_unknown_person_writes_nothing(pool: Pool) -> None:
    unregistered = uuid4()
    broken = household("broken").model_copy(
        update={"doctors": (Doctor(email="broken@example.org", name="Dr No", people=(unregistered,)),)}
    )

    with pytest.raises(RegisterError, match=str(unregistered)):
        await register(pool, broken, NOW)
    assert await pool.fetchval("select count(*) from homes where label = 'broken'") == 0


async def test_a_slot_that_the_device_has_not_is_refused(pool: Pool) -> None:
    home = household("slots").homes[0]
    device = Device(device="slots-pills", type="pill_dispenser", bindings=(Binding(slot=2, person_id=uuid4()),))

    with pytest.raises(RegisterError, match="1 slot"):
        await register(pool, Register(homes=(home.model_copy(update={"devices": (device,)}),)), NOW)


async def test_thousands_of_devices_take_seconds(pool: Pool) -> None:
    homes = []
    for number in range(2000):
        person = Person(person_id=UUID(int=10**9 + number), name=f"P {number}", born_on=date(1941, 2, 3))
        devices = tuple(
            Device(
                device=f"many-{kind.replace('_', '-')}-{number}",
                type=kind,
                bindings=(Binding(person_id=person.person_id),),
            )
            for kind in ("wearable_band", "cgm")
        )
        homes.append(
            Home(
                home_id=UUID(int=2 * 10**9 + number),
                label=f"H {number}",
                time_zone="UTC",
                people=(person,),
                devices=devices,
            )
        )
    file = Register(
        homes=tuple(homes),
        doctors=(Doctor(email="many@example.org", name="D", people=tuple(UUID(int=10**9 + n) for n in range(2000))),),
    )

    started = stopwatch.monotonic()
    first = await register(pool, file, NOW)
    second = await register(pool, file, NOW + timedelta(minutes=1))

    assert (first.bindings_begun, second.bindings_begun) == (4000, 0)
    assert stopwatch.monotonic() - started < 20
