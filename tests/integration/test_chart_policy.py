"""The policy finds each fault that is planted in the chart's manifests."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.integration.chart_policy import faults, pods_of
from tests.integration.chart_render import example, rendered

Manifests = list[dict[str, Any]]


@pytest.fixture(scope="module")
def everything() -> Manifests:
    return rendered(example("everything"))


def of(manifests: Manifests, kind: str, name: str) -> dict[str, Any]:
    return next(one for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name)


def spec_of(manifests: Manifests, kind: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = of(manifests, kind, name)["spec"]["template"]["spec"]
    return spec


def store(manifests: Manifests) -> dict[str, Any]:
    return spec_of(manifests, "StatefulSet", "hb-store")


def container(manifests: Manifests) -> dict[str, Any]:
    one: dict[str, Any] = store(manifests)["containers"][0]
    return one


def setting(manifests: Manifests, name: str) -> dict[str, Any]:
    one: dict[str, Any] = next(one for one in container(manifests)["env"] if one["name"] == name)
    return one


def without(manifests: Manifests, kind: str, name: str) -> None:
    manifests.remove(of(manifests, kind, name))


PLANTED: dict[str, tuple[Callable[[Manifests], Any], str]] = {
    "root": (lambda m: store(m)["securityContext"].update(runAsUser=0), "may run as root"),
    "root by the container": (lambda m: container(m)["securityContext"].update(runAsUser=0), "may run as root"),
    "no runAsNonRoot": (lambda m: store(m)["securityContext"].pop("runAsNonRoot"), "may run as root"),
    "no seccomp": (lambda m: store(m)["securityContext"].pop("seccompProfile"), "no seccomp profile"),
    "a token": (lambda m: store(m).pop("automountServiceAccountToken"), "gets a token"),
    "a service account": (lambda m: store(m).update(serviceAccountName="admin"), "has a service account"),
    "a writable root": (
        lambda m: container(m)["securityContext"].pop("readOnlyRootFilesystem"),
        "may write to its image",
    ),
    "privileges": (lambda m: container(m)["securityContext"].update(privileged=True), "may gain privileges"),
    "escalation": (lambda m: container(m)["securityContext"].pop("allowPrivilegeEscalation"), "may gain privileges"),
    "a capability": (
        lambda m: container(m)["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
        "has capabilities",
    ),
    "no dropping": (lambda m: container(m)["securityContext"].pop("capabilities"), "has capabilities"),
    "the host's network": (lambda m: store(m).update(hostNetwork=True), "shares with its node: hostNetwork"),
    "a path of the host": (
        lambda m: store(m)["volumes"].append({"name": "etc", "hostPath": {"path": "/etc"}}),
        "the volume etc of its node",
    ),
    "a port of the host": (lambda m: container(m)["ports"][0].update(hostPort=9464), "listens on its node"),
    "no limit of memory": (lambda m: container(m)["resources"]["limits"].pop("memory"), "no limits of memory"),
    "no request of cpu": (lambda m: container(m)["resources"]["requests"].pop("cpu"), "no requests of cpu"),
    "a disk without end": (lambda m: store(m)["volumes"][0].update(emptyDir={}), "an emptyDir without a limit"),
    "latest": (lambda m: container(m).update(image="registry.example.org:5000/hearthbeat:latest"), "runs whatever"),
    "no tag": (lambda m: container(m).update(image="registry.example.org:5000/hearthbeat"), "runs whatever"),
    "no probe": (lambda m: container(m).pop("readinessProbe"), "no readinessProbe that a service answers"),
    "a probe nobody answers": (
        lambda m: container(m)["startupProbe"]["httpGet"].update(path="/health"),
        "no startupProbe that a service answers",
    ),
    "a probe in plaintext": (
        lambda m: container(m)["readinessProbe"]["httpGet"].update(scheme="HTTP"),
        "in plaintext by readinessProbe",
    ),
    "restarts in an outage": (
        lambda m: container(m)["livenessProbe"]["httpGet"].update(path="/readyz"),
        "started anew because a server is away",
    ),
    "no time to end": (
        lambda m: store(m).update(terminationGracePeriodSeconds=5),
        "killed before it can have finished",
    ),
    "a password in a DSN": (
        lambda m: setting(m, "HB_DB_DSN").update(value="postgresql://hearthbeat_store:pw@192.0.2.1/db"),
        "HB_DB_DSN stands there in plaintext",
    ),
    "a password of Kafka": (
        lambda m: (setting(m, "HB_BUS_PASSWORD").pop("valueFrom"), setting(m, "HB_BUS_PASSWORD").update(value="pw")),
        "HB_BUS_PASSWORD stands there in plaintext",
    ),
    "a reference to nothing": (lambda m: setting(m, "DATABASE_PASSWORD").update(name="DB"), "is not given before it"),
    "a Secret made here": (
        lambda m: m.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}),
        "Secret x: secrets are named",
    ),
    "an unknown setting": (lambda m: setting(m, "HB_STORE_INSTANCE").update(name="HB_STORE_NUMBER"), "no such setting"),
    "a setting given twice": (lambda m: container(m)["env"].append(setting(m, "HB_LOG_LEVEL")), "given twice"),
    "a Secret for everybody": (
        lambda m: store(m)["volumes"][1]["secret"].update(defaultMode=0o644),
        "shows the Secret in /etc/hearthbeat/tls",
    ),
    "a mount of nothing": (lambda m: container(m)["volumeMounts"][0].update(name="disk"), "mounts disk"),
    "nothing closed": (lambda m: without(m, "NetworkPolicy", "hb-deny"), "hb-store: no network policy closes it"),
    "a pod without a policy": (lambda m: without(m, "NetworkPolicy", "hb-store"), "not one network policy, but 0"),
    "a policy of nobody": (
        lambda m: of(m, "NetworkPolicy", "hb-store")["spec"]["podSelector"]["matchLabels"].update(tier="x"),
        "it is of no pod",
    ),
    "the whole world": (
        lambda m: of(m, "NetworkPolicy", "hb-store")["spec"]["egress"].append({"ports": [{"port": 443}]}),
        "egress from or to anybody",
    ),
    "every port": (
        lambda m: of(m, "NetworkPolicy", "hb-store")["spec"]["egress"][1].pop("ports"),
        "egress on every port",
    ),
    "no budget": (lambda m: without(m, "PodDisruptionBudget", "hb-store"), "hb-store: 0 disruption budgets"),
    "a node that can't be drained": (
        lambda m: of(m, "PodDisruptionBudget", "hb-store")["spec"].update(maxUnavailable=0),
        "lets several go at once, or none",
    ),
    "an address of nobody": (
        lambda m: of(m, "Service", "hb-store")["spec"]["selector"].update(tier="x"),
        "nobody is behind",
    ),
    "a port of nobody": (
        lambda m: of(m, "Service", "hb-console")["spec"]["ports"][0].update(targetPort="http"),
        "nobody listens on http",
    ),
    "metrics for the world": (
        lambda m: of(m, "Service", "hb-console")["spec"]["ports"].append({"name": "metrics", "targetPort": "metrics"}),
        "shows metrics outside",
    ),
    "pods without an address": (
        lambda m: of(m, "StatefulSet", "hb-store")["spec"].update(serviceName="x"),
        "its pods have no address",
    ),
    "a selector of others": (
        lambda m: of(m, "StatefulSet", "hb-store")["spec"]["selector"]["matchLabels"].update(tier="x"),
        "does not know its own pods",
    ),
    "replicas beside an autoscaler": (
        lambda m: of(m, "StatefulSet", "hb-store")["spec"].update(replicas=2),
        "each upgrade undoes",
    ),
    "an autoscaler of nothing": (
        lambda m: of(m, "HorizontalPodAutoscaler", "hb-store")["spec"]["scaleTargetRef"].update(name="x"),
        "there is no x",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_the_policy_finds(what: str, everything: Manifests) -> None:
    plant, says = PLANTED[what]
    broken = deepcopy(everything)
    plant(broken)
    found = faults(broken)
    assert [one for one in found if says in one], found


def test_each_instance_has_no_secret_but_its_own(everything: Manifests) -> None:
    allowed = {"hearthbeat-database": {"store"}, "hearthbeat-kafka": {"store"}}
    assert dict(_secrets_of(container(everything))) == allowed
    ingest = spec_of(everything, "StatefulSet", "hb-ingest-1")["containers"][0]
    assert dict(_secrets_of(ingest))["hearthbeat-broker"] == {"ingest-1", "ingest-1-acks"}


def _secrets_of(container: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    named = [one["valueFrom"]["secretKeyRef"] for one in container["env"] if "secretKeyRef" in one.get("valueFrom", {})]
    for name in {one["name"] for one in named}:
        yield name, {one["key"] for one in named if one["name"] == name}


def test_each_part_reaches_the_servers_of_its_settings_and_no_others(everything: Manifests) -> None:
    servers = {"HB_DB_DSN": {5432, 5433}, "HB_BUS_KAFKA": {9093}, "HB_MQTT_HOST": {8884}, "HB_ALERT_SMTP_HOST": {25}}
    others = {"alert": {443}, "watch": {25, 443, 8443, 9464}}
    for pod in pods_of(everything):
        policy = of(everything, "NetworkPolicy", f"hb-{pod.component}")
        opened = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]} - {53}
        given = {one["name"] for one in pod.spec["containers"][0]["env"]}
        wanted = set().union(*(ports for name, ports in servers.items() if name in given))
        assert opened == wanted | others.get(pod.component, set()), pod.name
