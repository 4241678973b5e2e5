"""The process of medication."""

from schemas.metrics import METRICS
from services.medication import app
from services.medication.settings import MedicationSettings
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin


def main() -> None:
    """Runs until asked to stop."""
    run_service(app.run, MedicationSettings(), METRICS)


if __name__ == "__main__":
    begin(main)
