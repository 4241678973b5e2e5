"""mosquitto's access files: written anew, read by the running broker, and the sessions of changed devices ended."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from schemas.broker_access import (
    ACL,
    FIXED_ACL,
    FIXED_PASSWORDS,
    PASSWORDS,
    SESSIONS_SOCKET,
    BrokerUser,
    access_files,
)
from services.runtime.errors import HearthBeatError
from services.runtime.settings import BrokerSettings, MqttSettings

SESSIONS_USER: Final = "sessions-0"
_ANSWER_S: Final = 5.0
_PROGRAM: Final = "mosquitto"
_UNFINISHED: Final = "unfinished"
"""Whose sessions are being ended: what an interrupted change has left to do."""
_PEER: Final = struct.Struct("3i")
"""Of the kernel's ``struct ucred``: process, user, group."""

Tick = Callable[[], None]


class BrokerFilesError(HearthBeatError):
    """The broker's access files can't be written or read."""


def no_tick() -> None:
    """For those who show no progress."""


class BrokerFiles:
    """A mosquitto that runs on this machine. Who writes holds the registration lock: two at once undo each other."""

    def __init__(self, settings: BrokerSettings, mqtt: MqttSettings) -> None:
        """Raises BrokerFilesError where a setting is missing."""
        if settings.directory is None:
            raise BrokerFilesError("Set HB_BROKER_DIRECTORY to the folder of mosquitto's access files.")
        self._directory, self._known_pid, self._mqtt = settings.directory, settings.pid, mqtt

    def check(self) -> None:
        """Raises BrokerFilesError where ``apply`` could not do its work; to be asked before anything is written."""
        self._check_fixed()
        if not os.access(self._directory, os.W_OK):
            raise BrokerFilesError("HB_BROKER_DIRECTORY may not be written to; run this as root or as the broker.")
        self._check_pid()

    def apply(self, devices: Iterable[BrokerUser], changed: Collection[str] = (), tick: Tick = no_tick) -> None:
        """Lets in exactly these devices, beside the platform. ``changed``: who had another secret before, or is gone.

        Whoever is connected and may no longer be is cut off at once; all others keep connection and session.
        ``tick`` is called for each session that was ended, twice for each of ``changed``. Raises BrokerFilesError.
        """
        names = {*changed, *self._unfinished()}
        _replace(self._directory / _UNFINISHED, "".join(f"{name}\n" for name in sorted(names)))
        self._write(devices)
        # mosquitto 2.0 checks at SIGHUP whoever has a session, away or not, and a client that is away and fails is
        # noted for expiry a second time. The first note is then never taken back: it points to freed memory once the
        # session is over, and the broker crashes there (mended in 2.1). So no such session may exist at any SIGHUP:
        # not at this one, and none that this one leaves by cutting somebody off may stay for the next.
        self._end_sessions(names, tick)
        self._reload()
        self._end_sessions(names, tick)
        (self._directory / _UNFINISHED).unlink()

    def differing(self, devices: Iterable[BrokerUser]) -> frozenset[str] | None:
        """Which devices the files know with another secret or other rights, or should not know; None: nothing is to do.

        A change that was interrupted is to be done again. The platform's own users are never named: what the broker
        holds for one of their sessions would be lost with it. Raises BrokerFilesError.
        """
        wanted = self._texts(devices)
        is_same = all(_read(self._directory / name) == text for name, text in wanted.items())
        if is_same and not (self._directory / _UNFINISHED).exists():
            return None
        there = _by_name(_read(self._directory / PASSWORDS), _read(self._directory / ACL))
        after = _by_name(wanted[PASSWORDS], wanted[ACL])
        platform = _by_name(_read(self._directory / FIXED_PASSWORDS), "")
        changed = {name for name, how in there.items() if after.get(name) != how}
        return frozenset(changed - platform.keys()) | self._unfinished()

    def _unfinished(self) -> frozenset[str]:
        return frozenset(_read(self._directory / _UNFINISHED).split())

    def _write(self, devices: Iterable[BrokerUser]) -> None:
        for name, text in self._texts(devices).items():
            _replace(self._directory / name, text)

    def _texts(self, devices: Iterable[BrokerUser]) -> Mapping[str, str]:
        self._check_fixed()
        fixed = _read(self._directory / FIXED_PASSWORDS), _read(self._directory / FIXED_ACL)
        return access_files(devices, after=fixed)

    @property
    def _pid(self) -> int:
        return self._known_pid or self._pid_at_socket()

    def _pid_at_socket(self) -> int:
        """Whose the socket is, as the kernel says: a broker that was started again has another number."""
        with _short_path(self._directory / SESSIONS_SOCKET) as path, socket.socket(socket.AF_UNIX) as one:
            try:
                one.settimeout(_ANSWER_S)
                one.connect(path)
                said = one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
            except OSError as error:
                raise BrokerFilesError(f"The broker does not answer at {SESSIONS_SOCKET}: {error.strerror}.") from error
        pid: int = _PEER.unpack(said)[0]
        return pid

    def _check_fixed(self) -> None:
        # Without them the platform itself would be shut out.
        for name in (FIXED_PASSWORDS, FIXED_ACL):
            if not (self._directory / name).is_file():
                raise BrokerFilesError(f"HB_BROKER_DIRECTORY has no file {name}.")

    def _check_pid(self) -> int:
        pid = self._pid
        try:
            runs = Path(f"/proc/{pid}/comm").read_text().strip() == _PROGRAM
        except OSError:
            runs = False
        # Another program might take SIGHUP for its end.
        if not runs:
            raise BrokerFilesError(f"HB_BROKER_PID, {pid}, is no {_PROGRAM} that runs here.")
        return pid

    def _reload(self) -> None:
        pid = self._check_pid()
        try:
            os.kill(pid, signal.SIGHUP)
        except OSError as error:
            raise BrokerFilesError(f"HB_BROKER_PID: {error.strerror}.") from error

    def _end_sessions(self, names: Collection[str], tick: Tick) -> None:
        if not names:
            return
        with _short_path(self._directory / SESSIONS_SOCKET) as path:
            for name in names:
                self._end_session(path, name)
                tick()

    def _end_session(self, path: str, name: str) -> None:
        """Takes the client id over with a clean session, and leaves: nothing of the one before stays."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5, transport="unix")
        client.username_pw_set(SESSIONS_USER, self._mqtt.password_of(SESSIONS_USER))
        refused: list[bool] = []
        client.on_connect = lambda _client, _data, _flags, code, _properties: refused.append(code.is_failure)
        deadline = time.monotonic() + _ANSWER_S
        try:
            client.connect(path, clean_start=True)
            while not refused and time.monotonic() < deadline:
                client.loop(0.1)
        except OSError as error:
            raise BrokerFilesError(f"The broker does not answer at {SESSIONS_SOCKET}: {error.strerror}.") from error
        if refused != [False]:
            raise BrokerFilesError(f"The broker refuses {SESSIONS_USER}.")
        client.disconnect()
        client.loop(0.1)


@contextmanager
def _short_path(path: Path) -> Iterator[str]:
    """A name for the socket that fits into the 108 bytes which the kernel allows, however deep its folder lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _read(path: Path) -> str:
    """The text of a file; empty where there is none. Raises BrokerFilesError."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BrokerFilesError(f"HB_BROKER_DIRECTORY: {error.strerror}.") from error


def _by_name(passwords: str, acl: str) -> dict[str, tuple[str, str]]:
    """Everybody's secret and rights, as the files state them."""
    secrets = dict(line.split(":", 1) for line in passwords.splitlines() if ":" in line)
    blocks = dict(block.split("\n", 1) for block in acl.split("user ")[1:])
    return {name: (secret, blocks.get(name, "")) for name, secret in secrets.items()}


def _replace(path: Path, text: str) -> None:
    """In one step; readable by the folder's owner, the broker, alone. Raises BrokerFilesError."""
    try:
        _write_anew(path, text)
    except OSError as error:
        raise BrokerFilesError(f"HB_BROKER_DIRECTORY: {error.strerror}.") from error


def _write_anew(path: Path, text: str) -> None:
    # What starts the broker writes the same files, and a name of its own beside them.
    fresh = path.with_name(f"{path.name}.next")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    owner = path.parent.stat()
    if owner.st_uid != fresh.stat().st_uid:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)
