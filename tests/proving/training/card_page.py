"""The card of a model for people: a page of Markdown with plots, beside the two files of the model."""

from collections.abc import Sequence
from pathlib import Path

from services.score.models.artefact import Artefact
from tests.proving.scorecard.page import paragraphs, pictured, rows_of, table_of, wrapped
from tests.proving.scorecard.section import Section


def write_card(folder: Path, artefact: Artefact, measured: Section) -> Path:
    """Writes ``<kind>.md`` and its plots into ``folder``; gives the page. ``measured``: on people not fitted on."""
    card = artefact.card
    page = folder / f"{card.kind}.md"
    parts = [
        f"# {card.kind.replace('_', ' ').capitalize()}, version {card.version}",
        wrapped(card.purpose),
        "## Limits of use",
        _list(card.limits_of_use),
        "## What it was fitted on",
        wrapped(f"{len(card.people)} people, whose ids stand hashed in the card. Sets and licences:"),
        _list([f"`{name}`: {licence}" for name, licence in card.licences.items()]),
        rows_of(("setting", "value"), [(name, f"{value}") for name, value in card.settings.items()]),
        wrapped(f"Features, in their order: {', '.join(card.features)}."),
        "## What it finds",
        paragraphs(measured.counted),
        table_of(measured.lines),
    ]
    for plot in measured.plots:
        parts += pictured(plot, folder, f"{card.kind}-{plot.name}", f"{card.kind}-{plot.name}.png")
    page.write_text("\n\n".join(parts) + "\n")
    return page


def _list(lines: Sequence[str]) -> str:
    return "\n".join(wrapped(f"- {line}", hanging="  ") for line in lines)
