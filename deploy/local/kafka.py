"""Apache Kafka: one node that is broker and controller, as a JVM of the host."""

import base64
import shutil
import socket
import struct
import uuid
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.certificates.files import CA_CERTIFICATE, write_private
from deploy.local import apt, encryption, kafka_by_tls
from deploy.local.limits import with_open_files
from deploy.local.process import Server
from deploy.local.settings import LOOPBACK, StackSettings
from schemas.bus_access import ADMIN

HERE = Path(__file__).parent
ANSWER_S = 2.0
#: As whom the node signs in to itself; its certificate has the same name.
NODE = "kafka"
METADATA, METADATA_VERSION = 3, 1


def kafka(
    settings: StackSettings, libraries: Path, port: int, controller_port: int, secrets: Mapping[str, str]
) -> Server:
    """The node; its data directory is formatted before the first start. ``secrets``: of its users, where it has any."""
    directory = settings.server_directory("kafka")
    logging = f"-Dlog4j2.configurationFile={directory}/log4j2.properties"
    java = [
        "java",
        f"-Xmx{settings.kafka_heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        # C1 alone: in the first minutes C2 took as much CPU as the broker's own work.
        "-XX:TieredStopAtLevel=1",
        *_shared_classes(libraries),
        logging,
        "-cp",
        f"{libraries}/*",
    ]
    properties = str(directory / "server.properties")

    def before_start() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if settings.tls:
            encryption.hand_out(settings, "kafka")
        _write_configuration(settings, directory, (port, controller_port), secrets)
        if not (directory / "data" / "meta.properties").exists():
            apt.run(
                [
                    *java,
                    "kafka.tools.StorageTool",
                    "format",
                    f"--cluster-id={cluster_id()}",
                    "-c",
                    properties,
                    "--ignore-formatted",
                    *(f"--add-scram={user}" for user in scram_users(secrets)),
                ]
            )

    return Server(
        name="kafka",
        command=with_open_files([*java, "kafka.Kafka", properties]),
        wrapped=False,
        log=settings.run_directory / "kafka.log",
        before_start=before_start,
        answers=lambda: kafka_by_tls.answers(settings, port, NODE, secrets[NODE]) if settings.tls else _answers(port),
    )


def classes_of(libraries: Path) -> Path | None:
    """Where the file of the libraries' classes lies, made or not: one for each Java. None where there is no Java."""
    java = shutil.which("java")
    if java is None:
        return None
    modules = Path(java).resolve().parent.parent / "lib" / "modules"
    return libraries.with_name(f"{libraries.name}-{modules.stat().st_mtime_ns:x}.jsa") if modules.exists() else None


def _shared_classes(libraries: Path) -> list[str]:
    found = classes_of(libraries)
    # A JVM that can't use it says nothing and reads the libraries.
    return [f"-XX:SharedArchiveFile={found}"] if found is not None and found.exists() else []


def version(libraries: Path) -> str:
    """The version in the name of the library."""
    return next(iter(libraries.glob("kafka_2.13-*.jar"))).stem.rpartition("-")[2]


def configuration(
    settings: StackSettings, secrets: Mapping[str, str], *, host: str, ports: tuple[int, int], directory: str, log: str
) -> dict[str, str]:
    """The node's files by name: ``host`` is where it is reached, ``directory`` what it sees as its own, ``log`` a file.

    The first of them holds the node's own secret.
    """
    server = Template((HERE / "kafka-server.properties.in").read_text()).substitute(
        host=host,
        port=ports[0],
        controller_port=ports[1],
        directory=directory,
        retention_bytes=settings.kafka_retention_bytes,
        detour=_detour(settings, 0),
        advertised_detour=_detour(settings, 1),
        protocol="SASL_SSL" if settings.tls else "PLAINTEXT",
        controller_protocol="SSL" if settings.tls else "PLAINTEXT",
    )
    if settings.tls:
        server += Template((HERE / "kafka-tls.properties.in").read_text()).substitute(
            directory=directory,
            shown=encryption.SHOWN,
            ca=CA_CERTIFICATE,
            sign_in=_sign_in(secrets[NODE]),
            admin=ADMIN,
            node=NODE,
        )
    logging = Template((HERE / "kafka-log4j2.properties.in").read_text()).substitute(
        log=log, access="debug" if settings.kafka_logs_allowed else "info"
    )
    return {"server.properties": server, "log4j2.properties": logging}


def scram_users(secrets: Mapping[str, str]) -> list[str]:
    """Who may sign in, as the format of a node's directory takes it down."""
    return [f"SCRAM-SHA-512=[name={name},password={secret}]" for name, secret in secrets.items()]


def cluster_id() -> str:
    """A new one."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def _write_configuration(
    settings: StackSettings, directory: Path, ports: tuple[int, int], secrets: Mapping[str, str]
) -> None:
    files = configuration(
        settings,
        secrets,
        host=LOOPBACK,
        ports=ports,
        directory=str(directory),
        log=str(directory / "server.log"),
    )
    for name, text in files.items():
        write_private(directory / name, text.encode())


def _sign_in(secret: str) -> str:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return f'{module} required username="{NODE}" password="{secret}";'


def _detour(settings: StackSettings, end: int) -> str:
    return f",DETOUR://{LOOPBACK}:{settings.kafka_detour[end]}" if settings.kafka_detour else ""


def _answers(port: int) -> bool:
    """Whether the node lists itself as a broker: before that it answers, but takes no records."""
    # A metadata request that names no topic: the answer begins with the list of brokers.
    header = struct.pack(">hhih", METADATA, METADATA_VERSION, 1, -1)
    request = header + struct.pack(">i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), ANSWER_S) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    _size, _correlation, brokers = (
        struct.unpack(">iii", answer) if len(answer) == struct.calcsize(">iii") else (0, 0, 0)
    )
    return int(brokers) > 0
