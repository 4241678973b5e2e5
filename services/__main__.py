"""All services in one process (the embedded default): `python -m services`."""

import asyncio
from dataclasses import dataclass, field

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
from services.runtime.settings import ClockSettings, LogSettings
from services.score import app as score
from services.score.settings import ScoreSettings
from services.store import app as store
from services.store.settings import StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSettings:
    """What the services have in common here: one log, one page of metrics, one clock."""

    log: LogSettings = field(default_factory=LogSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)


async def run(_: SharedSettings, *, clock: Clock, stop: asyncio.Event, metrics: Metrics) -> None:
    """All but watch, until ``stop``; one that crashes ends them all."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ingest.run(IngestSettings(), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(store.run(StoreSettings(), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(score.run(ScoreSettings(), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(alert.run(AlertSettings(), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(medication.run(MedicationSettings(), clock=clock, stop=stop, metrics=metrics))
        tasks.create_task(api.run(ApiSettings(), clock=clock, stop=stop, metrics=metrics))


def main() -> None:
    """Runs until asked to stop."""
    run_service(run, SharedSettings(), METRICS)


if __name__ == "__main__":
    main()
