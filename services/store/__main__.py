"""The process of store: environment, signals, exit code."""

import asyncio

from schemas.metrics import METRICS
from services.runtime.lifecycle import run_process
from services.runtime.logs import configure_logs
from services.runtime.metrics import Metrics, serve_metrics
from services.store import app
from services.store.settings import StoreSettings


def main() -> None:
    """Runs until asked to stop."""
    settings = StoreSettings()
    configure_logs(settings.log.log_level)
    metrics = Metrics(METRICS)

    async def service(stop: asyncio.Event) -> None:
        await app.run(settings, clock=settings.clock.clock(), stop=stop, metrics=metrics)

    with serve_metrics(metrics, settings.log.metrics_port):
        run_process(service)


if __name__ == "__main__":
    main()
