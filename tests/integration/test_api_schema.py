"""The console keeps to its own OpenAPI, whatever it is asked: schemathesis, signed out and as a doctor.

`make fuzz` runs this with many more calls.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.integration.console_world import Practice, browsing, open_practice, raise_alert

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # thousands of calls by `make fuzz`

CALLS: Final = int(os.environ.get("HB_FUZZ_CALLS", "300"))
CROSS_CHECKED: Final = {
    "/api/v1/people/{person_id}/readings",
    "/api/v1/alerts",
    "/api/v1/people/{person_id}/doses",
    "/api/v1/people/{person_id}/plans",
    "/api/v1/plans/{plan_id}",
    "/api/v1/plans/{plan_id}/pause",
    "/api/v1/alerts/{alert_id}/outcome",
    "/api/v1/quiet-hours",
    "/api/v1/people/{person_id}/limits/{concern}",
    "/api/v1/people/{person_id}/back-tests",
    "/api/v1/session/confirm",
}
"""More than a schema can say: whose password it is, that 'to' lies after 'from', that a moment or a day is in the
calendar or to come, that the fields of a plan don't contradict each other, that its device can report a taking, that
one of three is said, which time zones there are, or that limits don't contradict themselves.
"""


@pytest.fixture
async def practice(embedded_dsn: str) -> AsyncIterator[Practice]:
    async with open_practice(embedded_dsn) as opened:
        yield opened


class Caller:
    """Calls operations with generated data and holds each answer against the schema. ``statuses``: of all answers."""

    def __init__(self, headers: Mapping[str, str], known: Mapping[str, list[str]]) -> None:
        self.statuses: Counter[int] = Counter()
        self._headers, self._known = dict(headers), known

    def call_all(self, address: str, calls: int) -> None:
        """Every operation, with good and with bad data. Raises what a check finds."""
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
        found: Any = list(schema.get_all_operations())
        operations = [one.ok() for one in found]
        kinds = [(one, mode) for one in operations for mode in GenerationMode if mode.is_positive or takes_data(one)]
        while (left := calls - self.statuses.total()) > 0:  # an operation without parameters has one kind of call
            for operation, mode in kinds:
                self._call(operation, mode, -(-left // len(kinds)))

    def _call(self, operation: Any, mode: GenerationMode, times: int) -> None:
        left_out = [positive_data_acceptance] if operation.path in CROSS_CHECKED else []
        ids = st.fixed_dictionaries({name: st.sampled_from([*some, None]) for name, some in self._known.items()})

        def call(case: Any, known: Mapping[str, str | None]) -> None:
            if mode.is_positive:  # half the time something that exists
                real = {name: one for name, one in known.items() if one and name in case.path_parameters}
                case.path_parameters |= real
            response = case.call(headers=self._headers)
            self.statuses[response.status_code] += 1
            case.validate_response(response, excluded_checks=left_out)

        limits = settings(
            max_examples=times,
            deadline=None,
            database=None,
            derandomize="HB_FUZZ_CALLS" not in os.environ,  # `make test` asks the same each time
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        limits(given(case=operation.as_strategy(generation_mode=mode), known=ids)(call))()


def takes_data(operation: Any) -> bool:
    """Whether there is anything to get wrong; in the session's token there is not, which may be any text."""
    parameters = [one for one in operation.iter_parameters() if one.location != "header"]
    return bool(parameters or list(operation.body))


async def test_the_console_keeps_to_its_schema(practice: Practice, say: Callable[[str], None]) -> None:
    alert = await raise_alert(practice.pool, practice.world.ruth)
    plans = [str(row["plan_id"]) for row in await practice.pool.fetch("select plan_id from dose_plans")]
    people = [str(practice.world.ruth), str(practice.world.karl)]
    known = {"person_id": people, "alert_id": [str(alert)], "plan_id": plans}
    async with browsing(practice.address) as client:
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        roles: dict[str, dict[str, str]] = {
            "nobody": {},
            "doctor": {"Cookie": cookie},
            "writer": {"Cookie": cookie, "X-CSRF-Token": token},
        }
        statuses: Counter[int] = Counter()
        for headers in roles.values():
            caller = Caller(headers, known)
            await asyncio.to_thread(caller.call_all, practice.address, -(-CALLS // len(roles)))
            statuses += caller.statuses
    broken = sum(number for status, number in statuses.items() if status >= 500)
    say(f"schemathesis: {statuses.total()} calls, {broken} answers of 5xx; {dict(statuses)}")
    assert broken == 0
    assert statuses.total() >= CALLS
    assert {200, 401, 404, 422} <= statuses.keys()
    assert len(CHECKS.get_all_names()) > 10
