"""A clinic in containers for a test: its engine, its command, its devices, and what can be seen of it from outside."""

import json
import os
import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy.containers import images
from deploy.containers.clinic import Clinic
from deploy.containers.deployment import Deployment, Reach
from deploy.containers.engine import Engine, find_engine
from deploy.containers.own_engine import own_engine
from deploy.local.docker import why_unavailable
from deploy.local.ports import free_port
from deploy.local.prepare import remove_tree
from deploy.local.settings import CHECKOUT
from schemas.topics import UP

POSTGRESQL = 5432
_LISTENS = "0A"
_ANSWER_S = 30.0
_PLEASE_TLS = struct.pack(">ii", 8, 80877103)
_GREETING = b"user\0postgres\0database\0hearthbeat\0\0"
_PLAINTEXT = struct.pack(">ii", 8 + len(_GREETING), 3 << 16) + _GREETING


class Listener(NamedTuple):
    """Where a container listens, beyond its own loopback."""

    container: str
    address: str
    port: int


@contextmanager
def engine_of_a_test() -> Iterator[Engine]:
    """One of its own where that can be had, else the machine's.

    Raises NoEngineError where there is neither, CommandError where its packages can't be fetched.
    """
    if why_unavailable():
        yield find_engine()
        return
    with own_engine(CHECKOUT / ".local") as engine:
        yield engine


@contextmanager
def clinic_in_containers(engine: Engine) -> Iterator[Clinic]:
    """Images, then a clinic; everything is healthy. Erased afterwards, but for the images."""
    images.build(engine, CHECKOUT / ".local", print)
    clinic = Clinic(Deployment(f"test-{os.getpid()}"), engine)
    clinic.deployment.prepare(
        Reach(console_port=free_port(), devices_port=free_port(), watched=True, prometheus_port=free_port())
    )
    try:
        clinic.up()
        yield clinic
    finally:
        clinic.down()
        remove_tree(clinic.deployment.folder)


def hearthbeat(clinic: Clinic, *arguments: str, given: str = "") -> str:
    """The command as an operator types it outside; what it printed."""
    environment = {name: value for name, value in clinic.engine.environment.items() if not name.startswith("HB_")}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.running.command", "--at", clinic.deployment.name, *arguments],
        cwd=CHECKOUT,
        env=environment | {"PYTHONPATH": str(CHECKOUT)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def publish(clinic: Clinic, device: dict[str, str], uplink: dict[str, Any], *, secret: str = "") -> bool:
    """Sends an uplink as a device over TLS; whether the broker let it in and took it."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=device["DEVICE"], protocol=paho.MQTTv5)
    client.username_pw_set(device["DEVICE"], secret or device["SECRET"])
    client.tls_set_context(ssl.create_default_context(cafile=clinic.deployment.ca_file))
    refused: list[bool] = []
    client.on_connect = lambda _client, _data, _flags, code, _properties: refused.append(code.is_failure)
    client.connect("localhost", clinic.deployment.reach.devices_port)
    client.loop_start()
    try:
        topic = UP.of(int(device["SHARD"]), device["DEVICE"])
        sent = client.publish(topic, json.dumps(uplink), qos=1)
        while not refused:
            client.loop_misc()
        if refused[0]:
            return False
        sent.wait_for_publish(_ANSWER_S)
        return sent.is_published()
    finally:
        client.disconnect()
        client.loop_stop()


def containers(clinic: Clinic) -> list[dict[str, Any]]:
    """All of them, those that ran to their end too, as `docker inspect` shows them."""
    ids = clinic.ask("ps", "--all", "--quiet").split()
    found: list[dict[str, Any]] = json.loads(clinic.engine.ask("inspect", *ids))
    return found


def listeners(container: dict[str, Any]) -> Iterator[Listener]:
    """What the kernel says of a running container, whose network is another than ours."""
    pid = container["State"]["Pid"]
    address = next(network["IPAddress"] for network in container["NetworkSettings"]["Networks"].values())
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            host, _, port = local.partition(":")
            # The last four bytes of an IPv4 address come first; of loopback that is 127.
            if state == _LISTENS and not host.endswith("7F") and host != "00000000000000000000000001000000":
                yield Listener(container["Name"], address, int(port, 16))


def speaks_tls(listener: Listener, ca_file: Path) -> bool:
    """Whether a client that trusts the clinic's CA can shake hands there; PostgreSQL has to be asked for it first."""
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    with socket.create_connection((listener.address, listener.port), _ANSWER_S) as connection:
        if listener.port == POSTGRESQL:
            connection.sendall(_PLEASE_TLS)
            if connection.recv(1) != b"S":
                return False
        try:
            with context.wrap_socket(connection, server_hostname="localhost") as encrypted:
                return encrypted.version() in {"TLSv1.2", "TLSv1.3"}
        except ssl.SSLError:
            return False


def postgresql_by_plaintext(listener: Listener) -> bytes:
    """How PostgreSQL answers somebody who asks for no TLS."""
    with socket.create_connection((listener.address, listener.port), _ANSWER_S) as connection:
        connection.sendall(_PLAINTEXT)
        return connection.recv(1024)
