"""Apache Kafka: one node that is broker and controller, as a JVM of the host."""

import base64
import socket
import struct
import uuid
from pathlib import Path
from string import Template

from deploy.local import apt
from deploy.local.limits import with_open_files
from deploy.local.process import Server
from deploy.local.settings import LOOPBACK, StackSettings

HERE = Path(__file__).parent
ANSWER_S = 2.0
METADATA, METADATA_VERSION = 3, 1


def kafka(settings: StackSettings, libraries: Path, port: int, controller_port: int) -> Server:
    """The node; its data directory is formatted before the first start."""
    directory = settings.server_directory("kafka")
    logging = f"-Dlog4j2.configurationFile={directory}/log4j2.properties"
    java = [
        "java",
        f"-Xmx{settings.kafka_heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        # C1 alone: in the first minutes C2 took as much CPU as the broker's own work.
        "-XX:TieredStopAtLevel=1",
        logging,
        "-cp",
        f"{libraries}/*",
    ]
    properties = str(directory / "server.properties")

    def before_start() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        _write_configuration(settings, directory, port, controller_port)
        if not (directory / "data" / "meta.properties").exists():
            apt.run(
                [
                    *java,
                    "kafka.tools.StorageTool",
                    "format",
                    f"--cluster-id={_cluster_id()}",
                    "-c",
                    properties,
                    "--ignore-formatted",
                ]
            )

    return Server(
        name="kafka",
        command=with_open_files([*java, "kafka.Kafka", properties]),
        wrapped=False,
        log=settings.run_directory / "kafka.log",
        before_start=before_start,
        answers=lambda: _answers(port),
    )


def version(libraries: Path) -> str:
    """The version in the name of the library."""
    return next(iter(libraries.glob("kafka_2.13-*.jar"))).stem.rpartition("-")[2]


def _write_configuration(settings: StackSettings, directory: Path, port: int, controller_port: int) -> None:
    server = Template((HERE / "kafka-server.properties.in").read_text()).substitute(
        host=LOOPBACK,
        port=port,
        controller_port=controller_port,
        directory=directory,
        retention_bytes=settings.kafka_retention_bytes,
        detour=_detour(settings, 0),
        advertised_detour=_detour(settings, 1),
    )
    logging = Template((HERE / "kafka-log4j2.properties.in").read_text()).substitute(log=directory / "server.log")
    (directory / "server.properties").write_text(server)
    (directory / "log4j2.properties").write_text(logging)


def _detour(settings: StackSettings, end: int) -> str:
    return f",DETOUR://{LOOPBACK}:{settings.kafka_detour[end]}" if settings.kafka_detour else ""


def _cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


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
