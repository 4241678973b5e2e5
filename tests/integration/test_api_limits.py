"""A doctor tries, sets, mutes and gives back limits of one person: over real HTTP, on the real database."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from schemas.default_limits import usual_of
from services.api.limit_changes import LONGEST_MUTE, mutes
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import load_queries
from services.score.known_limits import read_limits
from tests.integration.console_world import FORMER, NOW, Practice, browsing, open_practice, token_in
from tests.integration.limits_past import MILD, TIMES, score_of, write_past

FAST = "heart_rate.fast"
LEAD = timedelta(seconds=10)


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def numbers(client: httpx.AsyncClient, practice: Practice, concern: str = FAST) -> dict[str, Any]:
    """What holds of a concern, as it can be sent again."""
    listed = (await client.get(f"/api/v1/people/{practice.world.ruth}/limits")).json()
    return next(one for one in listed if one["concern"] == concern)


def wish(held: dict[str, Any], on: float, **more: Any) -> dict[str, Any]:
    """The first limit moved, all else as it is."""
    first, *others = held["levels"]
    same = {name: held[name] for name in ("clear_min", "worse_by", "off")}
    return same | {"levels": [first | {"on": on}, *others], "reason": "an athlete", "seen": held["version"]} | more


async def put(client: httpx.AsyncClient, practice: Practice, said: dict[str, Any]) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    path = f"/api/v1/people/{practice.world.ruth}/limits/{FAST}"
    return await client.put(path, json=said, headers={"X-CSRF-Token": token})


async def held_at(practice: Practice, at: datetime) -> list[float]:
    """The limits by which score judges what is received then."""
    book = await read_limits(practice.pool, load_queries("services.score"))
    person_no = await practice.pool.fetchval("select person_no from people where person_id = $1", practice.world.ruth)
    return [one.on for one in book.in_force(FAST, person_no, to_ms(at)).levels]


async def test_a_limit_holds_ten_seconds_after_it_was_set_and_not_before(practice: Practice) -> None:
    before = await held_at(practice, NOW)
    async with browsing(practice.address) as client:
        said = wish(await numbers(client, practice), 125)
        answers = [await put(client, practice, said) for _ in range(2)]
        other = await put(client, practice, said | {"reason": "another", "off": 111})
    assert [one.status_code for one in (*answers, other)] == [200, 200, 409]
    (version,) = answers[1].json()
    assert (version["author"], version["reason"]) == ("Dr. Amira Haddad", "an athlete")
    assert version["changes"] == ["above 125 /min instead of above 120 /min, for 10 min, at rest"]
    assert await held_at(practice, NOW + LEAD - timedelta(milliseconds=1)) == before
    assert await held_at(practice, NOW + LEAD) == [125, *before[1:]]


async def test_a_second_change_within_seconds_keeps_the_first(practice: Practice) -> None:
    before = await held_at(practice, NOW)
    path = f"/people/{practice.world.ruth}/limits"
    async with browsing(practice.address) as client:
        for place, value in ((0, "125"), (1, "135")):
            shown = (await client.get(path)).text
            seen = shown.split('name="seen" value="', 1)[1].split('"', 1)[0]
            form = {"csrf": token_in(shown), "seen": seen, "limit": f"{FAST}/{place}", "value": value, "reason": "fit"}
            assert (await client.post(path, data=form)).status_code == 303
            practice.clock.advance(seconds=3)
        stale = await client.post(path, data=form | {"value": "140", "seen": "0"})
    assert await held_at(practice, NOW + LEAD + timedelta(seconds=3)) == [125, 135, *before[2:]]
    assert stale.status_code == 422
    assert "changed in the meantime" in stale.text


async def test_what_mutes_needs_an_end_and_a_second_yes_and_is_over_by_itself(practice: Practice) -> None:
    before, until = await held_at(practice, NOW), NOW + timedelta(hours=8)
    async with browsing(practice.address) as client:
        held = await numbers(client, practice)
        mild = [one | {"severity": "medium"} for one in held["levels"]]
        said = wish(held, 120, levels=mild)
        refused = [
            await put(client, practice, said | more)
            for more in ({}, {"confirmed": True}, {"until": (NOW + timedelta(hours=25)).isoformat(), "confirmed": True},
                         {"until": until.isoformat()})
        ]  # fmt: skip
        assert [one.status_code for one in refused] == [422] * 4
        assert await held_at(practice, until) == before
        done = await put(client, practice, said | {"until": until.isoformat(), "confirmed": True})
        assert done.status_code == 200, done.text
    book = await read_limits(practice.pool, load_queries("services.score"))
    person_no = await practice.pool.fetchval("select person_no from people where person_id = $1", practice.world.ruth)
    by_time = [
        max(one.severity for one in book.in_force(FAST, person_no, to_ms(at)).levels).name
        for at in (NOW, NOW + LEAD, until - timedelta(seconds=1), until)
    ]
    assert by_time == ["HIGH", "MEDIUM", "MEDIUM", "HIGH"]


async def test_limits_with_an_end_give_way_to_what_held_before(practice: Practice) -> None:
    before, until = await held_at(practice, NOW), NOW + timedelta(days=5)
    async with browsing(practice.address) as client:
        said = wish(await numbers(client, practice), 125)
        gone = await put(client, practice, said | {"until": NOW.isoformat()})
        done = await put(client, practice, said | {"until": until.isoformat()})
    assert (gone.status_code, done.status_code) == (422, 200)
    assert gone.json()["detail"].startswith("until: ")
    assert await held_at(practice, until - timedelta(seconds=1)) == [125, *before[1:]]
    assert await held_at(practice, until) == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"off": 25}, "off: 25 is more than"),
        ({"off": 124, "on": 123}, "off: 124 is beyond 123 of levels[0]"),
        ({"on": 900}, "levels[0].on: 900"),
    ],
)
async def test_what_contradicts_itself_names_the_field(practice: Practice, wrong: dict[str, Any], field: str) -> None:
    async with browsing(practice.address) as client:
        answer = await put(client, practice, wish(await numbers(client, practice), **({"on": 125} | wrong)))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(field)


async def test_own_limits_are_given_back(practice: Practice) -> None:
    before = await held_at(practice, NOW)
    async with browsing(practice.address) as client:
        await put(client, practice, wish(await numbers(client, practice), 125))
        practice.clock.advance(seconds=60)
        shown = (await client.get(f"/people/{practice.world.ruth}/limits")).text
        version = (await numbers(client, practice))["version"]
        form = {"csrf": token_in(shown), "concern": FAST, "seen": version, "reason": "no training any more"}
        answer = await client.post(f"/people/{practice.world.ruth}/limits/give-back", data=form)
        after = (await client.get(str(answer.headers["location"]))).text
    assert "for this person, as a doctor has said" in shown
    assert "no training any more" in after
    assert await held_at(practice, NOW + timedelta(minutes=1) + LEAD) == before
    audited = await practice.pool.fetchval("select count(*) from audit where action = 'change_limits' and allowed")
    assert audited >= 2


async def test_a_limit_is_tried_on_the_past_and_saved_without_javascript(practice: Practice) -> None:
    await write_past(practice.pool, practice.world.ruth)
    await practice.pool.execute("update back_tests set done_at = asked_at, failed = '' where done_at is null")
    path = f"/people/{practice.world.ruth}/limits"
    async with browsing(practice.address) as client:
        form = {"csrf": token_in((await client.get(path)).text), "limit": f"{FAST}/0", "value": "128", "reason": "fit"}
        asked = await client.post(f"{path}/try", data=form | {"days": "30"})
        address = str(asked.headers["location"])
        waiting = (await client.get(address)).text
        assert [await score_of(practice.pool, practice.clock).answer() for _ in range(2)] == [1, 0]
        done = (await client.get(address)).text
        saved = await client.post(path, data=form | {"seen": "0"})
    assert asked.status_code == saved.status_code == 303
    assert "0 % done" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    assert "<noscript>" not in done
    assert f"would have given {TIMES - MILD} alerts instead of {TIMES}" in done
    assert f"These {MILD} vanish" in done
    assert (await held_at(practice, NOW + LEAD))[0] == 128


async def test_a_doctor_has_two_back_tests_open_at_most(practice: Practice) -> None:
    await practice.pool.execute("update back_tests set done_at = asked_at, failed = '' where done_at is null")
    async with browsing(practice.address) as client:
        said = wish(await numbers(client, practice), 125)
        tried = {name: said[name] for name in ("levels", "off", "clear_min", "worse_by")} | {"concern": FAST}
        token = {"X-CSRF-Token": (await client.get("/api/v1/session")).json()["csrf_token"]}
        path = f"/api/v1/people/{practice.world.ruth}/back-tests"
        answers = [await client.post(path, json=tried, headers=token) for _ in range(3)]
        first = (await client.get(f"{path}/{answers[0].json()['back_test_id']}")).json()
        assert [await score_of(practice.pool, practice.clock).answer() for _ in range(3)] == [1, 1, 0]
        done = (await client.get(f"{path}/{answers[0].json()['back_test_id']}")).json()
    assert [one.status_code for one in answers] == [201, 201, 409]
    assert (first["share"], first["result"], done["share"]) == (0, None, 1)
    assert done["result"]["today"] == []


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"value": "fast"}, "A number"),
        ({"value": "140"}, "is milder than"),
        ({"value": "125", "reason": " "}, "Say why"),
        ({"limit": "heart_rate.fast/99"}, "Choose one"),
    ],
)
async def test_what_can_not_be_comes_back_in_the_form(practice: Practice, typed: dict[str, str], says: str) -> None:
    path = f"/people/{practice.world.ruth}/limits"
    async with browsing(practice.address) as client:
        form = {"csrf": token_in((await client.get(path)).text), "limit": f"{FAST}/0", "value": "125", "reason": "fit"}
        answer = await client.post(path, data=form | typed)
    assert answer.status_code == 422
    assert says in answer.text


async def test_nobody_else_reads_tries_or_sets_them(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        said = wish(await numbers(client, practice), 125)
        api = f"/api/v1/people/{practice.world.ruth}"
        assert (await client.put(f"{api}/limits/{FAST}", json=said)).status_code == 403
    async with browsing(practice.address, FORMER) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        tried = {name: said[name] for name in ("levels", "off", "clear_min", "worse_by")} | {"concern": FAST}
        sent = [
            await client.get(f"{api}/limits"),
            await client.get(f"{api}/limits/versions"),
            await client.get(f"/people/{practice.world.ruth}/limits"),
            await client.put(f"{api}/limits/{FAST}", json=said, headers={"X-CSRF-Token": token}),
            await client.post(f"{api}/back-tests", json=tried, headers={"X-CSRF-Token": token}),
        ]
    assert [one.status_code for one in sent] == [404] * 5
    asked_by = "select count(*) from back_tests join doctors on doctor_no = asked_by where email = $1"
    assert await practice.pool.fetchval(asked_by, FORMER) == 0


async def test_no_sequence_of_changes_leaves_a_vital_without_a_limit_or_muted_for_more_than_a_day(
    practice: Practice,
) -> None:
    """Whatever is sent, in whichever order: at each moment there are limits, and a mute is over within a day."""
    chance, usual = Random(19), usual_of(FAST)
    person_no = await practice.pool.fetchval("select person_no from people where person_id = $1", practice.world.ruth)
    api, refused, muted_at = f"/api/v1/people/{practice.world.ruth}/limits/{FAST}", 0, list[datetime]()
    async with browsing(practice.address) as client:
        token = {"X-CSRF-Token": (await client.get("/api/v1/session")).json()["csrf_token"]}
        for number in range(40):
            held, now = await numbers(client, practice), to_datetime(practice.clock.now_ms())
            until = chance.choice([None, now + timedelta(hours=chance.randrange(-1, 30))])
            said = wish(held, 120 + chance.randrange(10), reason=f"change {number}", confirmed=chance.random() < 0.8)
            said |= {"until": until.isoformat() if until else None}
            if chance.random() < 0.5:
                said["levels"] = [one | {"severity": "medium"} for one in said["levels"]]
            if chance.random() < 0.2:
                answer = await client.post(
                    f"{api}/give-back", json={"reason": "back", "seen": said["seen"]}, headers=token
                )
            else:
                answer = await client.put(api, json=said, headers=token)
                if answer.status_code == 200 and said["levels"][-1]["severity"] == "medium":
                    muted_at.append(now)
            refused += answer.status_code == 422
            practice.clock.advance(seconds=chance.choice([1, 12, 600, 40_000, 100_000]))
    assert refused > 3
    assert len(muted_at) > 3
    book = await read_limits(practice.pool, load_queries("services.score"))
    for hours in range(40 * 30):
        at = NOW + timedelta(hours=hours)
        limits = book.in_force(FAST, person_no, to_ms(at))
        if mutes(usual, limits):
            assert any(begun <= at <= begun + LONGEST_MUTE + LEAD for begun in muted_at)


async def test_limits_that_nobody_can_read_any_more_can_be_given_back(practice: Practice) -> None:
    usual = await held_at(practice, NOW)
    async with browsing(practice.address) as client:
        assert (await put(client, practice, wish(await numbers(client, practice), 125))).status_code == 200
        await practice.pool.execute("update limits set levels = '[]' where author = 'Dr. Amira Haddad'")
        practice.clock.advance(seconds=30)
        newest = await practice.pool.fetchval("select max(limit_no) from limits where author = 'Dr. Amira Haddad'")
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        path = f"/api/v1/people/{practice.world.ruth}/limits/{FAST}/give-back"
        said = {"reason": "cannot be read", "seen": newest}
        done = await client.post(path, json=said, headers={"X-CSRF-Token": token})
    assert done.status_code == 200, done.text
    assert await held_at(practice, NOW + timedelta(seconds=30) + LEAD) == usual
