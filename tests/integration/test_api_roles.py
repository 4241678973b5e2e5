"""Every operation of the console, and for whom it is: an operation without a row here fails."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from unittest.mock import MagicMock
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute

from services.api.confirmation import confirmed
from services.api.sessions import looking_on, signed_in, signed_in_unless_by_itself
from services.api.web import build_app
from tests.integration.console_world import FORMER, Practice, browsing, open_practice, raise_alert

OPEN, OWN, CARE, PROOF, CARE_PROOF = "open", "own", "care", "proof", "care and proof"
"""For anybody; for each doctor, about themselves or filtered by their care; for doctors in whose care the person is;
for each doctor after a proof; for doctors in whose care the person is, after a proof."""
OPERATIONS: Final[Mapping[str, str]] = {
    OPEN: """
        GET /healthz
        GET /sign-in
        POST /sign-in
        GET /sign-in/code
        POST /sign-in/code
        GET /reset
        POST /reset
    """,
    OWN: """
        POST /sign-out
        GET /
        GET /people
        POST /people
        GET /outcomes
        GET /morning
        GET /quiet-hours
        POST /quiet-hours
        POST /quiet-hours/end
        GET /second-factor
        POST /second-factor/confirm
        GET /live
        GET /models
        GET /api/v1/session
        POST /api/v1/session/confirm
        GET /api/v1/people
        GET /api/v1/alerts
        GET /api/v1/outcomes
        GET /api/v1/morning
        GET /api/v1/quiet-hours
        PUT /api/v1/quiet-hours
        DELETE /api/v1/quiet-hours
        GET /api/v1/held-readings
        GET /api/v1/models
    """,
    CARE: """
        POST /people/{person_id}/held/{measurement_id}
        GET /people/{person_id}
        GET /alerts/{alert_id}
        POST /alerts/{alert_id}/acknowledge
        POST /alerts/{alert_id}/outcome
        POST /alerts/{alert_id}/finish
        GET /api/v1/people/{person_id}
        GET /api/v1/people/{person_id}/readings
        GET /api/v1/alerts/{alert_id}
        GET /api/v1/alerts/{alert_id}/notifications
        GET /api/v1/alerts/{alert_id}/history
        POST /api/v1/alerts/{alert_id}/acknowledge
        POST /api/v1/alerts/{alert_id}/outcome
        POST /api/v1/alerts/{alert_id}/finish
        GET /people/{person_id}/plans
        GET /people/{person_id}/plans/new
        POST /people/{person_id}/plans
        GET /plans/{plan_id}
        GET /plans/{plan_id}/edit
        POST /plans/{plan_id}/edit
        POST /plans/{plan_id}/pause
        POST /plans/{plan_id}/resume
        POST /plans/{plan_id}/stock
        GET /api/v1/people/{person_id}/plans
        POST /api/v1/people/{person_id}/plans
        GET /api/v1/plans/{plan_id}
        PUT /api/v1/plans/{plan_id}
        POST /api/v1/plans/{plan_id}/pause
        POST /api/v1/plans/{plan_id}/resume
        POST /api/v1/plans/{plan_id}/stock
        GET /api/v1/plans/{plan_id}/versions
        GET /api/v1/people/{person_id}/doses
        GET /api/v1/people/{person_id}/adherence
        GET /api/v1/people/{person_id}/held-readings
        POST /api/v1/held-readings/{measurement_id}
        GET /people/{person_id}/limits
        POST /people/{person_id}/limits/try
        GET /people/{person_id}/limits/tests/{back_test_id}
        GET /api/v1/people/{person_id}/limits
        GET /api/v1/people/{person_id}/limits/versions
        POST /api/v1/people/{person_id}/back-tests
        GET /api/v1/people/{person_id}/back-tests/{back_test_id}
    """,
    PROOF: """
        POST /second-factor/begin
        POST /second-factor/recovery-codes
        POST /second-factor/end
        POST /models/promote
        POST /models/roll-back
        POST /api/v1/models/{rule}/promote
        POST /api/v1/models/{rule}/roll-back
    """,
    CARE_PROOF: """
        POST /people/{person_id}/limits
        POST /people/{person_id}/limits/give-back
        PUT /api/v1/people/{person_id}/limits/{concern}
        POST /api/v1/people/{person_id}/limits/{concern}/give-back
    """,
}


class Operation(NamedTuple):
    """One line of the table."""

    method: str
    path: str


KIND: Final[Mapping[Operation, str]] = {
    Operation(*line.split()): kind for kind, lines in OPERATIONS.items() for line in lines.strip().splitlines()
}
SIGNED_IN: Final = {signed_in, looking_on, signed_in_unless_by_itself}
NOTED: Final = {"version": 0, "note": "Seen."}
LIMITS: Final = {
    "levels": [{"on": 140.0, "inclusive": True, "persist_min": 10.0, "severity": "high", "level": 1}], "off": 100.0,
    "clear_min": 10.0, "worse_by": 20.0,
}  # fmt: skip
PLAN: Final = {"drug": "X", "at": ["08:00"], "device": "pills", "compartment": 1}
BODIES: Final[Mapping[str, Any]] = {
    **{f"/api/v1/alerts/{{alert_id}}/{what}": NOTED for what in ("acknowledge", "outcome", "finish")},
    "/api/v1/people/{person_id}/plans": PLAN,
    "/api/v1/plans/{plan_id}": PLAN | {"version_no": 1},
    "/api/v1/plans/{plan_id}/pause": {"why": "x"},
    "/api/v1/plans/{plan_id}/stock": {"count": 1.0, "what": "counted"},
    "/api/v1/held-readings/{measurement_id}": {"state": "dismissed"},
    "/api/v1/people/{person_id}/limits/{concern}": LIMITS | {"reason": "x", "seen": 0},
    "/api/v1/people/{person_id}/limits/{concern}/give-back": {"reason": "x", "seen": 0},
    "/api/v1/people/{person_id}/back-tests": LIMITS | {"concern": "heart_rate.fast"},
}
"""What programs send, whole, so that it is looked up whom it is about."""


def routes() -> Iterator[APIRoute]:
    """All that the application serves, its static files and its own description apart."""

    def walk(found: Iterable[Any]) -> Iterator[Any]:
        for one in found:
            inner = getattr(one, "original_router", None)
            yield from walk(inner.routes) if inner is not None else (one,)

    return (one for one in walk(build_app(MagicMock()).routes) if isinstance(one, APIRoute))


def asked_by(route: APIRoute) -> set[Any]:
    """What is asked before the operation begins."""

    def calls(dependant: Any) -> Iterator[Any]:
        for one in dependant.dependencies:
            yield one.call
            yield from calls(one)

    return set(calls(route.dependant))


def test_every_operation_has_one_row_and_asks_for_what_its_row_says() -> None:
    found = {Operation(method, route.path): asked_by(route) for route in routes() for method in route.methods or ()}
    assert set(found) == set(KIND)
    assert len(KIND) == sum(len(lines.strip().splitlines()) for lines in OPERATIONS.values())
    signs_in = {one for one, asked in found.items() if asked & SIGNED_IN}
    assert signs_in == {one for one, kind in KIND.items() if kind != OPEN}
    proves = {one for one, asked in found.items() if confirmed in asked}
    assert proves == {one for one, kind in KIND.items() if kind in {PROOF, CARE_PROOF}}


@pytest.fixture
async def practice(embedded_dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(embedded_dsn) as opened:
        yield opened


async def places(practice: Practice) -> dict[str, str]:
    """What there is of Ruth, by the names of the parts of paths."""
    plan = await practice.pool.fetchval(
        "select plan_id from dose_plans join people using (person_no) where person_id = $1 limit 1",
        practice.world.ruth,
    )
    return {
        "person_id": str(practice.world.ruth), "alert_id": str(await raise_alert(practice.pool, practice.world.ruth)),
        "plan_id": str(plan), "measurement_id": str(uuid4()), "back_test_id": str(uuid4()), "rule": "glucose_forecast",
        "concern": "heart_rate.fast",
    }  # fmt: skip


async def send(client: httpx.AsyncClient, one: Operation, at: Mapping[str, str], token: str = "") -> httpx.Response:
    path = one.path.format(**at)
    if one.method == "GET":
        day = "?vital=glucose&from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z"
        return await client.get(path + (day if path.endswith(("/readings", "/doses", "/adherence")) else ""))
    if not path.startswith("/api/"):
        return await client.request(one.method, path, data={"csrf": token, "version": "0", "note": "Seen."})
    return await client.request(one.method, path, json=BODIES.get(one.path), headers={"X-CSRF-Token": token})


async def test_without_a_session_nothing_is_done_or_shown(practice: Practice) -> None:
    at, passed = await places(practice), {}
    async with browsing(practice.address, None) as client:
        for one, kind in KIND.items():
            if kind != OPEN:
                answer = await send(client, one, at)
                outside = answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in")
                if not outside or "Ruth" in answer.text:
                    passed[one] = answer.status_code
    assert passed == {}


async def test_nobody_reads_or_changes_anything_about_a_person_who_is_no_longer_in_their_care(
    practice: Practice,
) -> None:
    at, passed = await places(practice), {}
    async with browsing(practice.address, FORMER) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        for one, kind in KIND.items():
            if kind in {CARE, CARE_PROOF}:
                answer = await send(client, one, at, token)
                if answer.status_code != 404 or "Ruth" in answer.text:
                    passed[one] = answer.status_code
    assert passed == {}
