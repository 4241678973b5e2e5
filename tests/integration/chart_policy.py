"""What every manifest of the chart has to keep to; pure: manifests in, faults in words out."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.local.settings import CHECKOUT
from tests.integration.chart_reach import reach_faults

Manifest = Mapping[str, Any]
KNOWN: Final = json.loads((CHECKOUT / "deploy" / "chart" / "files" / "settings.json").read_text())
_LEAST_USER: Final = 1000
_LEAST_GRACE_S: Final = 12
"""A service takes up to 10 s to finish what it has in hand."""
_RUNS_TO_AN_END: Final = ("Job", "CronJob")
_REFERENCE: Final = re.compile(r"\$\(([A-Z0-9_]+)\)")
_QUANTITIES: Final = ("cpu", "memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod template, and whose it is."""

    owner: Manifest
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As in ``StatefulSet hb-store``."""
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

    @property
    def component(self) -> str:
        """Which part of the platform it is."""
        return self.labels.get("app.kubernetes.io/component", "")

    @property
    def serves(self) -> bool:
        """Whether it runs on and on; the tools' pod does, and waits for commands alone."""
        return self.owner["kind"] not in _RUNS_TO_AN_END and self.component != "tools"


def pods_of(manifests: Sequence[Manifest]) -> list[Pod]:
    """Of everything that starts pods."""
    found = []
    for one in manifests:
        spec = one.get("spec") or {}
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None:
            labels = template.get("metadata", {}).get("labels", {})
            found.append(Pod(owner=one, labels=labels, spec=template["spec"]))
    return found


def faults(manifests: Sequence[Manifest]) -> list[str]:
    """What is wrong, each with the manifest's kind and name; empty where nothing is."""
    pods = pods_of(manifests)
    found = [f"{pod.name}: {fault}" for pod in pods for check in _OF_PODS for fault in check(pod)]
    found += [
        f"{one['kind']} {one['metadata']['name']}: secrets are named, not made here"
        for one in manifests
        if one["kind"] == "Secret"
    ]
    return found + list(reach_faults(manifests, {pod.name: (pod.owner, pod.labels, pod.spec) for pod in pods}))


def _user(pod: Pod) -> Iterator[str]:
    context = pod.spec.get("securityContext") or {}
    if context.get("runAsNonRoot") is not True or context.get("runAsUser", 0) < _LEAST_USER:
        yield "may run as root"
    if (context.get("seccompProfile") or {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "gets a token of the cluster's"
    if pod.spec.get("serviceAccountName", "default") != "default":
        yield "has a service account, which no service needs"


def _host(pod: Pod) -> Iterator[str]:
    if shared := [name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(name)]:
        yield f"shares with its node: {', '.join(shared)}"
    for volume in pod.spec.get("volumes") or []:
        if "hostPath" in volume:
            yield f"has the volume {volume['name']} of its node"
    for container in _containers(pod):
        if any("hostPort" in port for port in container.get("ports") or []):
            yield "listens on its node"


def _containers(pod: Pod) -> list[Mapping[str, Any]]:
    return [*(pod.spec.get("initContainers") or []), *pod.spec["containers"]]


def _rights(pod: Pod) -> Iterator[str]:
    for container in _containers(pod):
        context = container.get("securityContext") or {}
        if context.get("readOnlyRootFilesystem") is not True:
            yield "may write to its image"
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield "may gain privileges"
        if context.get("runAsUser", _LEAST_USER) < _LEAST_USER or context.get("runAsNonRoot") is False:
            yield "may run as root"
        capabilities = context.get("capabilities") or {}
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield "has capabilities"


def _resources(pod: Pod) -> Iterator[str]:
    for container in _containers(pod):
        resources = container.get("resources") or {}
        for kind in ("requests", "limits"):
            for what in _QUANTITIES:
                if what not in (resources.get(kind) or {}):
                    yield f"has no {kind} of {what}"
    disks = [one["emptyDir"] for one in pod.spec.get("volumes") or [] if "emptyDir" in one]
    if any("sizeLimit" not in (one or {}) for one in disks):
        yield "has an emptyDir without a limit"


def _image(pod: Pod) -> Iterator[str]:
    for container in _containers(pod):
        _, _, tag = container["image"].rpartition("/")[2].partition(":")
        if "@sha256:" not in container["image"] and tag in {"", "latest"}:
            yield f"runs whatever {container['image']} is today"


def _life(pod: Pod) -> Iterator[str]:
    if not pod.serves:
        return
    if pod.spec.get("terminationGracePeriodSeconds", 30) < _LEAST_GRACE_S:
        yield "is killed before it can have finished"
    for container in pod.spec["containers"]:
        ports = {port["name"] for port in container.get("ports") or []}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = (container.get(probe) or {}).get("httpGet") or {}
            if asked.get("path") not in {"/metrics", "/readyz", "/healthz"} or asked.get("port") not in ports:
                yield f"has no {probe} that a service answers"
            if asked.get("scheme") != "HTTPS":
                yield f"is asked in plaintext by {probe}"
        if ((container.get("livenessProbe") or {}).get("httpGet") or {}).get("path") != "/metrics":
            yield "is started anew because a server is away"


def _settings(pod: Pod) -> Iterator[str]:
    for container in _containers(pod):
        env = container.get("env") or []
        names = [one["name"] for one in env]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"is given twice: {', '.join(twice)}"
        known = KNOWN.get(pod.component, {})
        if unknown := [name for name in names if name.startswith("HB_") and name not in known]:
            yield f"has no such setting: {', '.join(unknown)}"
        yield from _secrets(env, known)


def _secrets(env: Sequence[Mapping[str, Any]], known: Mapping[str, bool]) -> Iterator[str]:
    """Of what is secret a value holds references alone, each to something before it that comes from a Secret."""
    given: set[str] = set()
    for one in env:
        name, value = one["name"], str(one.get("value", ""))
        if missing := set(_REFERENCE.findall(value)) - given:
            yield f"{name} refers to {', '.join(sorted(missing))}, which is not given before it"
        if "secretKeyRef" in (one.get("valueFrom") or {}):
            given.add(name)
        elif (known.get(name) or not name.startswith("HB_")) and not _is_only_references(value):
            yield f"{name} stands there in plaintext"


def _is_only_references(value: str) -> bool:
    if value.startswith("{"):
        secrets: Mapping[str, str] = json.loads(value)
        return all(_REFERENCE.fullmatch(secret) for secret in secrets.values())
    return re.fullmatch(r"\w+://\w+:\$\(\w+\)@[^@$]+", value) is not None


def _files(pod: Pod) -> Iterator[str]:
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes") or []}
    for container in _containers(pod):
        for mount in container.get("volumeMounts") or []:
            volume = volumes.get(mount["name"])
            if volume is None:
                yield f"mounts {mount['name']}, which is no volume of it"
            elif "secret" in volume and (not mount.get("readOnly") or _is_open(volume["secret"])):
                yield f"shows the Secret in {mount['mountPath']} to others"


def _is_open(secret: Mapping[str, Any]) -> bool:
    mode: int = secret.get("defaultMode", 0o644)
    return mode & 0o007 != 0


_OF_PODS: Final[tuple[Callable[[Pod], Iterator[str]], ...]] = (
    _user,
    _host,
    _rights,
    _resources,
    _image,
    _life,
    _settings,
    _files,
)
