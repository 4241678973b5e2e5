"""The services of one platform on the full stack, each a process of its own."""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local.ports import free_port
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.instances import Instance, instances_of
from deploy.platform.services import ServiceProcess
from deploy.platform.tool import run_tool
from deploy.prometheus.targets import Target, write_configuration
from schemas.bus_access import ADMIN, PREPARE, TOOLS
from schemas.database_access import signed_in_as_nobody

_KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


FOLLOWER: Final = "follow"
"""The process beside the broker, and its role in the database."""
_AS_ITSELF: Final = {"services.bus_access": ADMIN, "services.prepare": PREPARE}
"""The commands that Kafka knows by a user of their own."""


class ServiceEndedError(RuntimeError):
    """A service ended that nobody had stopped."""


def base_environment() -> dict[str, str]:
    """What a child of ours inherits: no more than it needs."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONUNBUFFERED": "1"}


def stack_environment(stack: Stack) -> dict[str, str]:
    """Where the servers of ``stack`` are: of the database without who signs in there."""
    return {
        "HB_DB_DSN": signed_in_as_nobody(stack.dsn),
        "HB_BUS_KIND": "kafka",
        "HB_BUS_KAFKA": stack.kafka_bootstrap,
        "HB_MQTT_HOST": stack.mqtt_host,
        "HB_MQTT_PORT": str(stack.mqtt_platform_port),
        **({"HB_TLS_CA_FILE": str(stack.ca_file)} if stack.settings.tls else {}),
    }


def _bus_user(stack: Stack, name: str) -> dict[str, str]:
    """As whom a service signs in to Kafka; nothing where Kafka knows nobody of that name."""
    secret = stack.kafka_secrets.get(name)
    return {} if secret is None else {"HB_BUS_USER": name, "HB_BUS_PASSWORD": secret}


def _secrets(stack: Stack, users: Iterable[str]) -> dict[str, str]:
    return {"HB_MQTT_PASSWORDS": json.dumps({name: stack.platform_secrets[name] for name in users})}


def tools_environment(stack: Stack) -> dict[str, str]:
    """``stack_environment``, and what only an operator's commands may use: every secret, and the broker's files."""
    return {
        **stack_environment(stack),
        **_secrets(stack, stack.settings.platform_users),
        **_owner(stack),
        **_bus_user(stack, TOOLS),
        "HB_ALERT_WEBHOOK_KEY_FILE": str(_key_file(stack, "webhook")),
        "HB_API_AUDIT_ANCHORS": str(_anchors(stack)),
        "HB_BROKER_DIRECTORY": str(stack.settings.server_directory("mosquitto")),
        "HB_BROKER_PID": str(stack.process("mosquitto").pid or 0),
        "HB_BROKER_DEVICES_AT": f"{stack.mqtt_host}:{stack.mqtt_port}",
    }


def _owner(stack: Stack) -> dict[str, str]:
    """The database as its owner, and whom the owner lets in."""
    return {"HB_DB_DSN": stack.dsn, "HB_DB_PASSWORDS": json.dumps(dict(stack.database_secrets))}


def _key_file(stack: Stack, what: str) -> Path:
    """The key that seals secrets of one kind: made once for a stack, in the form of services.runtime.sealing."""
    path = stack.settings.run_directory / f"{what}.keys"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n")
    return path


def _anchors(stack: Stack) -> Path:
    """Where the anchors of the audit lie: not in the database, and as long as that."""
    return stack.settings.run_directory / "audit"


def take_over(platform: "Platform") -> str:
    """Makes a database that was put back the platform's own; says what that came to. Raises ToolError."""
    platform.prepare()
    said = platform.command("services.restore").strip()
    platform.command("services.cli", "device", "sync")
    return said


class Platform:
    """Prepares, starts and stops the services on a running stack. ``overrides`` are settings, ``own`` those of one."""

    def __init__(
        self,
        stack: Stack,
        clock: SharedClock | None = None,
        overrides: Mapping[str, str] | None = None,
        logs: Path | None = None,
        own: Mapping[str, Mapping[str, str]] | None = None,
        counts: Mapping[str, int] | None = None,
        *,
        followed: bool = False,
    ) -> None:
        """``counts`` says of which services there are several, ``followed`` whether a follower belongs to them."""
        self.stack, self.clock = stack, clock
        self.console_port = int((overrides or {}).get("HB_API_PORT", 0)) or free_port()
        self.environment = (
            base_environment()
            | stack_environment(stack)
            | (clock.environment() if clock else {})
            | {
                "HB_API_PORT": str(self.console_port),
                "HB_API_PLAIN_HTTP": "true",
                "HB_ALERT_BASE_URL": self.console_url,
                "HB_ALERT_WEBHOOK_KEY_FILE": str(_key_file(stack, "webhook")),
                "HB_API_SECOND_FACTOR_KEY_FILE": str(_key_file(stack, "second-factor")),
                "HB_API_AUDIT_ANCHORS": str(_anchors(stack)),
            }
            | dict(overrides or {})
        )
        self._own = own or {}
        self._environments: dict[str, dict[str, str]] = {}
        instances = instances_of(counts or {})
        self.metrics_ports = {one.name: free_port() for one in instances}
        if followed:
            self.metrics_ports[FOLLOWER] = free_port()
        self._console_ports = {
            one.name: free_port() if one.number else self.console_port for one in instances if one.service == "api"
        }
        self.directory = logs or stack.settings.run_directory / "services"
        self.processes = {one.name: self._process(one) for one in instances}
        self._targets = [Target(one.service, one.name, self.metrics_ports[one.name]) for one in instances]
        if followed:
            self.processes[FOLLOWER] = self.follower()
            self._targets.append(Target(FOLLOWER, FOLLOWER, self.metrics_ports[FOLLOWER]))
        self.ended_by_themselves: Counter[str] = Counter()

    def environment_of(self, name: str) -> dict[str, str]:
        """The settings of one instance of a service."""
        return dict(self._environments[name])

    def _process(self, one: Instance) -> ServiceProcess:
        ports = {"HB_METRICS_PORT": str(self.metrics_ports[one.name])}
        if one.service == "api":
            ports["HB_API_PORT"] = str(self._console_ports[one.name])
        watched = self._watched() if one.service == "watch" else {}
        broker = _secrets(self.stack, one.broker_users)
        database = {"HB_DB_DSN": self.stack.dsn_of(one.service)}
        own = self._own.get(one.name, {})
        bus = _bus_user(self.stack, one.service)
        signed_in = {**broker, **database, **bus}
        environment = {**self.environment, **signed_in, **one.environment, **ports, **watched, **own}
        self._environments[one.name] = environment
        return ServiceProcess(one.name, [f"services.{one.service}"], environment, self.directory / f"{one.name}.log")

    def _watched(self) -> dict[str, str]:
        pages = {
            name: f"http://127.0.0.1:{port}/metrics" for name, port in self.metrics_ports.items() if name != "watch"
        }
        health = {name: f"http://127.0.0.1:{port}/healthz" for name, port in self._console_ports.items()}
        backups = str(self.stack.settings.local / "backups")  # where `make backup` puts them
        return {
            "HB_WATCH_SERVICES": json.dumps(pages),
            "HB_WATCH_HEALTH": json.dumps(health),
            "HB_WATCH_DISKS": json.dumps({"stack": str(self.stack.settings.run_directory)}),
            "HB_WATCH_BACKUPS": json.dumps({"local": backups}),
        }

    def follower(self) -> ServiceProcess:
        """What stands beside the broker, and cuts off whom the database no longer lets in; not started."""
        environment = {
            **self.environment,
            **_secrets(self.stack, ("sessions-0",)),
            "HB_DB_DSN": self.stack.dsn_of(FOLLOWER),
            "HB_METRICS_PORT": str(self.metrics_ports.get(FOLLOWER, 0)),
            "HB_BROKER_DIRECTORY": str(self.stack.settings.server_directory("mosquitto")),
        }
        arguments = ["services.cli", "device", "follow"]
        return ServiceProcess(FOLLOWER, arguments, environment, self.directory / f"{FOLLOWER}.log")

    @property
    def console_url(self) -> str:
        """Where the doctor's console is."""
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def tools_environment(self) -> dict[str, str]:
        """The settings of an operator's commands: those of this platform, as the database's owner."""
        return {**tools_environment(self.stack), **self.environment, **_owner(self.stack)}

    def command(self, *arguments: str, earlier: bool = False, given: str | None = None) -> str:
        """Runs ``python -m ARGUMENTS`` in an operator's environment, or ``earlier`` than the clock's origin.

        Gives its output. Raises ToolError.
        """
        clock = self.clock.before().environment() if earlier and self.clock else {}
        bus = _bus_user(self.stack, _AS_ITSELF.get(arguments[0], TOOLS))
        return run_tool({**self.tools_environment, **bus, **clock}, *arguments, given=given)

    def prepare(self) -> None:
        """What each of Kafka's users may do, where it has any; migrations, topics, first offsets."""
        if self.stack.kafka_secrets:
            self.command("services.bus_access")
        self.command("services.prepare")

    def start(self) -> None:
        """Starts every service that does not run, and says where Prometheus finds their metrics."""
        self.directory.mkdir(parents=True, exist_ok=True)
        write_configuration(self.directory, self._targets)
        for process in self.processes.values():
            if not process.alive:
                process.start()

    def stop(self) -> dict[str, int]:
        """Stops them, the last first; exit codes by name."""
        return {name: self.processes[name].stop() for name in reversed(self.processes)}

    def check_alive(self) -> None:
        """Raises ServiceEndedError where one has ended by itself."""
        for process in self.processes.values():
            if process.exit_code is not None:
                raise ServiceEndedError(f"{process.name} ended with {process.exit_code}:\n{process.tail()}")

    def restart_ended(self) -> list[str]:
        """Starts again what has ended; its names. Counts those that nobody had killed."""
        ended = [name for name, process in self.processes.items() if not process.alive]
        self.ended_by_themselves.update(name for name in ended if self.processes[name].ended_by_itself)
        for name in ended:
            self.processes[name].start()
        return ended

    def __enter__(self) -> Self:
        self.prepare()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
