"""The bill of materials of what runs: CycloneDX 1.6 as JSON. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from deploy.audit.debian import DebianPackage
from deploy.audit.licences import ALLOWED, Licence
from deploy.audit.lock import Locked
from deploy.local.jars import Jar

SPEC_VERSION: Final = "1.6"
_NOT_SPDX: Final = {"BSD"}
"""Allowed names that are no identifier of SPDX."""
Component = dict[str, Any]


def _licences(expression: str) -> list[dict[str, Any]]:
    """One identifier or name where there is one, an expression where SPDX has a word for each of its parts."""
    if expression in ALLOWED and expression not in _NOT_SPDX:
        return [{"license": {"id": expression}}]
    if " " in expression and not _NOT_SPDX & set(expression.split()):
        return [{"expression": expression}]
    return [{"license": {"name": expression}}]


def _component(name: str, version: str, purl: str, licence: str, **more: Any) -> Component:
    component: Component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}
    return component | ({"licenses": _licences(licence)} if licence else {})


def _hashes(algorithm: str, contents: Iterable[str]) -> list[dict[str, str]]:
    return [{"alg": algorithm, "content": content} for content in sorted(set(contents))]


def of_python(release: Locked, licence: Licence | None) -> Component:
    """A distribution; its hashes are those of all files that the lock admits."""
    purl = f"pkg:pypi/{release.name}@{quote(release.version, safe='')}"
    marker = {"properties": [{"name": "hearthbeat:marker", "value": release.marker}]} if release.marker else {}
    expression = licence.expression if licence else ""
    return _component(
        release.name, release.version, purl, expression, hashes=_hashes("SHA-256", release.hashes), **marker
    )


def of_jar(jar: Jar) -> Component:
    """A library of Kafka."""
    purl = f"pkg:maven/{jar.group}/{jar.artifact}@{quote(jar.version, safe='')}"
    hashes = [*_hashes("SHA-256", [jar.sha256]), *_hashes("SHA-512", [jar.sha512])]
    return _component(jar.artifact, jar.version, purl, jar.licence, group=jar.group, hashes=hashes)


def of_debian(package: DebianPackage, distribution: str) -> Component:
    """A Debian package. Its licences stand in its copyright file, which has no form that could be read for sure."""
    version = quote(package.version, safe="")
    purl = f"pkg:deb/debian/{quote(package.name, safe='')}@{version}?arch={package.architecture}&distro={distribution}"
    source = [{"name": "hearthbeat:source", "value": package.source}]
    return _component(package.name, package.version, purl, "", properties=source)


def bill(version: str, at: datetime, components: Iterable[Component]) -> Mapping[str, Any]:
    """The whole document, ``at`` in UTC. The same components have the same serial number.

    Raises ValueError for two components of one package URL: a reference would not say which is meant.
    """
    listed = sorted(components, key=lambda one: str(one["purl"]))
    references = [str(one["bom-ref"]) for one in listed]
    if len(set(references)) < len(references):
        raise ValueError(f"named twice: {sorted({one for one in references if references.count(one) > 1})}")
    itself = f"pkg:generic/hearthbeat@{version}"
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join([itself, *references]))}",
        "version": 1,
        "metadata": {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tools": {"components": [{"type": "application", "name": "hearthbeat make audit", "version": version}]},
            "component": {
                "type": "application",
                "bom-ref": itself,
                "name": "hearthbeat",
                "version": version,
                "purl": itself,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": listed,
        "dependencies": [{"ref": itself, "dependsOn": references}, *({"ref": one} for one in references)],
    }
