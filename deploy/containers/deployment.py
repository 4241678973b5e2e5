"""What a deployment in containers has on this machine: secrets, certificates, each container's own folder, its data."""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.certificates.authority import Authority
from deploy.certificates.files import CA_CERTIFICATE, give_to, write_private
from deploy.containers.images import release
from deploy.local import encryption, kafka, mosquitto, postgres
from deploy.local.errors import StackError
from deploy.local.prepare import locked
from deploy.local.settings import CHECKOUT, LOOPBACK, SERVERS, StackSettings
from deploy.platform.instances import instances_of
from deploy.platform.services import SERVICES
from schemas.broker_access import new_secret
from schemas.bus_access import ADMIN, PREPARE, TOOLS
from schemas.database_access import DATABASE_SERVICES, role_of, signed_in_as

USER: Final = 10001
"""As whom everything runs in the images, and in the chart."""
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - asked for by naming a host, and by TLS alone
KAFKA_PORTS: Final = (9093, 9094)
BROKER_PORTS: Final = (8883, 8884)
DATABASE_PORT: Final = 5432
PROMETHEUS: Final = "prometheus"
_WEB: Final = "tls_server_config: { cert_file: services.pem, key_file: services.pem }\n"
_KAFKA_LOG: Final = "/tmp/kafka.log"  # noqa: S108 - of a container, which shares it with nobody


class NotRootError(StackError):
    """What belongs to the user of the images can be written by root alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """All of them, by who signs in with them; ``webhooks`` and ``second_factors`` are keys that seal others."""

    broker: dict[str, str]
    bus: dict[str, str]
    database: dict[str, str]
    owner: str
    cluster: str
    webhooks: str
    second_factors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where doctors and devices reach it: by ``host`` from elsewhere, by loopback alone where there is none.

    ``profile`` says what runs; ``watched`` whether Prometheus does beside it, which is shown on loopback alone.
    """

    profile: str = "clinic"
    host: str = ""
    console_port: int = 8443
    devices_port: int = 8883
    watched: bool = False
    prometheus_port: int = 9090


class Deployment:
    """One by its name; its folder below ``local`` holds all that it keeps."""

    def __init__(self, name: str, local: Path = CHECKOUT / ".local") -> None:
        self.name = name
        self.settings = StackSettings(name=name, local=local / "containers", tls=True)
        self.folder = self.settings.run_directory.resolve()

    @property
    def project(self) -> str:
        """What Compose calls it."""
        return f"hearthbeat-{self.name}"

    @property
    def variables(self) -> Path:
        """Compose's variables, no secret among them; there once it was prepared."""
        return self.folder / "compose.env"

    @property
    def ca_file(self) -> Path:
        """What browsers and devices trust."""
        return encryption.ca_file(self.settings)

    @property
    def reach(self) -> Reach:
        """As it was prepared last; the defaults before."""
        path = self.folder / "reach.json"
        return Reach(**json.loads(path.read_text())) if path.exists() else Reach()

    def prepare(self, reach: Reach) -> None:
        """Makes what is missing, and gives each container what it may know; as often as you like.

        Raises NotRootError, CertificateError, OSError.
        """
        if os.geteuid() != 0:
            raise NotRootError(f"{self.folder} is prepared by root, which gives each container its files")
        with locked(self.folder / "lock"):
            self.folder.chmod(0o700)
            known = self._secrets()
            self._sign(reach)
            self._give_servers(known)
            for holder, settings in secret_settings(known):
                self._give(holder, settings, known)
            self._give_prometheus()
            self._give_backup(known)
            for written in ("audit", "backups", "fleet"):
                _folder(self.folder / written)
            (self.folder / "reach.json").write_text(json.dumps(asdict(reach)))
            self.variables.write_text("".join(f"{name}={value}\n" for name, value in self._variables(reach).items()))

    def _variables(self, reach: Reach) -> dict[str, str]:
        return {
            "HEARTHBEAT_CONSOLE_PORT": str(reach.console_port),
            "HEARTHBEAT_DEVICES_PORT": str(reach.devices_port),
            "HEARTHBEAT_FOLDER": str(self.folder),
            "HEARTHBEAT_PROMETHEUS_PORT": str(reach.prometheus_port),
            "HEARTHBEAT_HOST": reach.host or "localhost",
            "HEARTHBEAT_PUBLISH": EVERYWHERE if reach.host else LOOPBACK,
            "HEARTHBEAT_VERSION": release(),
        }

    def _secrets(self) -> Secrets:
        """Those that it has, and new ones for who has none yet."""
        path = self.folder / "secrets.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        known = Secrets(
            broker=_for_each(self.settings.platform_users, before.get("broker", {})),
            bus=_for_each(self.settings.kafka_users, before.get("bus", {})),
            database=_for_each(DATABASE_SERVICES, before.get("database", {})),
            owner=before.get("owner") or new_secret(),
            cluster=before.get("cluster") or kafka.cluster_id(),
            webhooks=before.get("webhooks") or _new_key(),
            second_factors=before.get("second_factors") or _new_key(),
        )
        write_private(path, json.dumps(asdict(known), indent=1).encode())
        return known

    def _sign(self, reach: Reach) -> None:
        now = datetime.now(UTC)
        here = ("localhost", LOOPBACK)
        outside = (*here, reach.host) if reach.host else here
        authority = Authority.open_or_create(self.ca_file.parent, f"HearthBeat {self.name}", now)
        hosts = {server: (server, *here) for server in SERVERS}
        hosts |= {"mosquitto": ("mosquitto", *outside), encryption.SERVICES: (*SERVICES, PROMETHEUS, *outside)}
        authority.provide(hosts, (), now)
        authority.renew(now)

    def _give_servers(self, known: Secrets) -> None:
        settings, owner = self.settings, (USER, USER)
        for server in SERVERS:
            folder = _folder(settings.server_directory(server))
            encryption.hand_out(settings, server, owner)
            if server != "mosquitto":
                _folder(folder / "data")
        devices, platform = BROKER_PORTS
        text = mosquitto.configuration(settings, host=EVERYWHERE, port=devices, platform_port=platform)
        self._write("mosquitto", "mosquitto.conf", text)
        mosquitto.write_fixed_users(settings, known.broker)
        files = kafka.configuration(
            settings, known.bus, host="kafka", ports=KAFKA_PORTS, directory="/srv", log=_KAFKA_LOG
        )
        files |= {"cluster": known.cluster, "users": "".join(f"{one}\n" for one in kafka.scram_users(known.bus))}
        for name, text in files.items():
            self._write("kafka", name, text)
        # The engine keeps what it writes to its output, and bounds it.
        options = {**postgres.TLS, "logging_collector": "off"}
        self._write("postgresql", "postgresql.conf", postgres.configuration(EVERYWHERE, DATABASE_PORT, options))
        self._write("postgresql", postgres.ENCRYPTED_ALONE, postgres.by_tls_alone("all"))
        self._write("postgresql", "password", known.owner)

    def _give(self, holder: str, settings: Mapping[str, str], known: Secrets) -> None:
        """A folder that holds what one container may know, and nothing else."""
        folder = _folder(self.folder / holder)
        authority = Authority.open(self.ca_file.parent)
        give_to(authority.ca_file, folder / CA_CERTIFICATE, (USER, USER))
        if holder in SERVICES:
            give_to(authority.leaf_file(encryption.SERVICES), folder / "services.pem", (USER, USER))
        if holder in {"alert", "tools"}:
            self._write(holder, "webhook.keys", f"{known.webhooks}\n")
        if holder == "api":
            self._write(holder, "second-factor.keys", f"{known.second_factors}\n")
        _folder(folder / "settings")
        for name, value in settings.items():
            self._write(f"{holder}/settings", name, value)

    def _give_prometheus(self) -> None:
        """What it shows, and whom it trusts; it has no secret of anybody else."""
        folder, authority = _folder(self.folder / PROMETHEUS), Authority.open(self.ca_file.parent)
        give_to(authority.ca_file, folder / CA_CERTIFICATE, (USER, USER))
        give_to(authority.leaf_file(encryption.SERVICES), folder / "services.pem", (USER, USER))
        _folder(folder / "data")
        self._write(PROMETHEUS, "web.yaml", _WEB)

    def _give_backup(self, known: Secrets) -> None:
        """Whoever makes backups signs in as the database's owner, for a backup holds all that the owner may read."""
        folder = _folder(self.folder / "backup")
        give_to(Authority.open(self.ca_file.parent).ca_file, folder / CA_CERTIFICATE, (USER, USER))
        self._write("backup", "pgpass", f"postgresql:{DATABASE_PORT}:*:postgres:{known.owner}\n")

    def _write(self, folder: str, name: str, text: str) -> None:
        write_private(self.folder / folder / name, text.encode(), (USER, USER))


def secret_settings(known: Secrets) -> Iterator[tuple[str, dict[str, str]]]:
    """Of each service and command the settings that are secret: none knows another's."""
    owner = f"postgresql://postgres:{known.owner}@postgresql:{DATABASE_PORT}/hearthbeat"
    everybody = {"HB_DB_DSN": owner, "HB_DB_PASSWORDS": json.dumps(known.database)}
    for one in instances_of({}):
        found = {"HB_DB_DSN": signed_in_as(owner, role_of(one.service), known.database[one.service])}
        if one.broker_users:
            found["HB_MQTT_PASSWORDS"] = json.dumps({name: known.broker[name] for name in one.broker_users})
        if one.service in known.bus:
            found["HB_BUS_PASSWORD"] = known.bus[one.service]
        yield one.service, found
    yield "access", {"HB_BUS_PASSWORD": known.bus[ADMIN]}
    yield "prepare", {**everybody, "HB_BUS_PASSWORD": known.bus[PREPARE]}
    yield (
        "tools",
        {**everybody, "HB_BUS_PASSWORD": known.bus[TOOLS], "HB_MQTT_PASSWORDS": json.dumps(known.broker)},
    )


def _new_key() -> str:
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _for_each(names: tuple[str, ...], before: Mapping[str, str]) -> dict[str, str]:
    return {name: before.get(name) or new_secret() for name in names}


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(path, USER, USER)
    return path
