"""`hearthbeat doctor disable|enable` as an operator types it when a doctor leaves, and comes back."""

import json

from tests.integration.console_world import PASSWORD
from tests.integration.test_cli import DONE, NO, USAGE, household, rows, run, say

HEIR = "heir@example.org"


async def test_a_doctor_who_leaves_hands_their_people_over_and_comes_back_without_them(embedded_dsn: str) -> None:
    dsn = embedded_dsn
    _, doctor, person = await household(dsn, "leaver")
    await say(dsn, "doctor", "add", HEIR, "--name", "Dr. Heir", given=PASSWORD)
    said = await say(dsn, "doctor", "disable", doctor, "--hand-over-to", HEIR)
    assert said == {"doctor": doctor, "people": 1, "handed_over_to": HEIR, "without_doctor": []}
    again = await run(dsn, "doctor", "disable", doctor)
    assert (again.code, "disabled already" in again.err) == (NO, True)
    locked = await run(dsn, "doctor", "password", doctor, given=PASSWORD)
    assert (locked.code, "hearthbeat doctor enable" in locked.err) == (NO, True)

    known = await run(dsn, "doctor", "enable", doctor, given="passwordpassword")
    assert (known.code, "known" in known.err, "passwordpassword" in known.err) == (NO, True, False)
    assert (await run(dsn, "doctor", "enable", doctor, "--by", "Kim", given=PASSWORD)).code == DONE
    caring = await rows(
        dsn,
        "select email from care_relations join doctors using (doctor_no) join people using (person_no)"
        " where person_id::text = $1 and upper_inf(valid)",
        person,
    )
    assert caring == [(HEIR,)]
    trail = await rows(
        dsn, "select command from register_changes where subject = $1 and command like 'doctor %' order by change_no",
        doctor,
    )  # fmt: skip
    assert trail == [("doctor add",), ("doctor disable",), ("doctor enable",)]
    by = await rows(dsn, "select changed_by from register_changes where command = 'doctor enable'")
    assert by == [("Kim",)]


async def test_a_reset_link_is_printed_for_the_console_that_is_named(embedded_dsn: str) -> None:
    dsn = embedded_dsn
    _, doctor, _ = await household(dsn, "forgetful")
    nowhere = await run(dsn, "doctor", "reset", doctor)
    assert (nowhere.code, "HB_ALERT_BASE_URL" in nowhere.err) == (USAGE, True)
    at = {"HB_ALERT_BASE_URL": "https://console.example.org/"}
    said = await run(dsn, "doctor", "reset", doctor, **at)
    assert (said.code, "Good once" in said.err) == (DONE, True)
    address, _, code = said.out.strip().partition("#")
    assert (address, len(code)) == ("https://console.example.org/reset", 43)
    unknown = await run(dsn, "doctor", "reset", "nobody@example.org", **at)
    assert (unknown.code, unknown.out) == (NO, "")
    trail = await rows(dsn, "select details::text from register_changes where command = 'doctor reset'")
    assert trail == [("{}",)]


async def test_a_second_factor_is_removed_by_command_and_the_doctor_signed_out(embedded_dsn: str) -> None:
    dsn = embedded_dsn
    _, doctor, _ = await household(dsn, "phoneless")
    without = await run(dsn, "doctor", "remove-second-factor", doctor)
    assert (without.code, "No doctor with a second factor" in without.err) == (NO, True)
    number = (await rows(dsn, "select doctor_no from doctors where email = $1", doctor))[0][0]
    for statement in (
        "insert into second_factors (doctor_no, sealed, begun_at, confirmed_at) values ($1, 'x', now(), now())",
        "insert into recovery_codes (doctor_no, code_hash) values ($1, 'y')",
        "insert into sessions values ('z', $1, '', now(), now(), now() + interval '1 hour')",
        "insert into pending_sign_ins values ('p', $1, 1, now() + interval '1 hour')",
    ):
        await rows(dsn, statement, number)
    assert (await run(dsn, "doctor", "remove-second-factor", doctor.upper(), "--by", "Kim")).code == DONE
    left = "select (select count(*) from {} where doctor_no = $1)"
    for table in ("second_factors", "recovery_codes", "sessions", "pending_sign_ins"):
        assert await rows(dsn, left.format(table), number) == [(0,)]
    by = await rows(
        dsn, "select changed_by, subject from register_changes where command = 'doctor remove-second-factor'"
    )
    assert by == [("Kim", doctor)]


async def test_whom_nobody_cares_for_any_longer_is_said_and_has_to_be_meant(embedded_dsn: str) -> None:
    dsn = embedded_dsn
    home, doctor, person = await household(dsn, "lone")
    await say(dsn, "device", "add", "lone-band", "--type", "wearable_band", "--home", home, "--person", person)
    refused = await run(dsn, "doctor", "disable", doctor)
    assert (refused.code, person in refused.err) == (NO, True)
    done = await run(dsn, "doctor", "disable", doctor, "--no-recipient")
    assert (done.code, done.out, "No doctor cares any longer" in done.err) == (DONE, f"{person}\n", True)
    unknown = await run(dsn, "doctor", "disable", "nobody@example.org", "--json")
    assert (unknown.code, unknown.out) == (NO, "")
    assert person in json.loads((await run(dsn, "without-recipient", "--json")).out)["people"]
