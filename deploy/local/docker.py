"""A Docker engine with Compose out of Debian's packages, unpacked into a folder: nothing is installed."""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local import apt
from deploy.local.errors import UnsupportedMachineError

SUITE: Final = "bookworm"
PACKAGES: Final = (
    "containerd", "docker.io", "iptables", "libdevmapper1.02.1", "libip4tc2", "libip6tc2", "libmnl0",
    "libnetfilter-conntrack3", "libnfnetlink0", "libnftnl11", "libxtables12", "runc", "tini",
)  # fmt: skip
"""The engine, and the libraries that a Debian without it may lack."""
COMPOSE_SUITE: Final = "trixie"
COMPOSE: Final = "docker-compose"
"""Debian 12 has only the one in Python, which knows no health; this one is a program that runs there too."""
_PLUGIN: Final = Path("usr/libexec/docker/cli-plugins/docker-compose")


def directory(local: Path) -> Path:
    """Where the packages of this suite lie unpacked, or will."""
    return local / "docker" / SUITE


def why_unavailable() -> str | None:
    """Why no engine can be had in this way, or None."""
    is_root = os.name == "posix" and os.geteuid() == 0
    if not is_root or not Path("/etc/debian_version").exists():
        return "an engine of one's own needs Debian, and root"
    if platform.freedesktop_os_release().get("VERSION_CODENAME") != SUITE:
        return f"only on Debian's {SUITE} its packages run without being installed"
    return None


def environment(root: Path, base: Mapping[str, str]) -> dict[str, str]:
    """``base``, with what the unpacked programs need in order to find each other and their libraries."""
    libraries = [root / "usr/lib" / f"{platform.machine()}-linux-gnu", root / "lib" / f"{platform.machine()}-linux-gnu"]
    return {
        **base,
        "PATH": f"{root / 'usr/sbin'}:{root / 'usr/bin'}:{base.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}",
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "XTABLES_LIBDIR": str(libraries[0] / "xtables"),
        "DOCKER_CONFIG": str(root / "client"),
    }


def fetch(target: Path) -> None:
    """Downloads the packages and unpacks them. Raises UnsupportedMachineError, CommandError."""
    if why := why_unavailable():
        raise UnsupportedMachineError(why)
    packages = target.parent / "packages"
    packages.mkdir(parents=True)
    apt.download(PACKAGES, packages)
    apt.download((COMPOSE,), packages, suite=COMPOSE_SUITE)
    for package in sorted(packages.glob("*.deb")):
        apt.run(["dpkg-deb", "--extract", str(package), str(target)])
    shutil.rmtree(packages)
    # What a package's own scripts would have linked.
    for name in ("iptables", "ip6tables"):
        (target / "usr/sbin" / name).symlink_to("xtables-nft-multi")
    plugins = target / "client" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-compose").symlink_to(Path("../..") / _PLUGIN)
