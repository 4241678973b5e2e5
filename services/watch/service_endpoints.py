"""What the services' own pages show: who does not answer, who waits for a server, whose session the broker lost."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.watch.core import Condition, Kind
from services.watch.probe import Counted, ProbeResult

TIMEOUT_S: Final = 3.0
_WAITING: Final = "hb_process_waiting_state"
_STARTED: Final = "hb_process_started_timestamp_seconds"
_SESSIONS_LOST: Final = "hb_ingest_sessions_lost_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointsProbe:
    """Reads every page of ``pages`` (metrics) and asks every one of ``health`` (name to address), all at once.

    A service shows its metrics from a thread of its own, so they say nothing of whether it works: a
    console that no longer answers people still shows them. So consoles are asked for ``health``
    too.
    """

    pages: Mapping[str, str]
    client: httpx.AsyncClient
    health: Mapping[str, str] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset({Kind.SERVICE_DOWN, Kind.SERVICE_WAITS, Kind.SESSION_LOST})

    async def probe(self, now: int) -> ProbeResult:  # noqa: ARG002 - a page shows what is now
        results = await asyncio.gather(
            *(self._read(name) for name in sorted(self.pages)), *(self._ask(name) for name in sorted(self.health))
        )
        # The metrics page and the health page of a console may both say that it is down: one
        # incident.
        found = {condition.key: condition for result in results for condition in result.conditions}
        return ProbeResult(
            conditions=list(found.values()),
            counted=[counted for result in results for counted in result.counted],
        )

    async def _read(self, name: str) -> ProbeResult:
        try:
            answer = await self.client.get(self.pages[name], timeout=TIMEOUT_S)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return ProbeResult(conditions=[_down(name, type(error).__name__)])
        try:
            return read_page(name, answer.text)
        except ValueError:  # another program answers at that address
            return ProbeResult(conditions=[_down(name, "No metrics page")])

    async def _ask(self, name: str) -> ProbeResult:
        """Asks a health page. 503: the service waits for a server; another failure: it is down."""
        try:
            answer = await self.client.get(self.health[name], timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            return ProbeResult(conditions=[_down(name, type(error).__name__)])
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            waits = Condition(kind=Kind.SERVICE_WAITS, subject=name, detail="Its health page says so.")
            return ProbeResult(conditions=[waits])
        return (
            ProbeResult()
            if answer.is_success
            else ProbeResult(conditions=[_down(name, f"Health page: {answer.status_code}")])
        )


def _down(name: str, detail: str) -> Condition:
    return Condition(kind=Kind.SERVICE_DOWN, subject=name, detail=f"{detail}.")


def read_page(name: str, text: str) -> ProbeResult:
    """What the metrics page ``text`` of the service ``name`` says."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    waits = sorted(sample.labels["on"] for sample in samples if sample.name == _WAITING and sample.value)
    born = sum(round(sample.value) for sample in samples if sample.name == _STARTED)
    lost = [sample.value for sample in samples if sample.name == _SESSIONS_LOST]
    return ProbeResult(
        conditions=[Condition(kind=Kind.SERVICE_WAITS, subject=name, detail=f"For: {', '.join(waits)}.")]
        if waits
        else [],
        counted=[
            Counted(kind=Kind.SESSION_LOST, subject=name, counter=f"sessions lost {name}", value=int(value), born=born)
            for value in lost
            if name.startswith("ingest")
        ],
    )
