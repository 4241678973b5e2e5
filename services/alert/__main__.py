"""The process of alert."""

from schemas.metrics import METRICS
from services.alert import app
from services.alert.settings import AlertSettings
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin


def main() -> None:
    """Runs until asked to stop."""
    run_service(app.run, AlertSettings(), METRICS)


if __name__ == "__main__":
    begin(main)
