"""The process of watch: environment, signals, exit code."""

import asyncio

from schemas.metrics import METRICS
from services.runtime.lifecycle import run_process
from services.runtime.logs import configure_logs
from services.runtime.metrics import Metrics, serve_metrics
from services.watch import app
from services.watch.settings import WatchSettings


def main() -> None:
    """Runs until asked to stop."""
    settings = WatchSettings()
    configure_logs(settings.log.log_level)
    metrics = Metrics(METRICS)

    async def service(stop: asyncio.Event) -> None:
        await app.run(settings, clock=settings.clock.clock(), stop=stop, metrics=metrics)

    with serve_metrics(metrics, settings.log.metrics_port):
        run_process(service, in_bursts=False)


if __name__ == "__main__":
    main()
