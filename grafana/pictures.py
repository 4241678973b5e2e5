"""PNG files of the panels, each from its own query, run as its reader; this is not Grafana's own rendering."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from matplotlib.figure import Figure

from grafana.boards import boards
from grafana.drawing import PAGE, Drawn, draw_panel
from grafana.errors import NobodyVisibleError
from grafana.looks import Looks
from grafana.macros import View, substitute
from grafana.query_target import Reader

_GRID_COLUMNS: Final = 24
_BOARD_WIDTH_IN: Final = 14.0
_UNIT_HEIGHT_IN: Final = 0.36
_GAP_IN: Final = 0.1
_DPI: Final = 110


async def draw_boards(
    reader: Reader, dsn: str, since: datetime, until: datetime, person: UUID | None, out: Path
) -> list[Path]:
    """Writes a picture of each panel and one of each whole dashboard of ``reader``. Raises NobodyVisibleError."""
    files: list[Path] = []
    connection = await asyncpg.connect(dsn)
    try:
        variables = {}
        if reader is Reader.CAREGIVER:
            variables["person"] = str(person or await first_person(connection))
        view = View(since=since, until=until, variables=variables)
        for board in (one for one in boards() if one.reader is reader):
            shown = json.loads(board.json)["panels"]
            drawn = [await run_panel(connection, panel, view) for panel in shown]
            places = [panel["gridPos"] for panel in shown]
            # The first is the reader's own page.
            whole = f"grafana-{reader}-{board.name}.png" if files else f"grafana-{reader}.png"
            files.append(_save_board(drawn, places, out / whole))
            files += [
                _save_panel(one, place, out / f"grafana-{reader}-{_slug(one.title)}.png")
                for one, place in zip(drawn, places, strict=True)
            ]
    finally:
        await connection.close()
    return files


async def first_person(connection: asyncpg.Connection) -> str:
    """The first choice of the dashboard's variable. Raises NobodyVisibleError."""
    row = await connection.fetchrow("select person_id from caregiver_people() order by label")
    if row is None:
        raise NobodyVisibleError
    return str(row["person_id"])


async def run_panel(connection: asyncpg.Connection, panel: Mapping[str, Any], view: View) -> Drawn:
    """The rows of a panel's query as Grafana would ask it."""
    wide = replace(view, points=panel.get("maxDataPoints", view.points))
    rows = await connection.fetch(substitute(panel["targets"][0]["rawSql"], wide))
    return Drawn(
        title=panel["title"],
        kind=panel["type"],
        looks=Looks.of(panel),
        rows=[dict(row) for row in rows],
        since=view.since,
        until=view.until,
    )


def _save_panel(panel: Drawn, place: Mapping[str, int], file: Path) -> Path:
    width = place["w"] * _BOARD_WIDTH_IN / _GRID_COLUMNS
    height = place["h"] * _UNIT_HEIGHT_IN
    figure = Figure(figsize=(width, height), facecolor=PAGE)
    edge_x, edge_y = _GAP_IN / 2 / width, _GAP_IN / 2 / height
    draw_panel(figure.add_axes((edge_x, edge_y, 1 - 2 * edge_x, 1 - 2 * edge_y)), panel)
    return _save(figure, file)


def _save_board(panels: list[Drawn], places: list[Mapping[str, int]], file: Path) -> Path:
    rows = max(place["y"] + place["h"] for place in places)
    height = rows * _UNIT_HEIGHT_IN
    figure = Figure(figsize=(_BOARD_WIDTH_IN, height), facecolor=PAGE)
    gap_x, gap_y = _GAP_IN / _BOARD_WIDTH_IN, _GAP_IN / height
    for panel, place in zip(panels, places, strict=True):
        left = place["x"] / _GRID_COLUMNS + gap_x / 2
        bottom = 1 - (place["y"] + place["h"]) / rows + gap_y / 2
        size = (place["w"] / _GRID_COLUMNS - gap_x, place["h"] / rows - gap_y)
        draw_panel(figure.add_axes((left, bottom, *size)), panel)
    return _save(figure, file)


def _save(figure: Figure, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=_DPI, metadata={"Software": None})
    return file


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
