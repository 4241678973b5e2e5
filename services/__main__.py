"""All services in one process (the embedded default): `python -m services`."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from schemas.metrics import METRICS
from services.alert import app as alert
from services.alert.settings import AlertSettings
from services.api import app as api
from services.api.settings import ApiSettings
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.medication import app as medication
from services.medication.settings import MedicationSettings
from services.runtime.clock import Clock
from services.runtime.lifecycle import run_service
from services.runtime.metrics import Metrics
from services.runtime.settings import ClockSettings, DatabaseLogins, LogSettings
from services.runtime.starting import begin
from services.score import app as score
from services.score.settings import ScoreSettings
from services.store import app as store
from services.store.settings import StoreSettings

Settings = TypeVar(
    "Settings", IngestSettings, StoreSettings, ScoreSettings, AlertSettings, MedicationSettings, ApiSettings
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSettings:
    """What the services have in common here: one log, one page of metrics, one clock."""

    log: LogSettings = field(default_factory=LogSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)


def _own(settings: Settings, service: str, logins: DatabaseLogins) -> Settings:
    """At the database each has a role of its own, though they share a process."""
    return settings.model_copy(update={"database": logins.of(service, settings.database)})


async def run(_: SharedSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """All but watch, until ``stop``; one that crashes ends them all. Raises NoSecretError."""
    logins = DatabaseLogins()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest.run(_own(IngestSettings(), "ingest", logins), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(store.run(_own(StoreSettings(), "store", logins), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(score.run(_own(ScoreSettings(), "score", logins), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(alert.run(_own(AlertSettings(), "alert", logins), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(
            medication.run(_own(MedicationSettings(), "medication", logins), clock=clock, stop=stop, metrics=metrics)
        )
        tasks.create_task(api.run(_own(ApiSettings(), "api", logins), clock=clock, stop=stop, metrics=metrics))


def main() -> None:
    """Runs until asked to stop."""
    run_service(run, SharedSettings(), METRICS)


if __name__ == "__main__":
    begin(main)
