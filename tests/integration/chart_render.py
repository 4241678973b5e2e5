"""Renders the chart with Helm, and knows the schemas of Kubernetes that its manifests have to fit."""

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from json import loads
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from deploy.local import helm
from deploy.local.settings import CHECKOUT, StackSettings

CHART: Final = CHECKOUT / "deploy" / "chart"
EXAMPLES: Final = sorted(path.stem for path in (CHART / "examples").glob("*.yaml"))
KUBERNETES: Final = ("1.28.0", "1.37.0")
"""The oldest that the chart is for, and the newest whose schemas are here."""
_SCHEMAS: Final = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RefusedError(Exception):
    """Helm has refused to render the chart; its own words."""


class NoHelmError(Exception):
    """There is no Helm here; what builds it."""


def example(name: str) -> dict[str, Any]:
    """The values of an example."""
    values: dict[str, Any] = yaml.load((CHART / "examples" / f"{name}.yaml").read_text(), _LOADER)  # noqa: S506 - safe
    return values


def run_helm(*arguments: str, values: Mapping[str, Any]) -> str:
    """What Helm says to a command with these values. Raises RefusedError, NoHelmError."""
    program = helm.program(StackSettings().local)
    if not program.exists():
        raise NoHelmError("python -m deploy.local prepare --helm")
    done = subprocess.run(
        [str(program), *arguments, "--values", "-"],
        input=yaml.safe_dump(dict(values)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RefusedError(f"{done.stdout}{done.stderr}")
    return done.stdout


def rendered(values: Mapping[str, Any], kubernetes: str = KUBERNETES[-1]) -> list[dict[str, Any]]:
    """The manifests. Raises RefusedError."""
    said = run_helm("template", "hb", str(CHART), "-n", "care", "--kube-version", kubernetes, values=values)
    return [one for one in yaml.load_all(said, _LOADER) if one]


def misfits(manifest: Mapping[str, Any], kubernetes: str) -> Iterator[str]:
    """Where a manifest differs from its strict schema: fields that are unknown, missing, or of another kind."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    file = "-".join(filter(None, (manifest["kind"].lower(), group.partition(".")[0], version)))
    schema = _schema(f"v{kubernetes}-local-strict", file)
    where = f"{manifest['kind']} {manifest['metadata']['name']}"
    for error in Draft202012Validator(schema, registry=_registry(f"v{kubernetes}-local-strict")).iter_errors(manifest):
        yield f"{where}: {error.json_path}: {error.message}"


@cache
def _schema(folder: str, file: str) -> Any:
    return loads((_SCHEMAS / folder / f"{file}.json").read_text())


@cache
def _registry(folder: str) -> "Registry[Any]":
    definitions = Resource.from_contents(_schema(folder, "_definitions"))
    return (definitions @ Registry()).crawl()
