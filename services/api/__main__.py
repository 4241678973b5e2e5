"""The process of the console."""

from schemas.metrics import METRICS
from services.api import app
from services.api.settings import ApiSettings
from services.runtime.lifecycle import run_service

if __name__ == "__main__":
    run_service(app.run, ApiSettings(), METRICS)
