"""What the lines of the matrix stand on: servers, services, devices, and somewhere for notifications to arrive."""

import asyncio
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg

from deploy.local.ports import free_port
from deploy.local.settings import SERVERS, StackSettings
from deploy.local.stack import Stack
from deploy.platform.clock import SharedClock
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from deploy.platform.ready import wait_ready
from deploy.reconcile.accounts import Published, Uplink
from schemas.broker_access import BROKER_COUNTER, Grant
from tests.proving.chaos.mailbox import Inbox, open_inbox
from tests.proving.faults.proxy import Mode, Proxy, open_proxy
from tests.proving.faults.receiver import Receiver, open_receiver

Say = Callable[[str], None]
OPERATORS: Final = "operators"
FEW: Final = 100
"""Of the bands, for lines that are not about their number."""
_HEAD_START_S: Final = 12.0
SNAPSHOT_S: Final = 3.0
"""By then ingest has read what changed in the registry."""


class CriterionError(AssertionError):
    """What a line asks for did not hold."""


def expect(holds: object, what: str) -> None:
    """Raises CriterionError with ``what`` went wrong."""
    if not holds:
        raise CriterionError(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestbedKind:
    """A kind of testbed. Lines of one kind share one testbed, one after the other."""

    name: str
    rate: float = 1.0
    bands: int = 0
    homes: int = 0
    mqtt_persistence: bool = False
    mqtt_max_queued: int = 1_000_000


PLAIN: Final = TestbedKind(name="plain", bands=1000)
"""The broker keeps nothing; proxies stand before Kafka for ingest, before the database for store and api, and
before the broker for devices."""
DURABLE: Final = TestbedKind(name="durable", bands=FEW, mqtt_persistence=True)
"""The broker writes its memory down."""
SHORT: Final = TestbedKind(name="short", bands=FEW, mqtt_max_queued=500)
"""The broker keeps nothing, and at most 500 messages for a reader that is away."""
HOMES: Final = TestbedKind(name="homes", rate=120.0, homes=30)
"""People with incidents, two platform minutes a second."""
KINDS: Final = (PLAIN, DURABLE, SHORT, HOMES)


@dataclass(slots=True, kw_only=True)
class Testbed:
    """A platform that runs, and all that a line may do to it."""

    kind: TestbedKind
    platform: Platform
    clock: SharedClock
    fleet: Fleet
    hand: Fleet
    inbox: Inbox
    receiver: Receiver
    proxies: Mapping[str, Proxy]
    directory: Path
    say: Say
    chance: Random
    quick: bool = False
    oracle: dict[Uplink, Published] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    @property
    def stack(self) -> Stack:
        """The servers."""
        return self.platform.stack

    @property
    def dsn(self) -> str:
        """The database, past every proxy."""
        return self.stack.dsn

    def fresh(self, name: str) -> Path:
        """A path that no other line has used."""
        self.runs += 1
        return self.directory / f"{name}-{self.runs}"

    def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Asks the database."""
        return asyncio.run(_fetch(self.dsn, sql, arguments))

    def value(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        rows = self.rows(sql, *arguments)
        return rows[0][0] if rows else None

    def until(self, holds: Callable[[], object], what: str, *, within_s: float = 30.0) -> float:
        """Real seconds until it holds. Raises CriterionError."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > within_s:
                raise CriterionError(f"not within {within_s:.0f} s: {what}")
            time.sleep(0.05)
        return time.monotonic() - began

    def notified_operators(self, what: str) -> bool:
        """Whether a notification of watch has named it."""
        return any(what in call.body or what.replace(" ", "_") in call.body for call in self.receiver.of(OPERATORS))

    def restart(self, service: str, **once: str) -> None:
        """Stops a service in good order and starts it, with settings for this one life."""
        process = self.platform.processes[service]
        process.stop()
        process.start(**once)

    def server_down(self, server: str) -> None:
        """SIGKILL."""
        self.stack.process(server).kill()

    def server_up(self, server: str) -> None:
        """Starts it and waits until it answers."""
        self.stack.process(server).start()
        self.stack.process(server).wait_ready()

    def mend(self) -> None:
        """Takes away whatever a line may have left, and waits until uplinks get through. Raises NotReadyError."""
        for proxy in self.proxies.values():
            proxy.delay_s = proxy.bytes_per_s = 0.0
            proxy.switch(Mode.THROUGH)
        self.receiver.answers.clear()
        for name in SERVERS:
            server = self.stack.process(name)
            server.thaw()
            if not server.alive:
                self.server_up(name)
        for process in self.platform.processes.values():
            process.thaw()
        self.platform.restart_ended()
        wait_ready(self.platform)


async def _fetch(dsn: str, sql: str, arguments: tuple[Any, ...]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn, timeout=10, command_timeout=60)
    try:
        found: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
    finally:
        with suppress(OSError, asyncpg.PostgresError):
            await connection.close(timeout=5)
    return found


@contextmanager
def open_ground(kind: TestbedKind, directory: Path, say: Say, *, quick: bool, seed: int) -> Iterator[Testbed]:
    """A platform of its own, with every device registered and every service at work; ``quick``: with few of them."""
    kind = replace(kind, bands=min(kind.bands, FEW)) if quick else kind
    detour = free_port(), free_port()
    stack = Stack(
        StackSettings(
            name=f"faults-{kind.name}-{os.getpid()}",
            mqtt_persistence=kind.mqtt_persistence,
            mqtt_max_queued=kind.mqtt_max_queued,
            kafka_detour=detour,
            guests={"watch-1": (Grant("read", BROKER_COUNTER),)},
        )
    )
    say(f"{kind.name} testbed: mosquitto, Apache Kafka and TimescaleDB")
    with ExitStack() as opened:
        opened.callback(stack.erase)
        opened.enter_context(stack)
        mail_port = free_port()
        inbox, receiver = opened.enter_context(open_inbox(mail_port)), opened.enter_context(open_receiver())
        ways = {"kafka": detour, "devices": (stack.mqtt_port, free_port())}
        ways |= {name: (_port_of(stack.dsn), free_port()) for name in ("store-db", "api-db")}
        proxies = {name: opened.enter_context(open_proxy(here, there)) for name, (there, here) in ways.items()}
        clock = SharedClock.starting_in(_HEAD_START_S, rate=kind.rate)
        platform = Platform(
            stack, clock, _settings(mail_port, receiver.address(OPERATORS)), directory / "logs",
            _detours(stack, proxies),
        )  # fmt: skip
        opened.enter_context(platform)
        yield _settle_in(
            Testbed(
                kind=kind, platform=platform, clock=clock, inbox=inbox, receiver=receiver, proxies=proxies,
                fleet=Fleet(platform, directory / "fleet", homes=kind.homes, seed=seed),
                hand=Fleet(platform, directory / "hand", homes=4, seed=seed + 1, doctor="hand@example.org"),
                directory=directory, say=say, chance=Random(seed), quick=quick,
            )
        )  # fmt: skip


def _settings(mail_port: int, operators: str) -> dict[str, str]:
    return {
        "HB_MEDICATION_RESEND_AFTER_S": "5",
        "HB_SCORE_RESEND_AFTER_S": "5",
        "HB_ALERT_SMTP_HOST": "127.0.0.1",
        "HB_ALERT_SMTP_PORT": str(mail_port),
        "HB_ALERT_WEBHOOK_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
        "HB_WATCH_EVERY_S": "2",
        "HB_WATCH_WEBHOOK_URL": operators,
        "HB_WATCH_WEBHOOK_SECRET": secrets.token_urlsafe(32),
    }


def _detours(stack: Stack, proxies: Mapping[str, Proxy]) -> dict[str, dict[str, str]]:
    """Which service goes through which proxy."""

    def by_way_of(service: str) -> str:
        return stack.dsn_of(service).replace(f":{_port_of(stack.dsn)}/", f":{proxies[f'{service}-db'].port}/")

    return {
        "ingest": {"HB_BUS_KAFKA": f"127.0.0.1:{proxies['kafka'].port}"},
        "store": {"HB_DB_DSN": by_way_of("store")},
        "api": {"HB_DB_DSN": by_way_of("api")},
    }


def _port_of(dsn: str) -> int:
    return int(dsn.rpartition("/")[0].rpartition(":")[2])


def _settle_in(testbed: Testbed) -> Testbed:
    """Registers everybody, at the database and at the broker; waits until uplinks get through."""
    testbed.say("registering devices")
    if testbed.kind.homes:
        testbed.fleet.register()
    else:
        testbed.fleet.register("--load-devices", str(testbed.kind.bands))
        register = json.loads(testbed.fleet.path("register.json").read_text())
        few = register | {"homes": register["homes"][: FEW // 2]}
        testbed.fleet.path("few.json").write_text(json.dumps(few))
        testbed.hand.register()
    for fleet in (testbed.fleet, testbed.hand):
        if fleet.path("credentials.json").exists():
            testbed.passwords |= json.loads(fleet.path("credentials.json").read_text())
    testbed.fleet.path("credentials.json").write_text(json.dumps(testbed.passwords))
    wait_ready(testbed.platform)
    time.sleep(max(SNAPSHOT_S, -testbed.clock.elapsed_s))
    return testbed
