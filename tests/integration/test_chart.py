"""The chart: what Helm makes of it fits Kubernetes, keeps to the policy, and is understood by the services."""

import os
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.certificates.authority import Authority
from schemas.broker_access import new_secret
from schemas.topics import SHARDS
from services.runtime.sealing import new_key
from tests.integration.chart_policy import faults, pods_of
from tests.integration.chart_render import (
    CHART,
    EXAMPLES,
    KUBERNETES,
    RefusedError,
    example,
    misfits,
    rendered,
    run_helm,
)
from tests.repo.chart_settings import PARTS

Manifests = list[dict[str, Any]]


@pytest.fixture(scope="module", params=EXAMPLES)
def manifests(request: pytest.FixtureRequest) -> Manifests:
    return rendered(example(request.param))


def test_there_are_examples_of_each_size() -> None:
    assert EXAMPLES == ["everything", "region", "small"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    said = run_helm("lint", str(CHART), "--strict", "--kube-version", KUBERNETES[-1], values=example(name))
    assert "0 chart(s) failed" in said
    assert re.findall(r"\[(?:WARNING|ERROR)\].*", said) == []


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_manifest_fits_the_schema_of_its_kind(name: str, kubernetes: str) -> None:
    manifests = rendered(example(name), kubernetes)
    assert len(manifests) > 30
    assert [misfit for one in manifests for misfit in misfits(one, kubernetes)] == []


def test_a_manifest_that_fits_no_schema_is_noticed(manifests: Manifests) -> None:
    deployment = next(one for one in deepcopy(manifests) if one["kind"] == "Deployment")
    deployment["spec"]["replica"] = 2
    deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "metrics"
    del deployment["spec"]["selector"]
    found = "\n".join(misfits(deployment, KUBERNETES[0]))
    assert all(part in found for part in ("'replica' was unexpected", "'metrics' is not", "'selector' is a required"))


def test_every_example_keeps_to_the_policy(manifests: Manifests) -> None:
    assert faults(manifests) == []


def test_rules_of_prometheus_come_as_they_are_where_they_are_asked_for() -> None:
    (given,) = [one for one in rendered(example("everything")) if one["kind"] == "ConfigMap"]
    assert given["data"] == {path.name: path.read_text() for path in (CHART.parent / "prometheus" / "rules").glob("*")}
    assert given["metadata"]["labels"]["example.org/rules"] == "prometheus"
    assert not [one for one in rendered(example("small")) if one["kind"] == "ConfigMap"]


# -- the services understand what the chart gives them


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lies under /etc/hearthbeat in a pod."""
    folder = tmp_path_factory.mktemp("etc")
    now = datetime.now(UTC)
    authority = Authority.open_or_create(folder / "ca", "test", now)
    authority.provide({"services": ("console.example.org",)}, (), now)
    pem = authority.leaf_file("services").read_text()
    for name, text in {
        "tls/ca.crt": authority.ca_file.read_text(),
        "tls/services.pem": pem,
        "console/tls.crt": pem,
        "console/tls.key": pem,
        "webhook/webhook.keys": f"{new_key()}\n",
        "second-factor/second-factor.keys": f"{new_key()}\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return folder


def environment_of(container: Mapping[str, Any], mounted: Path) -> dict[str, str]:
    """As a kubelet makes it, with random secrets and the number 1 of a StatefulSet's pod."""
    found: dict[str, str] = {}
    for one in container["env"]:
        source = one.get("valueFrom", {})
        if "secretKeyRef" in source:
            found[one["name"]] = new_secret()
        elif "fieldRef" in source:
            found[one["name"]] = "1"
        else:
            text = re.sub(r"\$\(([A-Z0-9_]+)\)", lambda match: found.get(match[1], match[0]), one["value"])
            found[one["name"]] = text.replace("/etc/hearthbeat", str(mounted))
    return found


def test_each_part_takes_the_environment_that_it_is_given(
    manifests: Manifests, mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    for pod in pods_of(manifests):
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HB_")]:
                patch.delenv(name)
            for name, value in environment_of(pod.spec["containers"][0], mounted).items():
                patch.setenv(name, value)
            read = [kind() for kind in PARTS[pod.component]]
        assert read
        seen.add(pod.component)
    assert seen >= PARTS.keys() - {"tools"}


def test_instances_of_ingest_have_all_shards_and_each_its_own_connections(manifests: Manifests, mounted: Path) -> None:
    shards: list[int] = []
    for number, pod in enumerate(pod for pod in pods_of(manifests) if pod.component == "ingest"):
        given = environment_of(pod.spec["containers"][0], mounted)
        shards += range(int(given["HB_INGEST_FIRST_SHARD"]), int(given["HB_INGEST_LAST_SHARD"]) + 1)
        assert given["HB_INGEST_INSTANCE"] == str(number)
        assert re.findall(r'"(ingest-[\w-]+)":', given["HB_MQTT_PASSWORDS"]) == [
            f"ingest-{number}",
            f"ingest-{number}-acks",
        ]
    assert shards == list(range(SHARDS))


def test_watch_looks_at_every_instance_by_an_address_that_there_is(manifests: Manifests) -> None:
    (watch,) = (pod for pod in pods_of(manifests) if pod.component == "watch")
    pages = next(one["value"] for one in watch.spec["containers"][0]["env"] if one["name"] == "HB_WATCH_SERVICES")
    services = {one["metadata"]["name"] for one in manifests if one["kind"] == "Service"}
    hosts = re.findall(r"https://(?:([\w-]+)-(\d+)\.)?([\w-]+)\.care\.svc:9464/metrics", pages)
    assert {service for _, _, service in hosts} <= services
    stateful = {pod.owner["metadata"]["name"]: pod for pod in pods_of(manifests) if pod.owner["kind"] == "StatefulSet"}
    assert {owner for owner, _, _ in hosts if owner} == stateful.keys()
    assert all(stateful[owner].owner["spec"]["serviceName"] == service for owner, _, service in hosts if owner)


# -- what the chart refuses


def changed(change: Callable[[dict[str, Any]], None], name: str = "small") -> dict[str, Any]:
    values = example(name)
    change(values)
    return values


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a shard that nobody has": (
        lambda v: v.update(ingest={"shards": [{"first": 0, "last": 62}]}),
        "nobody has shards 63",
    ),
    "a shard that two have": (
        lambda v: v.update(ingest={"shards": [{"first": 0, "last": 32}, {"first": 32, "last": 63}]}),
        "instance 1 begins with shard 32",
    ),
    "a setting that there is not": (
        lambda v: v.update(store={"settings": {"HB_STORE_MOSTT": 1}}),
        "is no setting of it",
    ),
    "a setting of another service": (
        lambda v: v.update(store={"settings": {"HB_SCORE_MOST": 1}}),
        "is no setting of it",
    ),
    "a secret in plaintext": (
        lambda v: v["alert"]["settings"].update(HB_ALERT_SMTP_PASSWORD="x"),
        "is secret; name the Secret",
    ),
    "a setting that the chart makes": (
        lambda v: v.update(ingest={"settings": {"HB_INGEST_FIRST_SHARD": 3}}),
        "follows from other values",
    ),
    "the tag latest": (lambda v: v["image"].update(tag="latest"), "tag"),
    "no image": (lambda v: v["image"].update(repository=""), "repository"),
    "no Secret of the database": (lambda v: v["database"].pop("secret"), "secret"),
    "a database without a port": (lambda v: v["database"].update(hosts=["database.example.org"]), "hosts"),
    "nobody who may reach the console": (lambda v: v["network"].update(console={"from": []}), "console"),
    "a console in plaintext": (lambda v: v["api"].update(url="http://console.example.org"), "url"),
    "root": (lambda v: v.update(user=0), "user"),
    "a value that there is not": (lambda v: v.update(replica=2), "replica"),
    "more members than partitions": (
        lambda v: v.update(score={"autoscaling": {"enabled": True, "most": 13, "metric": "lag"}}),
        "more members than the log has partitions",
    ),
    "an autoscaler without a metric": (lambda v: v.update(score={"autoscaling": {"enabled": True}}), "metric"),
    "three of watch": (lambda v: v.update(watch={"replicas": 3}), "replicas"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_chart_refuses(what: str) -> None:
    change, says = REFUSED[what]
    with pytest.raises(RefusedError, match=re.escape(says)):
        rendered(changed(change))


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(RefusedError, match="incompatible"):
        rendered(example("small"), "1.27.0")
