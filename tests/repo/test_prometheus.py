"""Prometheus' rules: each metric and label is one that services show, each rule has its paragraph in the runbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.metrics import METRICS
from schemas.reasons import RejectionReason
from schemas.rule_names import RULE_NAMES
from services.alert.channels.port import AttemptOutcome
from services.runtime.metrics import Server
from services.watch.core import Kind
from services.watch.operator_channels import SendOutcome
from tests.integration.prometheus_rules import CASES, RULES, Selector, rules, selectors_of
from tests.repo.test_documentation import anchors_of
from tests.repo.tree import ROOT, SERVICES, text_of

RUNBOOK = Path("docs/runbook.md")
BY_NAME = {one.name: one for one in METRICS}
OF_SCRAPE = {"job", "instance", "service"}
RISES = {"rate", "increase"}
OVER_TIME = {*RISES, "changes", "deriv", "predict_linear"}
ALL = rules()
NAMES = [rule["alert"] for rule in ALL]
WORDS: dict[tuple[str, str], set[str]] = {
    ("hb_process_waiting_state", "on"): set(Server),
    ("hb_watch_incident_state", "kind"): set(Kind),
    ("hb_watch_notifications_total", "outcome"): set(SendOutcome),
    ("hb_alert_attempts_total", "outcome"): set(AttemptOutcome),
    ("hb_alert_list_attempts_total", "outcome"): set(AttemptOutcome),
    ("hb_score_findings_total", "rule"): {one.name for one in RULE_NAMES},
    ("hb_ingest_rejected_total", "reason"): set(RejectionReason),
    ("up", "service"): set(SERVICES),
    ("up", "job"): {"hearthbeat"},
}
"""What may stand in a label. Of others the code holds the word itself: see `written`."""
ELSEWHERE: dict[Kind, str] = {
    Kind.SERVICE_WAITS: "HearthBeatDatabaseUnreachable",
    Kind.NO_PROGRESS: "HearthBeatGroupStands",
    Kind.AUDIT_UNSEALED: "HearthBeatAuditUnsealed",
    Kind.KEY_CONFLICT: "HearthBeatDuplicateCaught",
    Kind.NOTIFICATION_FAILED: "HearthBeatNotificationsFail",
    Kind.VIEWER_ENDED: "HearthBeatWakeUpsFail",
}
"""Incidents of watch that a rule knows by another metric."""


def in_rules() -> Iterator[tuple[dict[str, Any], Selector]]:
    for rule in ALL:
        for one in selectors_of(rule["expr"]):
            yield rule, one


@pytest.mark.parametrize("rule", ALL, ids=NAMES)
def test_a_rule_has_its_form(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"HearthBeat([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in {"notify", "look"}
    assert set(rule["labels"]) == {"severity"}
    assert set(rule["annotations"]) == {"summary", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"
    assert rule["annotations"]["summary"].endswith(".")


def test_names_are_given_once() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("rule", ALL, ids=NAMES)
def test_a_summary_uses_labels_that_its_rule_keeps(rule: dict[str, Any]) -> None:
    kept = {name.strip() for names in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for name in names.split(",")}
    if "absent(" in rule["expr"]:
        kept |= {name for one in selectors_of(rule["expr"]) for name in one.labels}
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= kept


@pytest.mark.parametrize("rule", ALL, ids=NAMES)
def test_a_rule_reads_metrics_that_there_are_with_labels_that_they_have(rule: dict[str, Any]) -> None:
    found = selectors_of(rule["expr"])
    assert found
    for one in found:
        labels = set() if one.metric == "up" else set(row_of(one.metric).labels)
        if one.metric.endswith("_bucket"):
            labels = labels | {"le"}
        assert set(one.labels) <= labels | OF_SCRAPE, one
    kept = {name.strip() for names in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for name in names.split(",")}
    known = set().union(*(() if one.metric == "up" else row_of(one.metric).labels for one in found))
    assert kept <= known | OF_SCRAPE | {"le"}


def row_of(metric: str) -> Any:
    """Its row; of a histogram only the buckets are read."""
    if metric in BY_NAME:
        assert BY_NAME[metric].kind != "histogram", f"{metric} has buckets"
        return BY_NAME[metric]
    plain = metric.removesuffix("_bucket")
    assert plain != metric and BY_NAME[plain].kind == "histogram", metric  # noqa: PT018 - one thought
    return BY_NAME[plain]


@pytest.mark.parametrize("rule", ALL, ids=NAMES)
def test_counters_are_read_by_their_rise_gauges_never_and_buckets_by_le(rule: dict[str, Any]) -> None:
    for one in selectors_of(rule["expr"]):
        over = one.called[0] if one.called and one.called[0] in OVER_TIME else None
        if one.metric == "up" or row_of(one.metric).kind == "gauge":
            assert over not in RISES, one
            assert one.is_range is (over is not None)
        elif one.metric.endswith("_bucket"):
            assert over == "rate"
            assert "histogram_quantile" in one.called
            assert "by (le)" in rule["expr"]
        elif over is None:
            # A series that has just begun: from nothing to 1 is no rise, and yet news.
            assert re.search(rf"{one.metric}\{{[^}}]*\}}\s+unless {one.metric}\{{[^}}]*\}} offset", rule["expr"]), one
        else:
            assert over in RISES, one


def test_each_word_that_a_label_is_compared_with_is_one_that_services_write() -> None:
    code = "".join(text_of(path.relative_to(ROOT)) for path in sorted((ROOT / "services").rglob("*.py")))
    for rule, one in in_rules():
        for label, (_, value) in one.labels.items():
            for word in value.split("|"):
                known = WORDS.get((one.metric, label))
                written = f'"{word}"' in code
                assert word in known if known is not None else written, (rule["alert"], label, word)


def test_every_incident_of_watch_has_a_rule() -> None:
    named = {
        Kind(word)
        for _, one in in_rules()
        if one.metric == "hb_watch_incident_state"
        for word in one.labels["kind"][1].split("|")
    }
    assert named | set(ELSEWHERE) == set(Kind)
    assert not named & set(ELSEWHERE)
    assert set(ELSEWHERE.values()) <= set(NAMES)


def test_each_rule_has_its_paragraph_and_each_paragraph_its_rule() -> None:
    headings = re.findall(r"^### (.+)$", text_of(RUNBOOK), re.MULTILINE)
    assert sorted(headings) == sorted(NAMES)
    assert {name.lower() for name in NAMES} <= anchors_of(RUNBOOK)


@pytest.mark.parametrize("name", NAMES)
def test_a_paragraph_says_what_somebody_on_duty_needs(name: str) -> None:
    text = " ".join(text_of(RUNBOOK).partition(f"### {name}\n")[2].partition("\n#")[0].split())
    assert re.findall(r"\*\*([A-Z][a-z ]+?)(?::\*\*|\*\*)", text) == [
        "Means",
        "At home",
        "Look first",
        "Do",
        "Over when",
    ]
    looks = text.partition("**Look first:**")[2].partition("**Do:**")[0]
    assert re.search(r"`(?:hearthbeat|python -m) [^`]+`", looks)


def test_each_rule_has_cases_in_which_it_fires_and_in_which_it_is_silent() -> None:
    fires, silent = set[str](), set[str]()
    for path in CASES:
        for case in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            for asked in case["promql_expr_test"]:
                name = re.search(r'alertname="(\w+)"', asked["expr"])
                assert name is not None
                (fires if asked["exp_samples"] else silent).add(name[1])
    assert fires == silent == set(NAMES)


def test_cases_stand_beside_their_rules_and_use_no_other_metric() -> None:
    assert [path.name for path in CASES] == [path.name for path in RULES]
    used = {one.metric for _, one in in_rules()}
    for path in CASES:
        series = [
            one["series"] for case in yaml.safe_load(path.read_text("utf-8"))["tests"] for one in case["input_series"]
        ]
        assert {one.partition("{")[0] for one in series} <= used


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_a_configuration_scrapes_every_service_where_the_chart_shows_its_metrics(name: str) -> None:
    text = text_of(Path("deploy/prometheus") / name)
    configured = yaml.safe_load(text)["scrape_configs"]
    assert all(one["scheme"] == "https" for one in configured)
    port = re.search(r"name: metrics\n\s+containerPort: (\d+)", text_of(Path("deploy/chart/templates/_pod.tpl")))
    assert port is not None
    for service in SERVICES:
        assert re.search(rf"(service: {service} |replacement: {service} )", text)
        assert re.search(rf'({service}:{port[1]}"|-{service}\.care\.svc\], type: A, port: {port[1]},)', text)


QUANTILE = 'histogram_quantile(0.9, sum by (le) (rate(hb_a_seconds_bucket[5m]))) > 5 and max(hb_b_state{on="x"}) == 1'


def test_the_reader_of_expressions_sees_metrics_labels_and_functions() -> None:
    first, second = selectors_of(QUANTILE)
    assert (first.metric, first.is_range) == ("hb_a_seconds_bucket", True)
    assert first.called == ("rate", "sum", "histogram_quantile")
    assert (second.metric, second.labels, second.called) == ("hb_b_state", {"on": ("=", "x")}, ("max",))
