"""The process of watch."""

from schemas.metrics import METRICS
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin
from services.watch import app
from services.watch.settings import WatchSettings


def main() -> None:
    """Runs until asked to stop."""
    # It opens client after client, for mail and pages.
    run_service(app.run, WatchSettings(), METRICS, in_bursts=False)


if __name__ == "__main__":
    begin(main)
