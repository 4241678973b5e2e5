"""All services in one process (the embedded default): `python -m services`."""

import asyncio

from schemas.metrics import METRICS
from services.alert import app as alert
from services.alert.settings import AlertSettings
from services.api import app as api
from services.api.settings import ApiSettings
from services.ingest import app as ingest
from services.ingest.settings import IngestSettings
from services.medication import app as medication
from services.medication.settings import MedicationSettings
from services.runtime.lifecycle import run_process
from services.runtime.logs import configure_logs
from services.runtime.metrics import Metrics, serve_metrics
from services.runtime.settings import ClockSettings, LogSettings
from services.score import app as score
from services.score.settings import ScoreSettings
from services.store import app as store
from services.store.settings import StoreSettings


def main() -> None:
    """Runs until asked to stop; a service that crashes ends them all."""
    log = LogSettings()
    configure_logs(log.log_level)
    metrics = Metrics(METRICS)
    clock = ClockSettings().clock()

    async def services(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ingest.run(IngestSettings(), clock=clock, stop=stop, metrics=metrics))
            tasks.create_task(store.run(StoreSettings(), clock=clock, stop=stop, metrics=metrics))
            tasks.create_task(score.run(ScoreSettings(), clock=clock, stop=stop, metrics=metrics))
            tasks.create_task(alert.run(AlertSettings(), clock=clock, stop=stop, metrics=metrics))
            tasks.create_task(medication.run(MedicationSettings(), clock=clock, stop=stop, metrics=metrics))
            tasks.create_task(api.run(ApiSettings(), clock=clock, stop=stop, metrics=metrics))

    with serve_metrics(metrics, log.metrics_port):
        run_process(services)


if __name__ == "__main__":
    main()
