"""mosquitto: configuration, access list and password file of one stack."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.local import jail
from deploy.local.passwords import write_device_passwords
from deploy.local.probes import mqtt_answers
from deploy.local.process import Server
from deploy.local.settings import CHECKOUT, LOOPBACK, StackSettings

TEMPLATES = CHECKOUT / "deploy" / "mosquitto"
USER = "mosquitto"


def mosquitto(settings: StackSettings, root: Path, port: int, platform_password: str) -> Server:
    """The broker, with the platform's own users known from the start."""
    directory = settings.server_directory("mosquitto")

    def before_start() -> None:
        _make_directory(directory, jail.owner(root, USER))
        _write_configuration(settings, directory, port)
        # Kept over restarts: devices were registered into it since.
        if not (directory / "passwords").exists():
            register(settings, platform_password, {})

    return Server(
        name="mosquitto",
        command=jail.inside(root, directory, USER, ["/usr/sbin/mosquitto", "-c", f"{jail.INSIDE}/mosquitto.conf"]),
        wrapped=True,
        log=settings.run_directory / "mosquitto.log",
        before_start=before_start,
        answers=lambda: mqtt_answers(LOOPBACK, port),
        stop_signal=signal.SIGTERM,
    )


def register(settings: StackSettings, platform_password: str, devices: Mapping[str, str]) -> None:
    """Write the password file: the platform's users and exactly these devices."""
    platform = dict.fromkeys(settings.platform_users, platform_password)
    write_device_passwords(settings.server_directory("mosquitto") / "passwords", {**devices, **platform})


def version(root: Path, directory: Path) -> str:
    """What the package says, since the broker prints its version with an error code."""
    return jail.run_inside(root, directory, "root", ["dpkg-query", "--show", "--showformat=${Version}", "mosquitto"])


def _write_configuration(settings: StackSettings, directory: Path, port: int) -> None:
    values = {
        "host": LOOPBACK,
        "port": str(port),
        "directory": jail.INSIDE,
        "persistence": str(settings.mqtt_persistence).lower(),
        "max_queued": str(settings.mqtt_max_queued),
        "inflight": str(settings.mqtt_inflight),
    }
    (directory / "mosquitto.conf").write_text(_template("mosquitto.conf.in").substitute(values))
    platform = _template("acl-platform.in")
    users = [platform.substitute(user=user, uplinks=_uplinks(user)) for user in settings.platform_users]
    acl = directory / "acl"
    acl.write_text("".join([(TEMPLATES / "acl.in").read_text(), *users]))
    acl.chmod(0o600)
    os.chown(acl, *_owner_of(directory))


def _uplinks(user: str) -> str:
    """Ingest clears what a device has left at the broker; nobody else writes where devices speak."""
    return "readwrite" if user.startswith("ingest-") else "read"


def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text())


def _make_directory(directory: Path, owner: tuple[int, int]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    os.chown(directory, *owner)


def _owner_of(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid
