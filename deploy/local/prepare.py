"""Builds once what all stacks share: a Debian root with the servers, and Kafka's libraries."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import apt, docker, helm, jars, kafka_classes, promtool
from deploy.local.errors import StillMountedError, UnsupportedMachineError

SUITE = "trixie"
PACKAGES = ("postgresql-17-timescaledb", "mosquitto")
POM = Path(__file__).with_name("kafka-pom.xml")
BUILDING = ".building-"

Say = Callable[[str], None]


def why_unavailable() -> str | None:
    """The reason why the full stack can't be had on this machine, or None when it can."""
    if os.name != "posix" or not Path("/etc/debian_version").exists():
        return "the full stack without Docker needs Debian"
    if os.geteuid() != 0:
        return "the full stack without Docker needs root (mount namespaces, apt-get)"
    return None


def root_directory(local: Path) -> Path:
    """Where the root of this suite and these packages lies, built or not."""
    return local / "root" / f"{SUITE}-{_digest(' '.join(PACKAGES).encode())}"


def kafka_libraries(local: Path) -> Path:
    """Where the libraries of this `kafka-pom.xml` lie, built or not."""
    return local / "kafka" / f"libs-{_digest(POM.read_bytes())}"


def prepare(local: Path, say: Say) -> None:
    """Build what is missing; safe to interrupt, to repeat and to run twice at once.

    Raises UnsupportedMachineError, CommandError, and ChangedJarError where a library of Kafka is not the committed one.
    """
    if reason := why_unavailable():
        raise UnsupportedMachineError(reason)
    local.mkdir(parents=True, exist_ok=True)
    with locked(local / "prepare.lock"):
        apt.install({"java": "default-jre-headless"})
        _once(root_directory(local), _build_root, say, "Debian root with PostgreSQL, TimescaleDB and mosquitto")
        _once(kafka_libraries(local), _copy_kafka, say, "Kafka libraries")
        jars.verify(kafka_libraries(local))  # again: a tenth of a second, and they have lain there since
        kafka_classes.make(kafka_libraries(local), say)


def prepare_helm(local: Path, say: Say) -> None:
    """Fetch Helm where it is missing; safe as ``prepare`` is, and needs neither root nor Debian.

    Raises CommandError, ChangedWheelError.
    """
    with locked(local / "prepare.lock"):
        _once(helm.directory(local), helm.fetch, say, f"Helm {helm.VERSION}")


def prepare_promtool(local: Path, say: Say) -> None:
    """Fetch promtool where it is missing; safe as ``prepare`` is. Raises UnsupportedMachineError, CommandError."""
    if reason := promtool.why_unavailable():
        raise UnsupportedMachineError(reason)
    with locked(local / "prepare.lock"):
        _once(promtool.directory(local), promtool.fetch, say, f"promtool {promtool.VERSION}")


def prepare_kafka(local: Path, say: Say) -> None:
    """Fetch Kafka's libraries where they are missing; needs Maven, which Debian's root can install.

    Raises CommandError, ChangedJarError.
    """
    with locked(local / "prepare.lock"):
        _once(kafka_libraries(local), _copy_kafka, say, "Kafka libraries")


def prepare_docker(local: Path, say: Say) -> None:
    """Unpack a Docker engine where it is missing; safe as ``prepare`` is.

    Raises UnsupportedMachineError, CommandError.
    """
    with locked(local / "prepare.lock"):
        _once(docker.directory(local), docker.fetch, say, "Docker engine and Compose")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; a process that dies lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_tree(directory: Path) -> None:
    """Remove a directory that has no mounts; one with mounts is refused, for what is mounted would be removed too."""
    prefix = f"{directory.resolve()}/"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        if f"{point}/".startswith(prefix):
            message = f"{point} is mounted, {directory} was not removed"
            raise StillMountedError(message)
    shutil.rmtree(directory)


def _once(target: Path, build: Callable[[Path], None], say: Say, what: str) -> None:
    if target.exists():
        say(f"{what}: there")
        return
    say(f"{what}: building")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Under the lock nobody else builds: what is there was interrupted.
    for left_over in target.parent.glob(f"{BUILDING}*"):
        remove_tree(left_over)
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=target.parent))
    build(building / "result")
    (building / "result").rename(target)
    remove_tree(building)
    say(f"{what}: built")


def _build_root(target: Path) -> None:
    apt.install({"mmdebstrap": "mmdebstrap"})
    target.parent.chmod(0o755)
    dies_with_us = ["setpriv", "--pdeathsig", "KILL"]
    private = [*dies_with_us, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    include = f"--include={','.join(PACKAGES)}"
    apt.run([*private, "mmdebstrap", "--variant=minbase", include, SUITE, str(target), apt.mirror()])


def _copy_kafka(target: Path) -> None:
    apt.install({"mvn": "maven"})
    goal = "dependency:copy-dependencies"
    apt.run(
        [
            "mvn",
            "-q",
            "-B",
            "-f",
            _own_copy(POM, target.parent),
            goal,
            "-DincludeScope=runtime",
            f"-DoutputDirectory={target}",
        ]
    )
    jars.verify(target)


def _own_copy(pom: Path, directory: Path) -> str:
    return str(shutil.copy(pom, directory / "pom.xml"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:10]
