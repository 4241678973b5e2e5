"""The command `hearthbeat` as an operator types it: a process, its output, its exit code."""

import asyncio
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from schemas.registry import Doctor
from services.cli import additions
from services.cli.session import Session
from services.runtime.clock import WallClock
from services.runtime.database import open_pool
from services.runtime.sealing import Keys
from services.runtime.settings import DatabaseSettings
from tests.integration.console_world import PASSWORD

REGISTER = """{
 "homes": [{"home_id": "6f2d0c1e-0000-4000-8000-000000000001", "label": "Home 1", "time_zone": "Europe/Berlin",
   "people": [{"person_id": "6f2d0c1e-0000-4000-8000-000000000002", "name": "Anna", "born_on": "1944-05-06"}],
   "devices": [{"device": "cli-band", "type": "wearable_band",
     "bindings": [{"person_id": "6f2d0c1e-0000-4000-8000-000000000002"}]}]}],
 "doctors": [{"email": "cli@example.org", "name": "Dr. Cli", "people": ["6f2d0c1e-0000-4000-8000-000000000002"]}]
}"""
ANNA = "6f2d0c1e-0000-4000-8000-000000000002"
NOBODY = "6f2d0c1e-0000-4000-8000-00000000ffff"
DONE, NO, USAGE, AWAY = 0, 1, 2, 3


class Ended(tuple[int, str, str]):
    """Exit code, standard output, standard error (in one line)."""

    __slots__ = ()
    code = property(lambda self: self[0])
    out = property(lambda self: self[1])
    err = property(lambda self: " ".join(self[2].split()))


@pytest.fixture(scope="module")
def dsn(embedded_dsn: str) -> str:
    """On the wheel's PostgreSQL alone: each command is a process, and no edition answers it differently."""
    return embedded_dsn


async def run(dsn: str | None, *arguments: str, given: str = "", **environment: str) -> Ended:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HB_")}
    settings |= {"HB_BROKER_KIND": "unchecked", **({"HB_DB_DSN": dsn} if dsn else {}), **environment}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *arguments),
        env=settings,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    return Ended((process.returncode or 0, out.decode(), err.decode()))


async def say(dsn: str, *arguments: str, given: str = "") -> Any:
    """What it says with --json."""
    ended = await run(dsn, *arguments, "--json", given=given)
    assert ended.code == DONE, ended.err
    return json.loads(ended.out)


async def household(dsn: str, name: str) -> tuple[str, str, str]:
    """A home, a doctor and a person in the doctor's care, as the commands of these names make them."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        session = Session(pool=pool, clock=WallClock(), by="test")
        home = await additions.add_home(session, name, "Europe/London")
        doctor = Doctor(email=f"{name}@example.org", name="Dr. You")
        await additions.add_doctor(session, doctor, PASSWORD, [])
        person = await additions.add_person(session, "Berta", date(1941, 5, 3), home, [doctor.email])
    return str(home), doctor.email, str(person)


async def rows(dsn: str, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *arguments)]
    finally:
        await connection.close()


async def test_from_nothing_to_a_device_that_somebody_is_notified_about(dsn: str) -> None:
    doctor = "rose@example.org"
    home = (await say(dsn, "home", "add", "Rose", "--time-zone", "Europe/London"))["home"]
    await say(dsn, "doctor", "add", doctor, "--name", "Dr. You", given=f"{PASSWORD}\n")
    added_person = await say(dsn, "person", "add", "Berta", "--home", home, "--born", "1941-05-03", "--doctor", doctor)
    person = added_person["person"]
    added = await say(dsn, "device", "add", "rose-band", "--type", "wearable_band", "--home", home, "--person", person)
    assert len(added["secret"]) >= 32
    assert not added["checked"]
    assert any("sos_pressed" in line for line in added["try_it"])

    bound = await rows(
        dsn,
        "select person_id::text, email from bindings join devices using (device_no) join people using (person_no)"
        " join care_relations using (person_no) join doctors using (doctor_no) where device = 'rose-band'",
    )
    assert bound == [(person, doctor)]
    kept = await rows(
        dsn, "select verifier from device_credentials join devices using (device_no) where device = $1", "rose-band"
    )
    assert kept[0][0].startswith("$7$")
    assert added["secret"] not in kept[0][0]
    changes = await rows(dsn, "select command, subject from register_changes where subject = 'rose-band'")
    assert changes == [("device add", "rose-band")]


async def test_what_would_leave_somebody_without_recipient_is_refused(dsn: str) -> None:
    home = (await say(dsn, "home", "add", "Alone", "--time-zone", "Europe/London"))["home"]
    person = (await say(dsn, "person", "add", "Carla", "--home", home, "--born", "1940-01-01"))["person"]
    arguments = ("device", "add", "alone-band", "--type", "wearable_band", "--home", home, "--person", person)
    refused = await run(dsn, *arguments)
    assert (refused.code, "nobody would be notified" in refused.err) == (NO, True)
    assert not await rows(dsn, "select from devices where device = 'alone-band'")
    assert (await run(dsn, *arguments, "--no-recipient")).code == DONE

    listed = await run(dsn, "without-recipient")
    assert (listed.code, listed.out) == (NO, f"{person}\n")

    await say(dsn, "doctor", "add", "late@example.org", "--name", "Dr. Late", "--person", person, given=PASSWORD)
    assert (await run(dsn, "without-recipient")).code == DONE
    ended = await run(dsn, "care", "end", "late@example.org", person)
    assert (ended.code, "nobody would be notified" in ended.err) == (NO, True)


async def test_care_begins_and_ends_beside_others(dsn: str) -> None:
    _, doctor, person = await household(dsn, "lily")
    await say(dsn, "doctor", "add", "second@example.org", "--name", "Dr. Two", given=PASSWORD)
    await say(dsn, "care", "begin", "second@example.org", person)
    await say(dsn, "care", "end", doctor, person)
    caring = await rows(
        dsn,
        "select email from care_relations join doctors using (doctor_no) join people using (person_no)"
        " where person_id::text = $1 and upper_inf(valid)",
        person,
    )
    assert caring == [("second@example.org",)]


async def test_what_a_doctor_wants_sent_to_an_address_stays_when_their_people_change(dsn: str) -> None:
    home, doctor, _ = await household(dsn, "wants-details")
    await rows(
        dsn,
        "update contact_addresses set details = true, language = 'zh' from doctors"
        " where doctors.doctor_no = contact_addresses.doctor_no and email = $1",
        doctor,
    )
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        session = Session(pool=pool, clock=WallClock(), by="test")
        await additions.add_person(session, "Anna", date(1939, 1, 9), UUID(home), [doctor])

    found = "select details, language from contact_addresses join doctors using (doctor_no) where email = $1"
    assert await rows(dsn, found, doctor) == [(True, "zh")]


async def test_a_device_is_whose_it_was_since_for_a_device_new_to_the_platform_alone(dsn: str) -> None:
    home, _, person = await household(dsn, "iris")
    since = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0, tzinfo=None)
    arguments = ("--type", "wearable_band", "--home", home, "--person", person, "--since", since.isoformat())
    assert (await run(dsn, "device", "add", "iris-band", *arguments)).code == DONE
    begun = "select lower(valid) from bindings join devices using (device_no) where device = 'iris-band'"
    assert (await rows(dsn, begun))[0][0] == since.replace(tzinfo=UTC)

    assert (await run(dsn, "device", "remove", "iris-band")).code == DONE
    again = await run(dsn, "device", "add", "iris-band", *arguments)
    assert (again.code, "was here before" in again.err) == (NO, True)
    early = (since - timedelta(days=40)).isoformat()
    refused = await run(dsn, "device", "add", "iris-2", *arguments[:-1], early)
    assert (refused.code, "--since" in refused.err) == (NO, True)


async def test_a_shared_device_is_bound_slot_by_slot(dsn: str) -> None:
    home, doctor, person = await household(dsn, "tulip")
    other = (await say(dsn, "person", "add", "Dora", "--home", home, "--born", "1942-02-02", "--doctor", doctor))[
        "person"
    ]
    await say(dsn, "device", "add", "tulip-scale", "--type", "scale", "--home", home, "--person", person)
    await say(dsn, "device", "bind", "tulip-scale", "--slot", "2", "--person", other)
    bound = await rows(
        dsn,
        "select slot, person_id::text from bindings join devices using (device_no) join people using (person_no)"
        " where device = 'tulip-scale' and upper_inf(valid) order by slot",
    )
    assert bound == [(1, person), (2, other)]


async def test_a_credential_is_changed_suspended_resumed_and_taken_away(dsn: str) -> None:
    home, _, person = await household(dsn, "fern")
    device = "fern-band"
    first = await say(dsn, "device", "add", device, "--type", "wearable_band", "--home", home, "--person", person)
    second = await say(dsn, "device", "rotate", device)
    assert second["secret"] != first["secret"]
    assert (await run(dsn, "device", "suspend", device)).code == DONE
    assert (await run(dsn, "device", "suspend", device)).code == NO
    assert (await run(dsn, "device", "resume", device)).code == DONE
    assert (await run(dsn, "device", "resume", device)).code == NO
    assert (await run(dsn, "device", "remove", device)).code == DONE
    gone = await run(dsn, "device", "rotate", device)
    assert (gone.code, "was removed" in gone.err) == (NO, True)
    open_bindings = "select from bindings join devices using (device_no) where device = $1 and upper_inf(valid)"
    assert not await rows(dsn, open_bindings, device)


async def test_a_register_file_with_secrets_for_devices_that_have_none(dsn: str, tmp_path: Path) -> None:
    file, secrets = tmp_path / "register.json", tmp_path / "secrets.json"
    file.write_text(REGISTER)
    secrets.write_text("{}")  # one that was there may be for others to read, too
    secrets.chmod(0o644)
    taken = await say(dsn, "register", str(file), "--credentials", str(secrets))
    assert (taken["homes"], taken["new_devices"], taken["secrets"]) == (1, 1, 1)
    first = json.loads(secrets.read_text())
    assert list(first) == ["cli-band"]
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert (await say(dsn, "register", str(file), "--credentials", str(secrets)))["secrets"] == 0
    assert json.loads(secrets.read_text()) == first


async def test_a_webhook_has_a_secret_of_its_own_that_is_changed_with_an_overlap(dsn: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert (await run(None, "receiver", "key", str(keys))).code == DONE
    assert (await run(None, "receiver", "key", str(keys))).code == DONE
    assert len(keys.read_text().splitlines()) == 2
    assert keys.stat().st_mode & 0o777 == 0o600

    environment = {"HB_ALERT_WEBHOOK_KEY_FILE": str(keys)}
    doctor = ("doctor", "add", "hook@example.org", "--name", "Dr. Hook", "--webhook", "https://hook.example/x")
    without = await run(dsn, *doctor, given=PASSWORD)
    assert (without.code, "HB_ALERT_WEBHOOK_KEY_FILE is not set" in without.err) == (USAGE, True)
    first = json.loads((await run(dsn, *doctor, "--json", given=PASSWORD, **environment)).out)["webhook_secret"]
    rotated = await run(dsn, "receiver", "rotate", "hook@example.org", "--overlap-h", "1", "--json", **environment)
    second = json.loads(rotated.out)["secret"]

    held = await rows(
        dsn,
        "select sealed, ends_at from receiver_secrets join doctors using (doctor_no)"
        " where email = 'hook@example.org' order by secret_no",
    )
    opened = Keys.from_file(keys)
    assert [opened.open(sealed) for sealed, _ in held] == [first, second]
    assert timedelta(minutes=59) < held[0][1] - datetime.now(UTC) < timedelta(minutes=61)
    assert held[1][1] is None
    assert not any(secret.encode() in sealed for sealed, _ in held for secret in (first, second))

    nobody = await run(dsn, "receiver", "rotate", "cli@example.org", **environment)
    assert (nobody.code, "has no webhook" in nobody.err) == (NO, True)
    keys.write_text("short\n")
    short = await run(dsn, "receiver", "rotate", "hook@example.org", **environment)
    assert (short.code, "HB_ALERT_WEBHOOK_KEY_FILE" in short.err, "short" in short.err) == (USAGE, True, False)


async def test_status_says_that_nothing_has_come_through(dsn: str) -> None:
    ended = await run(dsn, "status", "--json")
    assert ended.code == NO
    said = json.loads(ended.out)
    assert said["behind_s"] is None
    assert "nothing has ever come through" in said["troubles"][0]


async def test_why_names_what_stands_in_the_way(dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "register.json"
    file.write_text(REGISTER)
    assert (await run(dsn, "register", str(file))).code == DONE
    causes = {one["cause"] for one in (await say(dsn, "why", ANNA))["causes"]}
    assert {"nothing_comes_through", "no_readings", "silent_device"} <= causes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("why", NOBODY), "There is no person"),
        (("trace", "no-such-band"), "There is no device no-such-band"),
        (("device", "rotate", "no-such-band"), "There is no device no-such-band"),
        (("device", "bind", "no-such-band"), "There is no device no-such-band"),
        (("person", "add", "X", "--home", NOBODY, "--born", "1941-05-03"), "There is no home"),
        (("care", "begin", "nobody@example.org", NOBODY), "There is no doctor"),
        (("doctor", "password", "nobody@example.org"), "No doctor is registered"),
    ],
)
async def test_what_is_not_there_is_named_and_the_exit_code_says_no(
    dsn: str, arguments: tuple[str, ...], said: str
) -> None:
    ended = await run(dsn, *arguments, given=PASSWORD)
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (NO, True, False), ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("home", "add", "X", "--time-zone", "Mars/Olympus"), "time_zone"),
        (("person", "add", "X", "--home", NOBODY, "--born", "yesterday"), "--born"),
        (("person", "add", "X", "--home", "no-uuid", "--born", "1941-05-03"), "--home"),
        (("doctor", "add", "not an address", "--name", "Dr. X"), "email"),
        (("device", "add", "Band_1", "--type", "wearable_band", "--home", NOBODY), "device"),
        (("device", "add", "band-1", "--type", "toaster", "--home", NOBODY), "type"),
        (("device", "add", "ingest-0", "--type", "scale", "--home", NOBODY), "device"),
        (("register", "/does/not/exist.json"), "exist.json"),
        (("device", "frobnicate"), "frobnicate"),
    ],
)
async def test_a_wrong_argument_is_named(dsn: str, arguments: tuple[str, ...], said: str) -> None:
    ended = await run(dsn, *arguments, given=PASSWORD)
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (USAGE, True, False), ended.err


async def test_a_register_file_that_is_none_is_refused_by_its_field_without_what_stands_there(
    dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "broken.json"
    file.write_text(REGISTER.replace('"1944-05-06"', '"born in spring"'))
    ended = await run(dsn, "register", str(file))
    assert (ended.code, "homes.0.people.0.born_on" in ended.err, "spring" in ended.err) == (USAGE, True, False)
    line = file.read_text().split('"born in spring"')[0].count("\n") + 1
    assert f"broken.json:{line}: " in ended.err


async def test_limits_that_contradict_themselves_are_refused_with_file_line_and_field(dsn: str, tmp_path: Path) -> None:
    """Level 2 milder than level 1; and an off limit beyond level 1."""
    levels = [{"on": on, "inclusive": True, "persist_min": 3, "severity": "medium"} for on in (90, 91)]
    for limits, said in (({"levels": levels}, "levels[2].on"), ({"levels": levels[::-1], "off": 89}, "off: ")):
        entry = {"concern": "spo2", "off": 94, "clear_min": 5, "source": "a letter"} | limits
        whole = json.loads(REGISTER)
        whole["homes"][0]["people"][0]["limits"] = [entry]
        file = tmp_path / "limits.json"
        file.write_text(json.dumps(whole, indent=1))
        line = file.read_text().split('"limits": [')[0].count("\n") + 2
        ended = await run(dsn, "register", str(file))
        assert (ended.code, f"limits.json:{line}: homes.0.people.0.limits.0: {said}" in ended.err) == (USAGE, True)


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"HB_MQTT_PORT": "1"}, AWAY, "HB_MQTT_PORT"),
        ({"HB_MQTT_PASSWORDS": '{"ingest-0": "x"}'}, USAGE, "not trace-0"),
    ],
)
async def test_a_broker_that_does_not_answer_or_is_not_ours_is_named(
    dsn: str, tmp_path: Path, settings: dict[str, str], code: int, said: str
) -> None:
    file = tmp_path / "register.json"
    file.write_text(REGISTER)
    assert (await run(dsn, "register", str(file))).code == DONE
    ended = await run(dsn, "trace", "cli-band", "--for-s", "1", **settings)
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (code, True, False), ended.err


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({}, USAGE, "HB_DB_DSN is not set"),
        ({"HB_DB_DSN": "postgresql://127.0.0.1:1/none"}, AWAY, "HB_DB_DSN"),
        ({"HB_DB_DSN": "postgresql://127.0.0.1:1/none", "HB_CLOCK_RATE": "fast"}, USAGE, "HB_CLOCK_RATE"),
    ],
)
async def test_a_missing_or_wrong_setting_is_one_sentence_that_names_it(
    settings: dict[str, str], code: int, said: str
) -> None:
    ended = await run(None, "status", **settings)
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (code, True, False), ended.err
    assert len(ended.err) < 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"HB_BROKER_KIND": "mosquitto"}, "HB_BROKER_DIRECTORY"),
        ({"HB_BROKER_KIND": "carrier pigeon"}, "HB_BROKER_KIND"),
        ({"HB_BROKER_PID": "none"}, "HB_BROKER_PID"),
        ({"HB_MQTT_PASSWORDS": "{not json"}, "HB_MQTT_PASSWORDS"),
    ],
)
async def test_a_setting_of_the_broker_is_named_before_anything_is_written(
    dsn: str, settings: dict[str, str], said: str
) -> None:
    home, _, person = await household(dsn, f"moss{uuid4().hex[:8]}")
    kind = {"HB_BROKER_KIND": "mosquitto", "HB_BROKER_DIRECTORY": "/tmp"} if said == "HB_MQTT_PASSWORDS" else {}  # noqa: S108
    name = f"moss-{uuid4().hex[:8]}"
    arguments = ("device", "add", name, "--type", "wearable_band", "--home", home, "--person", person)
    ended = await run(dsn, *arguments, **{**kind, **settings})
    assert (ended.code == USAGE, said in ended.err, "Traceback" in ended.err) == (True, True, False), ended.err
    assert not await rows(dsn, "select from devices where device = $1", name)


async def test_a_short_password_and_none_at_all_are_refused(dsn: str) -> None:
    short = await run(dsn, "doctor", "add", "short@example.org", "--name", "Dr. Short", given="short\n")
    assert (short.code, "15 to 128 characters" in short.err) == (NO, True)
    none = await run(dsn, "doctor", "add", "short@example.org", "--name", "Dr. Short")
    assert (none.code, "standard input" in none.err) == (USAGE, True)
    assert not await rows(dsn, "select from doctors where email = 'short@example.org'")
