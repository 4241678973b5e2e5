"""Prometheus' own tool reads rules and scrape configurations, and evaluates each rule: it fires, and it is silent."""

import json
import shutil
from pathlib import Path

import pytest

from deploy.local import promtool
from deploy.prometheus.targets import HERE, Target, write_configuration
from tests.integration.prometheus_rules import CASES, RULES, run_promtool

pytestmark = pytest.mark.skipif(
    promtool.why_unavailable() is not None, reason=promtool.why_unavailable() or "promtool can be had"
)


def test_prometheus_reads_every_rule() -> None:
    said = run_promtool("check", "rules", *RULES)
    assert said.count("SUCCESS") == len(RULES) > 3


def test_each_rule_fires_and_is_silent_when_its_cases_say_so() -> None:
    assert run_promtool("test", "rules", *CASES).count("SUCCESS") == len(CASES) == len(RULES)


def test_a_rule_that_fires_when_it_should_not_is_noticed(tmp_path: Path) -> None:
    """The cases are judged: with a threshold that is wrong the same command fails."""
    for folder in ("rules", "cases"):
        shutil.copytree(HERE / folder, tmp_path / folder)
    rules = tmp_path / "rules" / "keeping.yaml"
    rules.write_text(rules.read_text("utf-8").replace("< 1209600", "< 1219600"), "utf-8")
    with pytest.raises(AssertionError, match="HearthBeatCertificateEnds"):
        run_promtool("test", "rules", tmp_path / "cases" / "keeping.yaml")


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_prometheus_reads_the_configuration(name: str) -> None:
    # By its syntax alone: the CA's file is another machine's.
    assert "SUCCESS" in run_promtool("check", "config", "--syntax-only", HERE / name)


def test_prometheus_reads_what_the_local_platform_writes(tmp_path: Path) -> None:
    targets = [Target("store", "store", 9101), Target("store", "store-1", 9102)]
    said = run_promtool("check", "config", write_configuration(tmp_path, targets))
    found = json.loads((tmp_path / "prometheus-targets.json").read_text("utf-8"))
    assert found == [
        {"targets": ["127.0.0.1:9101"], "labels": {"service": "store", "instance": "store"}},
        {"targets": ["127.0.0.1:9102"], "labels": {"service": "store", "instance": "store-1"}},
    ]
    assert f"{len(RULES)} rule files found" in said
    assert said.count("rules found") == len(RULES)
