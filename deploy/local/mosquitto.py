"""mosquitto: configuration and access files of one stack."""

import os
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Final

from deploy.local import encryption, jail
from deploy.local.probes import mqtt_answers
from deploy.local.process import Server
from deploy.local.settings import CHECKOUT, LOOPBACK, StackSettings
from schemas.broker_access import (
    ACL,
    FIXED_ACL,
    FIXED_PASSWORDS,
    PASSWORDS,
    SESSIONS_SOCKET,
    BrokerUser,
    access_files,
    platform_user,
    verifier_of,
)

TEMPLATES: Final = CHECKOUT / "deploy" / "mosquitto"
USER: Final = "mosquitto"
_TLS: Final = f"certfile {jail.INSIDE}/{encryption.SHOWN}\nkeyfile {jail.INSIDE}/{encryption.SHOWN}\n"
"""For each listener. 2.0 speaks TLS 1.2 and 1.3 unless one is named."""


def mosquitto(
    settings: StackSettings, root: Path, port: int, platform_port: int, platform_secrets: Mapping[str, str]
) -> Server:
    """The broker, with the platform's own users known from the start."""
    directory = settings.server_directory("mosquitto")

    def before_start() -> None:
        owner = jail.owner(root, USER)
        _make_directory(directory, owner)
        if settings.tls:
            encryption.hand_out(settings, "mosquitto", owner)
        _write_configuration(settings, directory, port, platform_port)
        write_fixed_users(settings, platform_secrets)

    return Server(
        name="mosquitto",
        command=jail.inside(root, directory, USER, ["/usr/sbin/mosquitto", "-c", f"{jail.INSIDE}/mosquitto.conf"]),
        wrapped=True,
        log=settings.run_directory / "mosquitto.log",
        before_start=before_start,
        answers=lambda: mqtt_answers(LOOPBACK, port, encryption.context(settings)),
        stop_signal=signal.SIGTERM,
    )


def write_fixed_users(settings: StackSettings, platform_secrets: Mapping[str, str]) -> None:
    """Write whom the broker knows whatever devices there are; the devices that it knows stay, over restarts too."""
    fixed = [platform_user(name, verifier_of(platform_secrets[name])) for name in settings.platform_users]
    fixed += [BrokerUser(name, verifier_of(platform_secrets[name]), grants) for name, grants in settings.guests.items()]
    directory = settings.server_directory("mosquitto")
    files = access_files(fixed)
    for whole, beginning in ((PASSWORDS, FIXED_PASSWORDS), (ACL, FIXED_ACL)):
        devices = _read(directory / whole).removeprefix(_read(directory / beginning))
        _write(directory / beginning, files[whole])
        _write(directory / whole, files[whole] + devices)


def write_users(settings: StackSettings, devices: Iterable[BrokerUser]) -> None:
    """Write the broker's files: those whom it knows in any case, and exactly these devices."""
    directory = settings.server_directory("mosquitto")
    fixed = (directory / FIXED_PASSWORDS).read_text(), (directory / FIXED_ACL).read_text()
    for name, text in access_files(devices, after=fixed).items():
        _write(directory / name, text)


def version(root: Path, directory: Path) -> str:
    """What the package says, since the broker prints its version with an error code."""
    return jail.run_inside(root, directory, "root", ["dpkg-query", "--show", "--showformat=${Version}", "mosquitto"])


def configuration(settings: StackSettings, *, host: str, port: int, platform_port: int) -> str:
    """mosquitto.conf of a broker that sees its own directory as ``jail.INSIDE``."""
    values = {
        "host": host,
        "port": str(port),
        "platform_port": str(platform_port),
        "device_connections": str(settings.mqtt_device_connections),
        "sessions_socket": SESSIONS_SOCKET,
        "directory": jail.INSIDE,
        "persistence": str(settings.mqtt_persistence).lower(),
        "max_queued": str(settings.mqtt_max_queued),
        "inflight": str(settings.mqtt_inflight),
        "tls": _TLS if settings.tls else "",
    }
    return Template((TEMPLATES / "mosquitto.conf.in").read_text()).substitute(values)


def _write_configuration(settings: StackSettings, directory: Path, port: int, platform_port: int) -> None:
    text = configuration(settings, host=LOOPBACK, port=port, platform_port=platform_port)
    (directory / "mosquitto.conf").write_text(text)


def _write(path: Path, text: str) -> None:
    """In one step, for the broker alone to read; it reads the files again on SIGHUP."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    owner = path.parent.stat()
    if owner.st_uid != fresh.stat().st_uid:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _make_directory(directory: Path, owner: tuple[int, int]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    os.chown(directory, *owner)
    # The socket at which sessions are ended lies here.
    directory.chmod(0o700)
