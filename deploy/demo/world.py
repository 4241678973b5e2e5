"""The processes of a demo: two servers from wheels, all services in one process, the simulator, a mailbox, its past."""

import asyncio
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.error import URLError
from urllib.request import urlopen

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from deploy.demo import past
from deploy.demo.options import DOCTOR, DRAIN_S, FASTEST_EDIT, RUNNING, DemoError, Options
from deploy.embedded.embedded import Embedded
from deploy.local.ports import free_port
from deploy.local.proc import reference
from deploy.platform.clock import SharedClock
from deploy.platform.platform import base_environment
from deploy.platform.services import ServiceProcess
from deploy.platform.tool import run_tool
from device_sim.past import PAST_DAYS
from schemas.broker_access import new_secret
from schemas.database_access import DATABASE_SERVICES, signed_in_as_nobody

HEAD_START_S: Final = 4.0
"""The services start this long before platform time reaches its origin."""


class World:
    """Starts in order, stops in reverse. ``started_at`` is monotonic."""

    def __init__(self, options: Options, started_at: float) -> None:
        self.options = options
        self.started_at = started_at
        self.password = secrets.token_urlsafe(12)
        self._database_secrets = {service: new_secret() for service in DATABASE_SERVICES}
        self.console_port = free_port()
        self.metrics_port = free_port()
        self._mail_port = free_port()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # Closes what has started so far if a later step fails; otherwise handed to ``__exit__``.
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        directory = self.options.directory
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self.embedded = stack.enter_context(Embedded(directory / "servers"))
        self.clock = SharedClock.starting_in(0, rate=self.options.speed)
        self.environment = self._environment()
        run_tool(self.environment, "services.prepare")
        self._write_register()
        # As of before the origin, or before the past, so that bindings and care are in force when
        # the first uplink comes.
        earlier = {**self.environment, **self.clock.before(PAST_DAYS if self.has_past else 0).environment()}
        run_tool(earlier, "services.cli", "register", str(directory / "register.json"))
        if self.has_past:
            asyncio.run(past.begin(self.embedded.dsn, self.clock.origin_ms))
        run_tool(self.environment, "services.cli", "doctor", "password", DOCTOR, given=self.password)
        stack.callback(self._start_mailbox().stop)
        self.clock = SharedClock.starting_in(
            HEAD_START_S, rate=self.options.speed, runs_for_s=self.options.for_s, origin_ms=self.clock.origin_ms
        )
        self.environment = self._environment()
        self.services = ServiceProcess("services", ["services"], self._as_services(), directory / "services.log")
        self.simulator = ServiceProcess("simulator", self._simulator(), self.environment, directory / "simulator.log")
        self.filler = ServiceProcess("past", self._filler(), self.environment, directory / "past.log")
        self.services.start()
        stack.callback(self.services.stop)
        self._wait_for_console()
        self._say_where()
        stack.callback(RUNNING.unlink, missing_ok=True)
        # Uplinks begin at the origin of platform time, not before.
        time.sleep(max(0.0, -self.clock.elapsed_s))
        self.simulator.start()
        stack.callback(self.simulator.stop)
        # Behind the first screen: nothing that is live waits for it.
        if self.has_past:
            self.filler.start()
            stack.callback(self.filler.stop)

    def _say_where(self) -> None:
        own = reference(os.getpid())
        assert own is not None  # noqa: S101 - this process is alive
        settings = {name: value for name, value in self.environment.items() if name.startswith("HB_")}
        RUNNING.touch(mode=0o600)
        RUNNING.write_text(json.dumps({"pid": own.pid, "started": own.started, "environment": settings}))

    def _as_services(self) -> Mapping[str, str]:
        """The services sign in at the database each as itself, and none as its owner."""
        return {**self.environment, "HB_DB_DSN": signed_in_as_nobody(self.embedded.dsn)}

    def _environment(self) -> Mapping[str, str]:
        return (
            base_environment()
            | self.clock.environment()
            | {
                "HB_DB_DSN": self.embedded.dsn,
                "HB_DB_PASSWORDS": json.dumps(self._database_secrets),
                "HB_BUS_KIND": "postgres",
                "HB_BUS_PARTITIONS": "1",
                "HB_MQTT_HOST": self.embedded.mqtt_host,
                "HB_MQTT_PORT": str(self.embedded.mqtt_port),
                "HB_MQTT_REPLAYS_RETAINED": "true",
                "HB_BROKER_KIND": "unchecked",
                "HB_BROKER_DEVICES_AT": f"{self.embedded.mqtt_host}:{self.embedded.mqtt_port}",
                "HB_METRICS_PORT": str(self.metrics_port),
                "HB_API_PORT": str(self.console_port),
                "HB_API_PLAIN_HTTP": "true",
                "HB_ALERT_BASE_URL": self.console_url,
                "HB_ALERT_SMTP_HOST": "127.0.0.1",
                "HB_ALERT_SMTP_PORT": str(self._mail_port),
                "HB_MEDICATION_RESEND_AFTER_S": "5",
                "HB_SCORE_RESEND_AFTER_S": "5",
                "HB_LOG_LEVEL": "info",
            }
        )

    @property
    def console_url(self) -> str:
        """Where the doctor's console is."""
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def since_start_s(self) -> float:
        """Real seconds since the command was given."""
        return time.monotonic() - self.started_at

    @property
    def has_past(self) -> bool:
        """Whether everybody has a past; people of a recording have what was recorded."""
        return self.options.replay is None

    @property
    def filled(self) -> past.Progress | None:
        """How far the past has come in; None before it begins. Raises DemoError where it was given up."""
        if self.has_past and self.filler.exit_code:
            raise DemoError(f"the history was not filled:\n{self.filler.tail()}")
        return past.Progress.read(self._filled)

    @property
    def _filled(self) -> Path:
        return self.options.directory / "past.json"

    @property
    def moves_doses(self) -> bool:
        """Whether plans are edited: where platform time is not too fast to do that before their doses are due."""
        return self.options.replay is None and self.options.speed <= FASTEST_EDIT

    def move_doses(self) -> None:
        """Registers the fleet as it is once doses were moved. Plans that are as before stay."""
        run_tool(self.environment, "services.cli", "register", str(self._moved_register))

    @property
    def _moved_register(self) -> Path:
        return self.options.directory / "register-moved.json"

    def _write_register(self) -> None:
        register = str(self.options.directory / "register.json")
        if self.options.replay is None:
            count = ["--homes", str(self.options.homes), "--seed", str(self.options.seed)]
            moved = ["--moved-register", str(self._moved_register)]
            run_tool(self.environment, "device_sim", "fleet", *count, "--register", register, *moved)
        else:
            streamed = [str(self.options.replay), "--people", str(self.options.people), "--write-register", register]
            run_tool(self.environment, "device_sim", "replay", *streamed)

    def _simulator(self) -> list[str]:
        directory, options = self.options.directory, self.options
        files = {name: str(directory / f"{name}.json{'l' if name != 'summary' else ''}") for name in
                 ("oracle", "truth", "summary")}  # fmt: skip
        common = [
            "--register", str(directory / "register.json"), "--host", self.embedded.mqtt_host,
            "--port", str(self.embedded.mqtt_port), "--resend-after", "5", "--oracle", files["oracle"],
            "--summary", files["summary"], "--state", str(directory / "outboxes"), "--drain-s", f"{DRAIN_S:.0f}",
        ]  # fmt: skip
        if options.replay is None:
            return ["device_sim", "run", *common, "--seed", str(options.seed), "--truth", files["truth"]]
        mapped = ["--people", str(options.people), "--map", str(directory / "people.json")]
        return ["device_sim", "replay", str(options.replay), *common, *mapped]

    def _filler(self) -> list[str]:
        register, end_ms = str(self.options.directory / "register.json"), str(self.clock.origin_ms)
        return [
            "deploy.demo.fill", "--register", register, "--report", str(self._filled), "--end-ms", end_ms,
            "--seed", str(self.options.seed),
        ]  # fmt: skip

    def _start_mailbox(self) -> Controller:
        mailbox = Controller(Mailbox(self.options.directory / "mail"), hostname="127.0.0.1", port=self._mail_port)
        mailbox.start()
        return mailbox

    def _wait_for_console(self, timeout_s: float = 30.0) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self.services.alive:
                raise DemoError(f"the services ended:\n{self.services.tail()}")
            try:
                with urlopen(f"{self.console_url}/healthz", timeout=2):  # noqa: S310 - loopback http
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        raise DemoError(f"the console did not answer within {timeout_s:.0f} s:\n{self.services.tail()}")
