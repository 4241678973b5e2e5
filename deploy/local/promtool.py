"""Prometheus' promtool, out of Debian's package: one release, whose hash is committed."""

import io
import platform
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from deploy.local import apt
from deploy.local.errors import CommandError

VERSION: Final = "2.42.0+ds-5+deb12u1"
PACKAGE: Final = f"prometheus_{VERSION}_amd64.deb"
HASH: Final = "81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55"
"""SHA-256 of the package, which apt compares."""
_POOL: Final = "pool/main/p/prometheus"
_PROGRAM: Final = "./usr/bin/promtool"
_DOWNLOADER: Final = Path("/usr/lib/apt/apt-helper")
_UNPACKER: Final = Path("/usr/bin/dpkg-deb")


def why_unavailable() -> str | None:
    """The reason why it can't be had on this machine, or None when it can."""
    if not (_DOWNLOADER.exists() and _UNPACKER.exists()):
        return "promtool comes out of a package of Debian's"
    if platform.machine() != "x86_64":
        return "the committed package of promtool is for x86-64"
    return None


def directory(local: Path) -> Path:
    """The folder of this release."""
    return local / "promtool" / VERSION


def program(local: Path) -> Path:
    """Where this release lies, fetched or not."""
    return directory(local) / "promtool"


def fetch(target: Path) -> None:
    """Fetches the package by the machine's own apt, and keeps promtool out of it.

    Raises CommandError, also where the package is another one; UnsupportedMachineError.
    """
    target.mkdir(parents=True)
    package = target / PACKAGE
    apt.run([str(_DOWNLOADER), "download-file", f"{apt.mirror()}/{_POOL}/{PACKAGE}", str(package), f"SHA256:{HASH}"])
    kept = target / "promtool"
    kept.write_bytes(program_of(_content(package)))
    kept.chmod(0o755)
    package.unlink()


def program_of(content: bytes) -> bytes:
    """Promtool, which lies in the package's archive of files. Raises CommandError where it does not."""
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        try:
            found = files.extractfile(_PROGRAM)
        except KeyError:
            found = None
        if found is None:
            message = f"there is no {_PROGRAM} in {PACKAGE}"
            raise CommandError(message)
        return found.read()


def _content(package: Path) -> bytes:
    done = subprocess.run([str(_UNPACKER), "--fsys-tarfile", str(package)], capture_output=True, check=False)
    if done.returncode != 0:
        message = f"dpkg-deb can't read {package.name}: {done.stderr.decode(errors='replace').strip()}"
        raise CommandError(message)
    return done.stdout
