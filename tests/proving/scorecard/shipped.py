"""What ships, for the scorecard: loaded, or why not in words; a section says either, and measures what it can."""

from pathlib import Path
from typing import Any

from services.score.models.artefact import Artefact, ArtefactError, Form, load
from services.score.settings import SHIPPED


def shipped(form: Form, folder: Path = SHIPPED) -> tuple[Artefact | None, dict[str, Any]]:
    """The artefact of that form; where there is none, or it is refused, what the JSON says instead of figures."""
    try:
        return load(folder, form), {}
    except ArtefactError as error:
        return None, {"shipped": {"not_measured": str(error)}}
