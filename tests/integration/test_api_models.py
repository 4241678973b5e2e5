"""Models on the console: what runs and what is tried, counted; a named doctor promotes and rolls back, with a trail."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.api.rule_versions import (
    Author,
    Found,
    NotPossibleError,
    RuleModels,
    end_trial,
    models_of_rules,
    try_model,
)
from services.runtime.database import Pool
from tests.integration.console_world import DOCTOR, NOW, Practice, browsing, open_practice, token_in
from tests.integration.tried_models import FORECAST, SHIPPED, TRIED, known_models

RULE, OTHER = FORECAST, TRIED
OPERATOR = Author(name="an operator")


@pytest.fixture
async def practice(embedded_dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(embedded_dsn) as opened:
        await known_models(opened.pool)
        yield opened


async def models_of(pool: Pool) -> RuleModels:
    return next(one for one in await models_of_rules(pool, NOW) if one.rule == RULE)


async def post(client: httpx.AsyncClient, path: str, model: str, reason: str = "fewer false ones") -> httpx.Response:
    token = token_in((await client.get("/models")).text)
    return await client.post(path, data={"csrf": token, "rule": RULE, "model": model, "reason": reason})


async def test_both_are_counted_and_what_is_tried_is_promoted_and_rolled_back_by_a_named_doctor(
    practice: Practice,
) -> None:
    pool = practice.pool
    await try_model(pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW - timedelta(days=3))
    async with browsing(practice.address) as client:
        text = (await client.get("/models")).text
        assert "<td>3</td><td>1</td>" in text
        assert "<td>5</td><td>1</td>" in text
        assert "is tried, by an operator: a fit of this month" in text
        assert (await post(client, "/models/promote", OTHER)).headers["location"] == "/models?outcome=promoted"
        one = await models_of(pool)
        assert (one.live, one.before, one.tried) == (OTHER, SHIPPED, "")
        assert (await post(client, "/models/roll-back", OTHER, "too many")).status_code == 303
        text = (await client.get("/models")).text
    one = await models_of(pool)
    assert (one.live, one.before, one.tried) == (SHIPPED, "", "")
    name = await pool.fetchval("select display_name from doctors where email = $1", DOCTOR)
    assert f"promoted, by {name}: fewer false ones" in text
    assert f"rolled back, by {name}: too many" in text
    rows = await pool.fetch("select * from rule_versions where doctor_no is not null order by version_no")
    assert [row["change"] for row in rows] == ["promoted", "ended", "rolled_back"]
    assert all(row["valid_from"] >= row["written_at"] + timedelta(seconds=10) for row in rows)
    said = await pool.fetch("select action from audit where action like '%_model' order by audit_no")
    assert [row["action"] for row in said] == ["promote_model", "roll_back_model"]


@pytest.mark.parametrize(
    ("path", "model", "reason"),
    [
        ("/models/promote", SHIPPED, "why not"),
        ("/models/promote", "", "why not"),
        ("/models/promote", OTHER, "  "),
        ("/models/roll-back", SHIPPED, "why not"),
    ],
)
async def test_what_is_not_as_the_doctor_saw_it_changes_nothing(
    practice: Practice, path: str, model: str, reason: str
) -> None:
    await try_model(practice.pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW)
    before = await practice.pool.fetch("select * from rule_versions")
    async with browsing(practice.address) as client:
        answer = await post(client, path, model, reason)
    assert (answer.status_code, "Nothing was changed" in answer.text) == (409, True)
    assert await practice.pool.fetch("select * from rule_versions") == before


async def test_what_was_found_before_the_trial_began_counts_for_neither(practice: Practice) -> None:
    await try_model(practice.pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW - timedelta(days=1))
    one = await models_of(practice.pool)
    assert (one.found, one.found_in_shadow) == (Found(), Found())
    assert one.since == NOW - timedelta(days=1) + timedelta(seconds=10)


async def test_a_form_of_somebody_else_changes_nothing(practice: Practice) -> None:
    await try_model(practice.pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW)
    async with browsing(practice.address) as client:
        said = {"csrf": "no", "rule": RULE, "model": OTHER, "reason": "why not"}
        assert (await client.post("/models/promote", data=said)).status_code == 403


async def test_an_operator_tries_only_what_score_has_found_and_ends_only_what_is_tried(practice: Practice) -> None:
    pool = practice.pool
    for model in (SHIPPED, f"{RULE} 1 unknown"):
        with pytest.raises(NotPossibleError):
            await try_model(pool, RULE, model, OPERATOR, "so", NOW)
    with pytest.raises(NotPossibleError):
        await end_trial(pool, RULE, OPERATOR, "so", NOW)
    with pytest.raises(NotPossibleError):
        await end_trial(pool, "heart_rate", OPERATOR, "so", NOW)
    await try_model(pool, RULE, OTHER, OPERATOR, "so", NOW)
    await end_trial(pool, RULE, OPERATOR, "so", NOW)
    one = await models_of(pool)
    assert (one.tried, one.others) == ("", [OTHER])
    first, second = [row["valid_from"] for row in one.trail if row["variant"] == "shadow"]
    assert first > second


async def send(
    client: httpx.AsyncClient, what: str, model: str, reason: str = "fewer", rule: str = RULE
) -> httpx.Response:
    token = (await client.get("/api/v1/session")).json()["csrf_token"]
    said = {"model": model, "reason": reason}
    return await client.post(f"/api/v1/models/{rule}/{what}", json=said, headers={"X-CSRF-Token": token})


async def test_programs_read_both_counts_promote_and_roll_back_and_the_same_again_changes_nothing(
    practice: Practice,
) -> None:
    await try_model(practice.pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW - timedelta(days=3))
    async with browsing(practice.address) as client:
        (listed,) = [one for one in (await client.get("/api/v1/models")).json() if one["rule"] == RULE]
        promoted = [await send(client, "promote", OTHER) for _ in range(2)]
        back = [await send(client, "roll-back", OTHER, "too many") for _ in range(2)]
    assert (listed["live"], listed["tried"]) == (SHIPPED, OTHER)
    assert (listed["found"], listed["found_by_tried"]) == ({"findings": 3, "people": 1}, {"findings": 5, "people": 1})
    assert [one.status_code for one in (*promoted, *back)] == [200] * 4
    assert [one.json()["live"] for one in (*promoted, *back)] == [OTHER, OTHER, SHIPPED, SHIPPED]
    changes = [one["change"] for one in back[1].json()["changes"]]
    assert changes == ["rolled_back", "ended", "promoted", "tried", "shipped"]
    by_doctor = await practice.pool.fetchval("select count(*) from rule_versions where doctor_no is not null")
    assert by_doctor == len(["promoted", "ended", "rolled_back"])


@pytest.mark.parametrize(
    ("what", "model", "rule", "status"),
    [
        ("promote", SHIPPED, RULE, 409),
        ("roll-back", SHIPPED, RULE, 409),
        ("promote", OTHER, "heart_rate", 404),
        ("promote", "x" * 200, RULE, 422),
    ],
)
async def test_what_a_program_may_not_do_changes_nothing(
    practice: Practice, what: str, model: str, rule: str, status: int
) -> None:
    await try_model(practice.pool, RULE, OTHER, OPERATOR, "a fit of this month", NOW)
    before = await practice.pool.fetch("select * from rule_versions")
    async with browsing(practice.address) as client:
        assert (await send(client, what, model, rule=rule)).status_code == status
        without_token = await client.post(f"/api/v1/models/{RULE}/promote", json={"model": OTHER, "reason": "so"})
        assert without_token.status_code == 403
    async with httpx.AsyncClient(base_url=practice.address) as signed_out:
        assert (await signed_out.get("/api/v1/models")).status_code == 401
    assert await practice.pool.fetch("select * from rule_versions") == before
