"""The dashboards: which panels, where, and what a viewer can choose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable, TimePicker
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    GridPos,
    VariableHide,
    VariableRefresh,
    VariableSort,
)

from grafana import panels
from grafana.query_target import Reader

DASHBOARDS: Final = Path(__file__).parent / "dashboards"
_WIDTH: Final = 24
_SCHEMA_VERSION: Final = 39


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels side by side, all ``height`` units high; widths add up to 24."""

    height: int
    panels: Sequence[tuple[int, panels.Panel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard file."""

    reader: Reader
    name: str
    json: str

    @property
    def file(self) -> Path:
        return DASHBOARDS / self.reader / f"{self.name}.json"


def boards() -> tuple[Board, ...]:
    """Every dashboard there is."""
    return (
        Board(reader=Reader.CAREGIVER, name="home", json=_json_of(caregiver_home())),
        Board(reader=Reader.OPERATOR, name="platform", json=_json_of(operator_platform())),
        Board(reader=Reader.OPERATOR, name="fleet", json=_json_of(operator_fleet())),
        Board(reader=Reader.OPERATOR, name="alert-quality", json=_json_of(operator_alert_quality())),
    )


def caregiver_home() -> Dashboard:
    """How one person is: what needs attention, newest values, medicine, the day's curves."""
    person = (
        QueryVariable("person").label("Person").query(panels.sql_of("people"))
        .datasource(Reader.CAREGIVER.data_source).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED).hide(VariableHide.DONT_HIDE)
    )  # fmt: skip
    board = _board("hearthbeat-home", "At home", "now-24h").with_variable(person)
    return _laid_out(board, _caregiver_rows())


def operator_platform() -> Dashboard:
    """How the platform is: behind or not, what is wrong, what arrives, what waits."""
    return _laid_out(_board("hearthbeat-platform", "Platform", "now-1h"), _platform_rows())


def operator_fleet() -> Dashboard:
    """How the devices are: which were heard, and what of theirs is refused."""
    return _laid_out(_board("hearthbeat-fleet", "Devices", "now-24h"), _fleet_rows())


def operator_alert_quality() -> Dashboard:
    """What alerts are worth: what came of them, and whether models are asked what they were fitted for."""
    return _laid_out(_board("hearthbeat-alert-quality", "Quality of alerts", "now-30d"), _alert_quality_rows())


def _caregiver_rows() -> Iterator[Row]:
    first = (panels.open_alert_count(), panels.doses_open_today(), panels.last_heard())
    yield Row(height=4, panels=tuple((8, panel) for panel in first))
    yield Row(height=6, panels=((24, panels.open_alerts()),))
    yield Row(height=13, panels=((12, panels.latest_vitals()), (12, panels.doses_of_the_day())))
    yield Row(height=7, panels=((12, panels.dose_notices()), (12, panels.supplies())))
    yield Row(height=7, panels=((24, panels.watched()),))
    curves = list(panels.vital_panels())
    pairs = [curves[at : at + 2] for at in range(0, len(curves), 2)]
    for pair in pairs:
        yield Row(height=8, panels=tuple((_WIDTH // len(pair), panel) for panel in pair))
    yield Row(height=7, panels=((24, panels.adherence()),))


def _platform_rows() -> Iterator[Row]:
    yield Row(height=5, panels=((8, panels.behind()), (16, panels.platform())))
    yield Row(height=7, panels=((24, panels.incidents()),))
    yield Row(height=9, panels=((24, panels.traffic()),))
    yield Row(height=9, panels=((12, panels.waiting()), (12, panels.notifications())))


def _fleet_rows() -> Iterator[Row]:
    yield Row(height=12, panels=((24, panels.devices_heard()),))
    yield Row(height=10, panels=((24, panels.rejected()),))


def _alert_quality_rows() -> Iterator[Row]:
    yield Row(height=12, panels=((24, panels.outcomes()),))
    yield Row(height=8, panels=((12, panels.alerts_by_state()), (12, panels.model_drift())))


def _board(uid: str, title: str, since: str) -> Dashboard:
    picker = TimePicker().refresh_intervals(["10s", "1m", "5m"])
    board = Dashboard(title).uid(uid).tags(["hearthbeat"]).readonly().refresh("1m").time(since, "now")
    return board.timepicker(picker).timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR)


def _laid_out(board: Dashboard, rows: Iterator[Row]) -> Dashboard:
    top = number = 0
    for row in rows:
        left = 0
        for width, panel in row.panels:
            number += 1
            board = board.with_panel(panel.id(number).grid_pos(GridPos(x=left, y=top, w=width, h=row.height)))
            left += width
        top += row.height
    return board


def _json_of(board: Dashboard) -> str:
    built = board.build()
    built.schema_version = _SCHEMA_VERSION
    return dumps(built, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
