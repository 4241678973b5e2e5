"""Builds the images: the base where nobody has one, what they are made of, and the secrets of the build."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from deploy.containers.engine import Engine
from deploy.local import apt, jars
from deploy.local.errors import CommandError, StackError, UnsupportedMachineError
from deploy.local.prepare import SUITE, Say, kafka_libraries, prepare_kafka
from deploy.local.settings import CHECKOUT

IMAGES: Final = ("services", "mosquitto", "kafka", "timescaledb", "prometheus")
REPLACED_BY: Final = {
    "services": "SERVICES_IMAGE",
    "mosquitto": "MOSQUITTO_IMAGE",
    "kafka": "KAFKA_IMAGE",
    "timescaledb": "TIMESCALE_IMAGE",
    "prometheus": "PROMETHEUS_IMAGE",
}
"""The variable that names another image in the place of one of ours, which is then not built."""
BASE: Final = f"debian:{SUITE}-slim"
OWN_BASE: Final = f"hearthbeat/base:{SUITE}"
"""Made of the packages alone, where nothing can be pulled."""
_FOLDER: Final = CHECKOUT / "deploy" / "images"
_PUBLIC_ARCHIVE: Final = f"deb http://deb.debian.org/debian {SUITE} main"
_MACHINES_CAS: Final = ("PIP_CERT", "SSL_CERT_FILE")


class NoBaseError(StackError):
    """There is no image to build on."""


def release() -> str:
    """The version of this checkout, which the images are tagged with."""
    return version("hearthbeat")


def wanted() -> list[str]:
    """Which of the images are built: those in whose place the environment names no other."""
    return [image for image in IMAGES if not os.environ.get(REPLACED_BY[image])]


def build(engine: Engine, local: Path, say: Say) -> None:
    """Builds what is wanted; what has not changed is taken from the engine's cache.

    Raises NoBaseError, CommandError, and ChangedJarError.
    """
    if not wanted():
        return
    base = os.environ.get("BASE_IMAGE") or _base(engine, say)
    with _context(local, say) as folder:
        given = {
            "BASE_IMAGE": base,
            "HEARTHBEAT_BUILD_SECRETS": str(folder / "secrets"),
            "HEARTHBEAT_KAFKA_CONTEXT": str(folder / "kafka"),
            "HEARTHBEAT_REVISION": _revision(),
            "HEARTHBEAT_VERSION": release(),
        }
        say(f"images on {base}: building {', '.join(wanted())}")
        asked = Engine(engine.docker, {**engine.environment, **given})
        asked.ask("compose", "--file", str(_FOLDER / "build.yaml"), "build", "--quiet", *wanted())


def sizes(engine: Engine) -> dict[str, float]:
    """Megabytes of each of our images that the engine has."""
    found = {}
    for image in (f"hearthbeat/{name}:{release()}" for name in wanted()):
        found[image] = json.loads(engine.ask("image", "inspect", image))[0]["Size"] / 1e6
    return found


def _base(engine: Engine, say: Say) -> str:
    for image in (OWN_BASE, BASE):
        if engine.knows("image", image):
            return image
    try:
        engine.ask("pull", "--quiet", BASE)
    except CommandError:
        make_base(engine, say)
        return OWN_BASE
    return BASE


def make_base(engine: Engine, say: Say) -> None:
    """Debian's essential packages as an image, by this machine's own archive. Raises NoBaseError, CommandError."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise NoBaseError(f"{BASE} can't be pulled, and to make one needs Debian and root: set BASE_IMAGE")
    apt.install({"mmdebstrap": "mmdebstrap"})
    say(f"{OWN_BASE}: building, for {BASE} can't be pulled")
    with tempfile.TemporaryDirectory(prefix="hb-base-") as folder:
        archive = f"{folder}/base.tar"
        # Which archive this machine uses is nothing that an image should say.
        public = f'printf "%s\\n" "{_PUBLIC_ARCHIVE}" > "$1/etc/apt/sources.list"'
        forget = 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/var/cache/apt/*'
        hooks = [f"--customize-hook={public}", f"--customize-hook={forget}"]
        apt.run(["mmdebstrap", "--quiet", "--variant=minbase", *hooks, SUITE, archive, apt.mirror()])
        engine.ask("import", archive, OWN_BASE)


@contextmanager
def _context(local: Path, say: Say) -> Iterator[Path]:
    """A folder with what lies nowhere in the checkout: Kafka's libraries, and the secrets of the build."""
    with tempfile.TemporaryDirectory(prefix="hb-images-") as name:
        folder = Path(name)
        (folder / "kafka" / "libs").mkdir(parents=True)
        for file in ("install.sh", "kafka/Dockerfile"):
            shutil.copy(_FOLDER / file, folder / "kafka")
        if "kafka" in wanted():
            prepare_kafka(local, say)
            libraries = kafka_libraries(local)
            jars.verify(libraries)
            for jar in libraries.glob("*.jar"):
                shutil.copy(jar, folder / "kafka" / "libs")
        (folder / "secrets").mkdir(mode=0o700)
        for secret, text in {"apt": _archive(), "ca": _cas(), "pip": _index()}.items():
            (folder / "secrets" / secret).write_text(text)
        yield folder


def _archive() -> str:
    """This machine's archive of packages; empty where it has none: then the base's own counts."""
    try:
        return f"deb {apt.mirror()} {SUITE} main\n"
    except (CommandError, UnsupportedMachineError, OSError):
        return ""


def _cas() -> str:
    """Whom this machine trusts, where it is set up to trust somebody of its own."""
    for name in _MACHINES_CAS:
        if (file := os.environ.get(name)) and Path(file).is_file():
            return Path(file).read_text("utf-8")
    return ""


def _index() -> str:
    """What a build needs of this machine's settings of pip."""
    index = _said(sys.executable, "-m", "pip", "config", "get", "global.index-url") or os.environ.get("PIP_INDEX_URL")
    lines = ["[global]", *([f"index-url = {index}"] if index else []), *(["cert = /run/secrets/ca"] if _cas() else [])]
    return "\n".join(lines) + "\n"


def _revision() -> str:
    return _said("git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD") or "unknown"


def _said(*command: str) -> str:
    """What a command printed; nothing where it can't say."""
    try:
        return apt.run(list(command)).strip()
    except (CommandError, OSError):
        return ""
