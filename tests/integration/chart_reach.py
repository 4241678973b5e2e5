"""Who reaches whom in the chart, and what stays up: policies, addresses, disruption budgets, autoscalers; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Manifest = Mapping[str, Any]
Template = tuple[Manifest, Mapping[str, str], Mapping[str, Any]]
"""A pod's owner, its labels, its spec."""
_BOTH: Final = {"Ingress", "Egress"}
_REPLICATED: Final = ("StatefulSet", "Deployment")


def reach_faults(manifests: Sequence[Manifest], pods: Mapping[str, Template]) -> Iterator[str]:
    """What is wrong between the pods, by the name of their owner."""
    yield from _policies([one for one in manifests if one["kind"] == "NetworkPolicy"], pods)
    yield from _budgets([one for one in manifests if one["kind"] == "PodDisruptionBudget"], pods)
    yield from _addresses([one for one in manifests if one["kind"] == "Service"], pods)
    yield from _owners(manifests, pods)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())


def _policies(policies: Sequence[Manifest], pods: Mapping[str, Template]) -> Iterator[str]:
    for name, (_, labels, _spec) in pods.items():
        own = [one for one in policies if _selects(one["spec"]["podSelector"], labels)]
        closed = [one for one in own if not (one["spec"].get("ingress") or one["spec"].get("egress"))]
        if not any(set(one["spec"].get("policyTypes", [])) == _BOTH for one in closed):
            yield f"{name}: no network policy closes it"
        if len(own) - len(closed) != 1:
            yield f"{name}: not one network policy, but {len(own) - len(closed)}, says whom it reaches"
    for policy in policies:
        yield from (f"NetworkPolicy {policy['metadata']['name']}: {fault}" for fault in _rules(policy, pods))


def _rules(policy: Manifest, pods: Mapping[str, Template]) -> Iterator[str]:
    spec = policy["spec"]
    if not any(_selects(spec["podSelector"], labels) for _, labels, _ in pods.values()):
        yield "it is of no pod"
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(way) or []:
            if not rule.get(peers) or {} in rule[peers]:
                yield f"{way} from or to anybody"
            if not rule.get("ports"):
                yield f"{way} on every port"


def _budgets(budgets: Sequence[Manifest], pods: Mapping[str, Template]) -> Iterator[str]:
    for name, (owner, labels, _) in pods.items():
        if owner["kind"] not in _REPLICATED or labels.get("app.kubernetes.io/component") == "tools":
            continue
        own = [one for one in budgets if _selects(one["spec"]["selector"], labels)]
        if len(own) != 1:
            yield f"{name}: {len(own)} disruption budgets"
        elif own[0]["spec"].get("maxUnavailable") != 1:
            yield f"{name}: its disruption budget lets several go at once, or none"


def _addresses(services: Sequence[Manifest], pods: Mapping[str, Template]) -> Iterator[str]:
    for service in services:
        name, spec = f"Service {service['metadata']['name']}", service["spec"]
        behind = [one for _, labels, one in pods.values() if _selects({"matchLabels": spec.get("selector")}, labels)]
        if not behind:
            yield f"{name}: nobody is behind it"
        ports = {port["name"] for one in behind for container in one["containers"] for port in container["ports"]}
        if missing := [port["targetPort"] for port in spec["ports"] if port["targetPort"] not in ports]:
            yield f"{name}: nobody listens on {', '.join(missing)}"
        if spec.get("type", "ClusterIP") != "ClusterIP" and any(port["name"] == "metrics" for port in spec["ports"]):
            yield f"{name}: shows metrics outside"


def _owners(manifests: Sequence[Manifest], pods: Mapping[str, Template]) -> Iterator[str]:
    for name, (owner, labels, _) in pods.items():
        if owner["kind"] in _REPLICATED and not _selects(owner["spec"]["selector"], labels):
            yield f"{name}: does not know its own pods"
        if owner["kind"] == "StatefulSet" and not any(
            one["kind"] == "Service" and one["metadata"]["name"] == owner["spec"]["serviceName"] for one in manifests
        ):
            yield f"{name}: its pods have no address"
    for one in manifests:
        if one["kind"] == "HorizontalPodAutoscaler":
            target = one["spec"]["scaleTargetRef"]
            whose = pods.get(f"{target['kind']} {target['name']}")
            if whose is None:
                yield f"HorizontalPodAutoscaler {one['metadata']['name']}: there is no {target['name']}"
            elif "replicas" in whose[0]["spec"]:
                yield f"{target['kind']} {target['name']}: each upgrade undoes what its autoscaler did"
