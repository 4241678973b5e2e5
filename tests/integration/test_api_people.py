"""The list of people: found however their names are typed, listed in pages without a name in any address."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from html import unescape
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4

import httpx
import pytest

from schemas.registry import Doctor, Home, Person, Register
from services.api.registration import register
from services.runtime.database import Pool
from tests.integration.console_world import (
    DOCTOR,
    FORMER,
    HOSTILE,
    NOW,
    Practice,
    browsing,
    open_practice,
    token_in,
)

LISTED = re.compile(r'<h2><a href="/people/([0-9a-f-]{36})">(.*?)</a></h2>')


@pytest.fixture
async def practice(dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(dsn) as opened:
        yield opened


async def take_in(pool: Pool, names: list[str], email: str = DOCTOR) -> dict[UUID, str]:
    """These people, and nobody else, in the care of a doctor; about those who were before nobody is notified now."""
    people = tuple(Person(person_id=uuid4(), name=name, born_on=date(1940, 1, 1)) for name in names)
    home = Home(home_id=uuid4(), label="Lindenstraße 12", time_zone="Europe/Berlin", people=people)
    doctor = Doctor(email=email, name="Dr. Amira Haddad", people=tuple(person.person_id for person in people))
    before = await pool.fetch("select person_id from people")
    given_up = tuple(row["person_id"] for row in before)
    await register(pool, Register(homes=(home,), doctors=(doctor,), no_recipient=given_up), NOW - timedelta(hours=1))
    return {person.person_id: person.name for person in people}


def listed_in(html: str) -> list[tuple[UUID, str]]:
    return [(UUID(person_id), unescape(name)) for person_id, name in LISTED.findall(html)]


async def search(client: httpx.AsyncClient, name: str) -> list[str]:
    """The names that the form finds."""
    token = token_in((await client.get("/people")).text)
    answer = await client.post("/people", data={"csrf": token, "search": name})
    assert answer.status_code == 200
    return [name for _, name in listed_in(answer.text)]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Jörg Müller", "muller"),
        ("Jörg Müller", "MÜLLER"),
        (normalize("NFD", "Jörg Müller"), normalize("NFC", "jörg mü")),
        ("Anna Weiß", "weiss"),
        ("Łukasz Đorđević", " ŁUKASZ DORD "),
    ],
)
async def test_a_name_is_found_however_it_is_typed(practice: Practice, name: str, typed: str) -> None:
    await take_in(practice.pool, [name, "Ruth Sommer"])
    async with browsing(practice.address) as client:
        assert await search(client, typed) == [name]
        assert await search(client, "nobody") == []
        assert await search(client, "%") == []


async def test_every_page_holds_the_next_people_though_many_share_a_name(practice: Practice) -> None:
    people = await take_in(practice.pool, ["Anna Müller"] * 230 + ["Zoë Last"] * 20)
    async with browsing(practice.address) as client:
        html, found = (await client.get("/people")).text, list[tuple[UUID, str]]()
        while True:
            found += listed_in(html)
            more = re.search(r'href="(/people\?after=[0-9a-f-]{36})">More', html)
            if more is None:
                break
            html = (await client.get(more[1])).text
        query: dict[str, Any] = {"limit": 7}
        rows: list[str] = []
        while page := (await client.get("/api/v1/people", params=query)).json():
            rows += [row["person_id"] for row in page]
            query["after"] = page[-1]["person_id"]

    assert dict(found) == people
    assert len(found) == 250
    assert [name for _, name in found] == sorted(people.values())
    assert sorted(rows) == sorted(map(str, people))


async def test_what_a_search_found_goes_on_by_a_form(practice: Practice) -> None:
    people = await take_in(practice.pool, ["Anna Müller"] * 120 + ["Ruth Sommer"] * 120)
    async with browsing(practice.address) as client:
        form = {"csrf": token_in((await client.get("/people")).text), "search": "müller", "after": ""}
        first = (await client.post("/people", data=form)).text
        more = first[first.index('<form method="post" action="/people">') :]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', more))
        second = (await client.post("/people", data=fields)).text

    assert fields["search"] == "müller"
    found = listed_in(first) + listed_in(second)
    assert len(found) == len(dict(found)) == 120
    assert set(dict(found).values()) == {"Anna Müller"}
    assert ">More<" not in second
    assert set(dict(found)) <= set(people)


async def test_no_address_holds_a_name(practice: Practice) -> None:
    await take_in(practice.pool, ["Ruth Sommer"] * 150)
    async with browsing(practice.address) as client:
        token = token_in((await client.get("/people")).text)
        pages = [await client.get("/people"), await client.post("/people", data={"csrf": token, "search": "ruth"})]

    for answer in pages:
        addresses = [*re.findall(r'(?:href|action|src)="([^"]*)"', answer.text), str(answer.url)]
        assert [one for one in addresses if re.search("ruth|sommer", one, re.IGNORECASE)] == []
        assert 'method="get"' not in answer.text


async def test_a_name_in_the_query_is_not_looked_at(practice: Practice) -> None:
    await take_in(practice.pool, ["Ruth Sommer", "Karl Sommer"])
    async with browsing(practice.address) as client:
        assert len(listed_in((await client.get("/people?search=ruth")).text)) == 2


async def test_a_search_without_the_sessions_token_is_refused(practice: Practice) -> None:
    async with browsing(practice.address) as client:
        assert (await client.post("/people", data={"search": "ruth"})).status_code == 403
        assert (await client.post("/people", data={"csrf": "x" * 43, "search": "ruth"})).status_code == 403
    async with browsing(practice.address, None) as client:
        assert (await client.post("/people", data={"search": "ruth"})).headers["location"] == "/sign-in?next=/"


async def test_after_somebody_who_is_unknown_or_was_never_theirs_there_is_nobody(practice: Practice) -> None:
    foreign = next(iter(await take_in(practice.pool, ["Aaron First"], FORMER)))
    await take_in(practice.pool, ["Ruth Sommer"])
    async with browsing(practice.address) as client:
        for last in (foreign, uuid4()):
            assert (await client.get("/api/v1/people", params={"after": str(last)})).json() == []
            assert listed_in((await client.get(f"/people?after={last}")).text) == []
        assert (await client.get("/people?after=Ruth")).status_code == 422


async def test_a_list_goes_on_though_the_care_for_its_last_person_has_ended(practice: Practice) -> None:
    names = ["Anna", "Ruth", "Zoë"]
    people = await take_in(practice.pool, names)
    by_name = {name: person_id for person_id, name in people.items()}
    await practice.pool.execute(
        "update care_relations set valid = tstzrange(lower(valid), $1) where person_no ="
        " (select person_no from people where person_id = $2)",
        NOW - timedelta(minutes=1),
        by_name["Anna"],
    )
    async with browsing(practice.address) as client:
        page = (await client.get("/api/v1/people", params={"after": str(by_name["Anna"])})).json()

    assert [row["name"] for row in page] == ["Ruth", "Zoë"]
    assert all("person_no" not in row for row in page)


async def test_a_hostile_search_comes_back_as_text(practice: Practice) -> None:
    await take_in(practice.pool, [HOSTILE])
    async with browsing(practice.address) as client:
        token = token_in((await client.get("/people")).text)
        html = (await client.post("/people", data={"csrf": token, "search": HOSTILE[:20]})).text

    assert "<script>" not in html
    assert [name for _, name in listed_in(html)] == [HOSTILE]
