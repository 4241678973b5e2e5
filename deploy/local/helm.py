"""Helm, built with Go from the source of one release: its hash is committed, and its own go.sum fixes all it needs."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Final

from deploy.local import apt
from deploy.local.errors import StackError, UnsupportedMachineError

MODULE: Final = "helm.sh/helm/v3"
VERSION: Final = "v3.22.0"
HASH: Final = "h1:n1if5iQgHYsujPAcO5oonH/KiSNUmqmUF0iGVjSF3AU="
"""Of the module's files, as Go computes it."""
LEAST_GO: Final = (1, 26)
"""What that release asks for."""
_TO_BUILD: Final = "go"


class ChangedSourceError(StackError):
    """The source of Helm is another one than was committed."""


def program(local: Path) -> Path:
    """Where this release lies, built or not."""
    return directory(local) / "helm"


def directory(local: Path) -> Path:
    """Its folder."""
    return local / "helm" / VERSION


def why_unavailable() -> str | None:
    """The reason why it can't be built here, or None when it can."""
    if shutil.which(_TO_BUILD) is None:
        return "Helm is built with Go, which is not on PATH"
    said = apt.run([_TO_BUILD, "env", "GOVERSION"], os.environ | {"GOTOOLCHAIN": "local"}).strip()
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is None or tuple(map(int, found.groups())) < LEAST_GO:
        return f"Helm is built with Go {LEAST_GO[0]}.{LEAST_GO[1]} or newer, and here is {said}"
    return None


def build(target: Path) -> None:
    """Fetches the source and builds it. Raises UnsupportedMachineError, CommandError, ChangedSourceError."""
    if reason := why_unavailable():
        raise UnsupportedMachineError(reason)
    own = target.parent / "go"
    environment = os.environ | {
        "GOPATH": str(own / "path"),
        "GOCACHE": str(own / "cache"),
        "GOFLAGS": "-modcacherw",  # so that whoever is not root can remove it
        "GOTOOLCHAIN": "local",
        "GOSUMDB": "off",  # the hashes are here and in the module
        "CGO_ENABLED": "0",
    }
    said = apt.run([_TO_BUILD, "mod", "download", "-json", f"{MODULE}@{VERSION}"], environment)
    source = verified(said)
    target.mkdir(parents=True)
    output = str(target / "helm")
    flags = ["-mod=readonly", "-trimpath", "-ldflags", "-s -w"]
    apt.run([_TO_BUILD, "build", "-C", str(source), *flags, "-o", output, "./cmd/helm"], environment)


def verified(said: str) -> Path:
    """Where the source lies, of which Go has said its hash. Raises ChangedSourceError."""
    found = json.loads(said[said.index("{") : said.rindex("}") + 1])
    if found.get("Sum") != HASH:
        message = f"{MODULE} {VERSION} is refused: its hash is {found.get('Sum')}, and not {HASH}"
        raise ChangedSourceError(message)
    return Path(found["Dir"])
