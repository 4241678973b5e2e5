"""The process of store."""

from schemas.metrics import METRICS
from services.runtime.lifecycle import run_service
from services.runtime.starting import begin
from services.store import app
from services.store.settings import StoreSettings


def main() -> None:
    """Runs until asked to stop."""
    run_service(app.run, StoreSettings(), METRICS)


if __name__ == "__main__":
    begin(main)
