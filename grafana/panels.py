"""The panels, one function each: what is asked, and how the answer looks."""

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from grafana_foundation_sdk.builders import barchart, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import BigValueColorMode, GraphDrawStyle, StackingMode, VisibilityMode
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from grafana.query_target import Query, Reader, Shape, Target
from grafana.vital_views import (
    FigureView,
    all_vitals,
    cause_rows,
    figure_rows,
    longest_silence_s,
    views_of,
    vital_rows,
)
from schemas.model_drift import DRIFTED, LEAST_PEOPLE, LEAST_ROWS, SHIFTED
from schemas.named_sql import named_queries
from schemas.presentation import ChartKind

QUERIES: Final = named_queries(resources.files("grafana").joinpath("panels.sql").read_text("utf-8"))
PERSON: Final = "nullif(${person:sqlstring}, '')::uuid"
GREEN, AMBER, RED, BLUE, GREY = "#3a8f5c", "#d98b1f", "#c4383a", "#3c6fb4", "#8a8f98"
PURPLE = "#7d4fa3"
COLOURS: Final[Mapping[str, str]] = {
    "urgent": RED, "high": RED, "missed": RED, "Missed": RED, "failed": RED,
    "soon": AMBER, "medium": AMBER, "late": AMBER, "Late": AMBER, "old": AMBER, "open": AMBER, "reminded": AMBER,
    "taken": GREEN, "early": GREEN, "On time": GREEN, "current": GREEN, "sent": GREEN, "acknowledged": GREEN,
    "note": BLUE, "low": BLUE, "technical": GREY, "pending": GREY, "Not due yet": GREY, "later today": GREY,
    "taken more than once": PURPLE, "More than once": PURPLE, "paused": BLUE, "Paused": BLUE, "enough": GREEN,
    "not known: dispenser not heard": GREY, "Not known": "#c9ccd1", "not taken yet": RED, "refill due": AMBER,
    "as at training": GREEN, "shifted": AMBER, "unlike training": RED, "too little to say": GREY,
}  # fmt: skip
"""What a word in a cell, or a series of that name, looks like."""

MOST_POINTS: Final = 288
"""Five minutes each on a day's curve."""
Panel = stat.Panel | table.Panel | timeseries.Panel | barchart.Panel


def sql_of(name: str, **parts: object) -> str:
    """A query of ``panels.sql`` with what is known when dashboards are built filled in."""
    return QUERIES[name].format(person=PERSON, all_vitals=all_vitals(), **parts)


def open_alert_count() -> stat.Panel:
    """How many alerts wait for the doctor."""
    return _number(Reader.CAREGIVER, "Waiting for the doctor", sql_of("open_alert_count"), (0, GREEN), (1, RED))


def doses_open_today() -> stat.Panel:
    """How many of today's doses were taken."""
    panel = _number(Reader.CAREGIVER, "Medicine today", sql_of("doses_open_today"), (0, GREEN))
    return panel.override_by_name("Missed today", [_property("thresholds", _steps((0, GREEN), (1, RED)))])


def last_heard() -> stat.Panel:
    """How long ago the newest reading was taken; amber once a device that measures by itself counts as silent."""
    panel = _number(Reader.CAREGIVER, "Last heard", sql_of("last_heard"), (0, GREEN), (longest_silence_s(), AMBER))
    return panel.unit("s").no_value("no reading")


def open_alerts() -> table.Panel:
    """What is not closed yet, in the words for caregivers."""
    return _table(Reader.CAREGIVER, "What needs attention", sql_of("open_alerts")).no_value("Nothing. All is quiet.")


def latest_vitals() -> table.Panel:
    """The newest value of each vital, and whether it is still current."""
    sql = sql_of("latest_vitals", vital_rows=vital_rows())
    return _table(Reader.CAREGIVER, "Newest values", sql).override_by_name("Age", [_property("unit", "s")])


def watched() -> table.Panel:
    """How much of the last day each vital was watched."""
    sql = sql_of("watched", figure_rows=figure_rows(), causes=cause_rows())
    panel = _table(Reader.CAREGIVER, "Watched in the last 24 hours", sql).no_value("Nothing is monitored")
    return panel.description("What was not watched is not known; it is not normal.")


def doses_of_the_day() -> table.Panel:
    """Each dose of today and what became of it."""
    return _table(Reader.CAREGIVER, "Medicine of the day", sql_of("doses_of_the_day")).no_value("No doses today")


def dose_notices() -> table.Panel:
    """What was not taken in its time, and whether it was taken since."""
    panel = _table(Reader.CAREGIVER, "Medicine not taken in its time", sql_of("dose_notices"))
    return panel.no_value("Nothing in the last two days")


def supplies() -> table.Panel:
    """How much of each medicine is left, and until when it lasts."""
    return _table(Reader.CAREGIVER, "Medicine left", sql_of("supplies")).no_value("Nobody has counted any medicine")


def adherence() -> timeseries.Panel:
    """Doses of the last 14 days; it looks back further than the time range."""
    panel = _series(Reader.CAREGIVER, "Medicine of the last 14 days", sql_of("dose_days"))
    for name in ("On time", "Late", "More than once", "Missed", "Not known", "Paused", "Not due yet"):
        panel = panel.override_by_name(name, [_fixed(COLOURS[name])])
    stacked = common.StackingConfig().mode(StackingMode.NORMAL)
    return panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).stacking(stacked).time_from("14d").decimals(0)


def vital_panels() -> Iterator[timeseries.Panel]:
    """Every figure: lines first, then what people measure by hand, then what is summed up."""
    yield from map(vital_line, views_of(ChartKind.LINE))
    for view in views_of(ChartKind.POINTS):
        yield vital_points(view) if len(view.figure.rows) == 1 else vital_pairs(view)
    yield from map(vital_hours, views_of(ChartKind.BARS))


def vital_line(view: FigureView) -> timeseries.Panel:
    """The mean as a line in the band from lowest to highest; a gap stays a gap."""
    bucket_s = f"greatest({view.every_s}, $__interval_ms / 1000)::integer"
    # As on the console: three readings missed in a row, five minutes at least.
    gap_s = max(300, 3 * view.every_s)
    panel = _vital(view, sql_of("band", vital=view.row.vital.number, bucket_s=bucket_s, gap_s=gap_s))
    edge = [_fixed(BLUE), _property("custom.lineWidth", 0)]
    filled = [_property("custom.fillBelowTo", "Lowest"), _property("custom.fillOpacity", 20)]
    panel = panel.override_by_name("Mean", [_fixed(BLUE), _property("custom.lineWidth", 2)])
    return panel.override_by_name("Highest", edge + filled).override_by_name("Lowest", edge)


def vital_points(view: FigureView) -> timeseries.Panel:
    """What people measure by hand: one point each."""
    panel = _vital(view, sql_of("points", vital=view.row.vital.number, label=view.row.label))
    panel = panel.draw_style(GraphDrawStyle.POINTS).point_size(8)
    return panel.override_by_name(view.row.label, [_fixed(BLUE)])


def vital_pairs(view: FigureView) -> timeseries.Panel:
    """Two vitals of one measurement, as both pressures are."""
    upper, under = view.figure.rows
    labels = {"upper_label": upper.short_label, "under_label": under.short_label}
    panel = _vital(view, sql_of("pairs", upper=upper.vital.number, under=under.vital.number, **labels))
    panel = panel.draw_style(GraphDrawStyle.POINTS).point_size(8).override_by_name(upper.short_label, [_fixed(RED)])
    return panel.override_by_name(under.short_label, [_fixed(BLUE)])


def vital_hours(view: FigureView) -> timeseries.Panel:
    """Increments, as steps are: the sum of each hour."""
    label = view.row.label
    sql = sql_of("hours", vital=view.row.vital.number, label=label)
    panel = _series(Reader.CAREGIVER, f"{label} an hour", sql).decimals(view.row.decimals)
    return panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70).override_by_name(label, [_fixed(GREEN)])


def behind() -> stat.Panel:
    """How far store and score are behind the platform's present."""
    colours = ((0, GREEN), (10, AMBER), (60, RED))
    return _number(Reader.OPERATOR, "Behind the present", sql_of("behind"), *colours).unit("s").no_value("not known")


def incidents() -> table.Panel:
    """What the auditor finds wrong with the platform."""
    return _table(Reader.OPERATOR, "Incidents", sql_of("incidents")).no_value("None")


def platform() -> table.Panel:
    """Generation, partitions, edition, watermark."""
    return _table(Reader.OPERATOR, "Platform", sql_of("platform"))


def traffic() -> timeseries.Panel:
    """What arrives, by the minute."""
    panel = _series(Reader.OPERATOR, "Received a minute", sql_of("traffic")).decimals(0)
    for name, colour in (("Uplinks", BLUE), ("Readings", GREEN), ("Events", AMBER), ("Rejected", RED)):
        panel = panel.override_by_name(name, [_fixed(colour)])
    return panel


def rejected() -> barchart.Panel:
    """Why items were rejected."""
    panel = barchart.Panel().title("Rejected, by reason").x_field("Reason").max_data_points(MOST_POINTS)
    query = Query(reader=Reader.OPERATOR, sql=sql_of("rejected"), shape=Shape.TABLE)
    panel = panel.datasource(query.reader.data_source).with_target(Target(query)).no_value("Nothing was rejected")
    return panel.override_by_name("Items", [_fixed(RED)]).override_by_name("Devices", [_fixed(GREY)])


def waiting() -> table.Panel:
    """What waits to be worked on."""
    return _table(Reader.OPERATOR, "Waiting work", sql_of("waiting"))


def notifications() -> table.Panel:
    """What became of notifications."""
    return _table(Reader.OPERATOR, "Notifications", sql_of("notifications")).no_value("None yet")


def alerts_by_state() -> table.Panel:
    """Alerts that are not closed, counted."""
    return _table(Reader.OPERATOR, "Alerts", sql_of("alerts_by_state")).no_value("None open")


def outcomes() -> table.Panel:
    """What came of the alerts that began to wait in the time range, by rule."""
    panel = _table(Reader.OPERATOR, "Outcomes of alerts", sql_of("outcomes")).no_value("Nothing has alerted")
    panel = panel.description(
        "Real, of real and false: what doctors have said; what is unclear, or not said, is not known."
    )
    return panel.override_by_name("Median until taken on", [_property("unit", "s")])


def model_drift() -> table.Panel:
    """Whether what models are asked still looks like what they were fitted on."""
    sql = sql_of("model_drift", least_rows=LEAST_ROWS, least_people=LEAST_PEOPLE, shifted=SHIFTED, drifted=DRIFTED)
    panel = _table(Reader.OPERATOR, "Models: what they are asked", sql).no_value("No model was asked")
    return panel.description(
        "Population stability index of the feature that is the furthest from training. In whole days, UTC."
    )


def devices_heard() -> table.Panel:
    """Devices of each type, and how many were heard."""
    return _table(Reader.OPERATOR, "Devices", sql_of("devices_heard"))


def _number(reader: Reader, title: str, sql: str, *colours: tuple[float, str]) -> stat.Panel:
    query = Query(reader=reader, sql=sql, shape=Shape.TABLE)
    steps_of_colour = [Threshold(value=None if at == 0 else at, color=colour) for at, colour in colours]
    return (
        stat.Panel().title(title).datasource(reader.data_source).with_target(Target(query))
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps_of_colour))
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
    )  # fmt: skip


def _table(reader: Reader, title: str, sql: str) -> table.Panel:
    query = Query(reader=reader, sql=sql, shape=Shape.TABLE)
    words = {word: ValueMappingResult(text=word, color=colour) for word, colour in COLOURS.items()}
    coloured = [_property("custom.cellOptions", {"type": "color-text"})]
    panel = table.Panel().title(title).datasource(reader.data_source).with_target(Target(query))
    panel = panel.mappings([ValueMap(options=words)])
    for column in ("State", "How urgent", "Severity"):
        panel = panel.override_by_name(column, coloured)
    return panel


def _series(reader: Reader, title: str, sql: str) -> timeseries.Panel:
    query = Query(reader=reader, sql=sql, shape=Shape.TIME_SERIES)
    panel = timeseries.Panel().title(title).datasource(reader.data_source).with_target(Target(query))
    return panel.max_data_points(MOST_POINTS).show_points(VisibilityMode.AUTO).no_value("no readings")


def _vital(view: FigureView, sql: str) -> timeseries.Panel:
    panel = _series(Reader.CAREGIVER, view.figure.title, sql)
    low, high = view.row.vital.clipped_low, view.row.vital.clipped_high
    if low is not None and high is not None:
        ends = f"{view.row.number(low)} to {view.row.text(high)}"
        panel = panel.description(f"A worn sensor measures from {ends}: at either end the truth lies at or beyond it.")
    return panel.unit(f"suffix: {view.row.unit_words}").decimals(view.row.decimals)


def _property(name: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=name, value=value)


def _fixed(colour: str) -> DynamicConfigValue:
    return _property("color", {"mode": "fixed", "fixedColor": colour})


def _steps(*colours: tuple[float, str]) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"value": at or None, "color": colour} for at, colour in colours]}
