"""Whoever adds a row sees here what else it needs."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from deploy.platform.services import SERVICES as PLATFORM_SERVICES
from device_sim.physiology import PROCESSES
from schemas.alerts import Severity
from schemas.codec import encode_uplink, parse_json
from schemas.devices import DEVICE_TYPES
from schemas.devices.device_type import DeviceType, Measuring
from schemas.events import EVENT_TYPES, EventKind, EventType
from schemas.messages import DeviceEvent, Reading, Uplink
from schemas.metrics import METRICS, Metric
from schemas.named_sql import named_queries
from schemas.presentation import FIGURES, RULE_PRESENTATIONS, VITAL_PRESENTATIONS, ChartKind, Figure, VitalPresentation
from schemas.rule_names import MEASURED
from schemas.topics import BUS_TOPICS, DEVICE_TOPICS, BusTopic, DeviceTopic
from schemas.vitals import VITAL_BY_CODE, VITALS, Vital
from services.alert.channels import CHANNELS
from services.api.rest import VitalCode
from services.medication.adherence import MESSAGES as ADHERENCE_MESSAGES
from services.medication.adherence import RULE as ADHERENCE
from services.medication.notices import MESSAGES as NOTICE_MESSAGES
from services.medication.sayings import DOUBLE_RULE, MISSED_RULE
from services.medication.sayings import MESSAGES as DOSE_MESSAGES
from services.score.models.anomaly import CODES
from services.score.models.drift import DRIFT_MODEL
from services.score.news2_points import COUNTED
from services.score.rule import Rule, endings
from services.score.rules import RULES
from services.sentences.catalogue import LANGUAGES, Reader, load
from tests.golden import GOOD
from tests.repo.tree import ROOT, SERVICES, files, text_of

FIVE_FILES = ("__main__.py", "settings.py", "app.py", "core.py", "queries.sql")
UCUM = {"/min", "%", "Cel", "[degF]", "mm[Hg]", "mg/dL", "mmol/L", "kg", "[lb_av]", "{steps}"}
METRIC_NAME = re.compile(r"hb_[a-z]+_[a-z_]+_(total|seconds|bytes|ratio|uplinks|records|rows|state|timestamp_seconds)")
PERSONAL_LABELS = {"person", "person_no", "device", "device_no", "home", "home_no", "email", "name"}
ACTORS = {"device", *SERVICES}
RAISED = [*(rule.name for rule in RULES), MISSED_RULE, DOUBLE_RULE, ADHERENCE]
"""Every rule that findings and alerts can carry."""
MAKERS_OF_FINDINGS = {
    "services/score/rule.py",  # of RULES
    "services/medication/sayings.py",  # of MISSED_RULE and DOUBLE_RULE
    "services/medication/adherence.py",  # of ADHERENCE
    "services/alert/claims.py",  # as they stand in the database
    "services/score/looks_back.py",  # as they stand in the database
}
MIGRATION = re.compile(r"(\d{4})_[a-z][a-z0-9_]*\.sql")


def names_all(things: list[str]) -> bool:
    return len(things) == len(set(things))


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.code)
def test_a_device_type_is_whole(device: DeviceType) -> None:
    assert device.label
    assert device.rationale.endswith(".")
    assert device.vitals or device.events
    assert bool(device.vitals) is (device.measuring is not Measuring.NOTHING)
    assert EventKind.COMMAND_RESULT in device.events
    assert all(code in VITAL_BY_CODE for code in device.vitals)
    assert set(device.former_names.values()) <= set(device.vitals)
    assert not set(device.former_names) & set(device.vitals)
    assert 1 <= device.slots <= 8


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.code)
def test_whatever_a_device_type_may_say_survives_the_wire(device: DeviceType) -> None:
    slot = 1 if device.slots > 1 else None
    readings = tuple(
        Reading(vital=code, value=VITAL_BY_CODE[code].lowest, at=4, unit=unit, slot=slot)
        for code in device.vitals
        for unit in VITAL_BY_CODE[code].units
    )
    events = tuple(DeviceEvent(event=kind, at=4, slot=slot, details={"room": "hall"}) for kind in device.events)
    body = parse_json(
        encode_uplink(Uplink(epoch=1, seq=0, sent_at=5, clock="synced", oldest=0, readings=readings, events=events))
    )
    assert list(body)[:2] == ["epoch", "seq"]
    assert tuple(Reading(**reading) for reading in body["readings"]) == readings
    assert [event["event"] for event in body["events"]] == list(device.events)


@pytest.mark.parametrize("device", DEVICE_TYPES, ids=lambda device: device.code)
def test_the_good_examples_show_every_vital_of_a_device_type(device: DeviceType) -> None:
    shown = {reading["vital"] for one in GOOD if one.type is device for reading in parse_json(one.payload)["readings"]}
    assert shown == set(device.vitals)


@pytest.mark.parametrize("row", EVENT_TYPES, ids=lambda row: row.kind)
def test_an_event_is_shown_by_an_example_and_sent_by_a_device(row: EventType) -> None:
    shown = {event["event"] for one in GOOD for event in parse_json(one.payload)["events"]}
    assert row.kind in shown
    assert any(row.kind in device.events for device in DEVICE_TYPES)


@pytest.mark.parametrize("vital", VITALS, ids=lambda vital: vital.code)
def test_a_vital_is_whole(vital: Vital) -> None:
    assert vital.loinc
    assert all(re.fullmatch(r"\d{1,5}-\d", code) for code in vital.loinc)
    assert set(vital.units) <= UCUM
    assert vital.lowest < vital.highest
    assert vital.rationale.endswith(".")
    assert any(vital.code in device.vitals for device in DEVICE_TYPES)


@pytest.mark.parametrize("vital", VITALS, ids=lambda vital: vital.code)
def test_a_vital_has_one_simulated_source(vital: Vital) -> None:
    assert sum(process.vital == vital.code for process in PROCESSES) == 1


def test_no_source_is_simulated_for_nothing() -> None:
    assert {process.vital for process in PROCESSES} == set(VITAL_BY_CODE)


def test_numbers_and_codes_are_given_once() -> None:
    assert len({vital.number for vital in VITALS}) == len({vital.code for vital in VITALS}) == len(VITALS)
    assert len({row.number for row in EVENT_TYPES}) == len({row.kind for row in EVENT_TYPES}) == len(EVENT_TYPES)
    assert len({device.code for device in DEVICE_TYPES}) == len(DEVICE_TYPES)
    assert len({device.number for device in DEVICE_TYPES}) == len(DEVICE_TYPES)
    assert all(0 < device.number < 256 for device in DEVICE_TYPES)
    assert {row.kind for row in EVENT_TYPES} == set(EventKind)


def test_every_vital_has_one_row_of_presentation_and_every_row_a_vital() -> None:
    assert sorted(row.vital.code for row in VITAL_PRESENTATIONS) == sorted(VITAL_BY_CODE)
    assert names_all([row.label for row in VITAL_PRESENTATIONS])


@pytest.mark.parametrize("row", VITAL_PRESENTATIONS, ids=lambda row: row.vital.code)
def test_a_row_of_presentation_is_whole(row: VitalPresentation) -> None:
    """Quotes and braces are refused because panels put labels into SQL."""
    assert re.fullmatch(r"[A-Z][\w ()-]*", row.label)
    assert re.fullmatch(r"[A-Z][\w ()-]*", row.short_label or row.label)
    assert row.unit_words
    assert not set("[]{}'\"") & set(row.unit_words)
    assert 0 <= row.decimals <= 2
    assert row.rationale.endswith(".")
    assert row.chart.rationale.endswith(".")
    assert (row.chart.kind is ChartKind.BARS) is (row.summed_over is not None)


@pytest.mark.parametrize("row", VITAL_PRESENTATIONS, ids=lambda row: row.vital.code)
def test_no_value_grows_old_before_its_device_measures_again(row: VitalPresentation) -> None:
    often = min(device.reports_every_s for device in DEVICE_TYPES if row.vital.code in device.vitals)
    assert often < row.fresh_for.total_seconds() <= 48 * 3600


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.title)
def test_a_figure_can_be_drawn_by_console_and_panels(figure: Figure) -> None:
    """A panel joins one vital by a line, and shows two that are measured together as points."""
    assert figure.title
    assert len({(row.unit_words, row.decimals) for row in figure.rows}) == 1
    assert len(figure.rows) == 1 or (len(figure.rows), figure.chart.kind) == (2, ChartKind.POINTS)
    assert len(figure.rows) == 1 or all(row.short_label for row in figure.rows)


def test_every_rule_that_can_be_raised_has_one_row_of_presentation_and_every_row_a_rule() -> None:
    assert sorted(row.rule for row in RULE_PRESENTATIONS) == sorted(RAISED)
    assert names_all([row.title for row in RULE_PRESENTATIONS])
    assert all(row.title == row.title.strip() and row.title[0].isupper() for row in RULE_PRESENTATIONS)


def test_whoever_makes_findings_is_among_those_whose_rules_are_counted() -> None:
    """Another maker belongs into MAKERS_OF_FINDINGS, and its rules into RAISED."""
    python = [path for path in files() if path.suffix == ".py" and path.parts[0] == "services"]
    assert {str(path) for path in python if re.search(r"\bFinding\(\n", text_of(path))} == MAKERS_OF_FINDINGS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_over_a_vital_is_explained_by_the_chart_of_that_vital(rule: Rule) -> None:
    (row,) = (row for row in RULE_PRESENTATIONS if row.rule == rule.name)
    assert rule.fold is None or row.explained_by is VITAL_BY_CODE.get(rule.what)


@pytest.mark.parametrize("topic", BUS_TOPICS, ids=lambda topic: topic.name)
def test_a_bus_topic_has_a_producer_and_consumers(topic: BusTopic) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z]+)+\.v\d+", topic.name)
    assert topic.producer in SERVICES
    assert set(topic.consumers) <= set(SERVICES)
    assert topic.consumers
    assert len(topic.groups) >= len(topic.consumers)
    assert topic.payload
    assert topic.key
    assert topic.retention_h > 0


@pytest.mark.parametrize("topic", DEVICE_TOPICS, ids=lambda topic: topic.leaf)
def test_a_device_topic_has_a_producer_and_consumers(topic: DeviceTopic) -> None:
    assert set(topic.producer.split(", ")) <= ACTORS
    assert topic.consumers
    assert set(topic.consumers) <= ACTORS
    assert topic.qos in {0, 1}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_says_its_service_and_unit_and_names_nobody(metric: Metric) -> None:
    assert METRIC_NAME.fullmatch(metric.name)
    assert metric.name.split("_")[1] in {*SERVICES, "bus", "process"}
    assert (metric.kind == "counter") is metric.name.endswith("_total")
    assert metric.help.endswith(".")
    assert not PERSONAL_LABELS & set(metric.labels)
    assert bool(metric.buckets) is (metric.kind == "histogram")


def test_metric_names_are_given_once_and_each_is_used() -> None:
    code = "".join(text_of(path) for path in files() if path.suffix == ".py" and path.parts[0] == "services")
    assert names_all([metric.name for metric in METRICS])
    assert [metric.name for metric in METRICS if f'"{metric.name}"' not in code] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_five_files(service: str) -> None:
    assert [name for name in FIVE_FILES if not (ROOT / "services" / service / name).is_file()] == []


def test_every_service_is_started_by_the_platform() -> None:
    assert set(PLATFORM_SERVICES) == set(SERVICES)


def test_the_rest_interface_takes_every_vital() -> None:
    assert set(get_args(VitalCode)) == set(VITAL_BY_CODE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_why_and_to_whom(rule: Rule) -> None:
    assert rule.version >= 1
    assert len(rule.rationale) > 40
    assert all(key.partition(".")[0] == rule.name for key in rule.messages)
    # Of what rests on measurements, each way to end has words of its own.
    ends = endings(rule.name) if rule.name in MEASURED else (f"{rule.name}.ended",)
    assert set(ends) <= set(rule.messages)
    assert names_all(list(rule.messages))
    assert all(isinstance(severity, Severity) for severity in rule.severities.values())
    assert (ROOT / "services" / "score" / "rules" / f"{rule.name}.py").is_file()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_sentence_for_every_message_and_reader_and_no_other(language: str) -> None:
    catalogue = load(language)
    said = {key for rule in RULES for key in rule.messages} | {*DOSE_MESSAGES, *ADHERENCE_MESSAGES, *NOTICE_MESSAGES}
    wanted = {(str(reader), key) for reader in Reader for key in said}
    names = {"vital", "unit", "bound", "rest", "input", "missing input", "channel", "unusual"}
    found = {word for context, word in catalogue.sentences if context == "unusual"}
    assert found == {"above", "below", "as usual", "not known", *CODES}
    assert {word for context, word in catalogue.sentences if context == "rest"} == {"known", "unknown"}
    for context in ("input", "missing input"):
        found = {word for of, word in catalogue.sentences if of == context}
        assert found == {str(one.parameter) for one in COUNTED}
    assert {word for of, word in catalogue.sentences if of == "channel"} == {one.code for one in DRIFT_MODEL.channels}
    assert {word for context, word in catalogue.sentences if context == "bound"} == {"below", "above"}
    assert {entry for entry in catalogue.sentences if entry[0] not in names} == wanted
    assert all(catalogue.sentences[entry].endswith((".", "\u3002")) for entry in wanted)
    if language != "en":
        assert {code for context, code in catalogue.sentences if context == "vital"} == set(VITAL_BY_CODE)


def test_no_sentence_for_people_stands_in_the_code_of_a_rule() -> None:
    """A sentence begins with a capital and ends with a stop; rationales and docstrings are not said to people."""
    rules = [path for path in files() if path.parts[:3] == ("services", "score", "rules")]
    for path in rules:
        tree = ast.parse(text_of(path))
        named = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "rationale"]
        allowed = {id(part) for value in named for part in ast.walk(value)}
        allowed |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in allowed]
        assert [one.value for one in texts if re.match(r"[A-Z].* .*\.$", str(one.value))] == []


def test_every_rule_and_channel_file_is_in_its_tuple() -> None:
    rules = {path.stem for path in files() if path.parts[:3] == ("services", "score", "rules")} - {"__init__"}
    channels = {path.stem for path in files() if path.parts[:3] == ("services", "alert", "channels")}
    assert rules == {rule.name for rule in RULES}
    assert channels - {"__init__", "port"} == {channel.name for channel in CHANNELS}


def test_migrations_are_numbered_once_and_say_what_they_do() -> None:
    names = [path.name for path in files() if path.parts[:3] == ("schemas", "sql", "migrations")]
    matches = [MIGRATION.fullmatch(name) for name in names if name.endswith(".sql")]
    assert all(matches)
    assert names_all([match[1] for match in matches if match])


def test_what_needs_timescale_is_in_files_of_its_own() -> None:
    words = ("create_hypertable", "timescaledb.", "add_retention_policy", "continuous", "drop_chunks")
    for path in (ROOT / "schemas" / "sql" / "migrations").glob("*.sql"):
        code = "\n".join(line.split("--")[0] for line in text_of(path).splitlines())
        if any(word in code for word in words):
            assert text_of(path).startswith("-- requires: timescaledb"), path


def part_of(path: Path) -> str:
    """The service, or the single file, that a source belongs to."""
    return Path(path.parts[1]).stem


def test_every_file_of_named_queries_is_in_their_form() -> None:
    texts = {path: text_of(path) for path in files() if path.suffix == ".sql"}
    named = [path for path, text in texts.items() if "-- name:" in text]
    assert len(named) >= 17
    for path in named:
        assert named_queries(texts[path]), path


def test_named_queries_are_used() -> None:
    unused = []
    code = {
        path: text_of(path) for path in files() if path.suffix == ".py" and path.parts[0] in {"services", "grafana"}
    }
    for path in (path for path in files() if path.suffix == ".sql" and path.parts[0] == "services"):
        near = [text for other, text in code.items() if part_of(other) == part_of(path)]
        for line in text_of(path).splitlines():
            if line.startswith("-- name: "):
                name = line.removeprefix("-- name: ")
                unused += [] if any(f'"{name}"' in text for text in near) else [f"{path}: {name}"]
    assert not unused
