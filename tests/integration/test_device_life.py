"""A device's credential from its claim to its end, by the commands, on real mosquitto with a follower beside it."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from deploy.local.ports import free_port
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.services import ServiceProcess
from schemas.broker_access import new_secret
from schemas.database_access import role_of, signed_in_as
from schemas.metrics import METRICS
from schemas.topics import UP, shard_of
from services.cli.command import make_app
from services.cli.follow import Follower
from services.runtime.broker_files import BrokerFiles
from services.runtime.clock import WallClock
from services.runtime.database import load_queries, open_pool
from services.runtime.logs import logger
from services.runtime.metrics import Metrics
from services.runtime.roles import grant_roles
from services.runtime.settings import BrokerSettings, DatabaseSettings, MqttSettings
from services.watch.core import Kind
from services.watch.database import DatabaseProbe
from services.watch.service_endpoints import read_page
from tests.integration.mqtt_peer import ACCEPTED, Peer

pytestmark = pytest.mark.full_stack
WITHIN_S = 60.0
DONE, NO, USAGE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class World:
    """A mosquitto, a database, and the follower between them."""

    dsn: str
    stack: Stack
    follower: ServiceProcess
    page: int
    """The port of the follower's metrics."""

    @property
    def directory(self) -> Path:
        return self.stack.settings.server_directory("mosquitto")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """A command where neither files nor process of the broker are: exit code, output, what it said."""
        environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HB_")}
        environment |= {"HB_DB_DSN": self.dsn, "HB_BROKER_KIND": "followed"}
        ended = CliRunner().invoke(make_app(), ["device", *arguments], env=environment)
        return ended.exit_code, ended.stdout, " ".join(ended.stderr.split())

    def say(self, *arguments: str) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code == DONE, err
        return json.loads(out)

    def sql(self, statement: str, *arguments: object) -> None:
        async def execute() -> None:
            connection = await asyncpg.connect(self.dsn)
            try:
                await connection.execute(statement, *arguments)
            finally:
                await connection.close()

        asyncio.run(execute())

    def registered(self, name: str) -> str:
        """A device that is registered and has no secret yet, as a register file leaves it."""
        self.sql(
            "with home as (insert into homes (home_id, label, time_zone) values ($1, $2, 'Europe/London')"
            " returning home_no) insert into devices (device, device_type, home_no, shard, registered_at)"
            " select $2, 'wearable_band', home_no, $3, now() from home",
            uuid4(),
            name,
            shard_of(name),
        )
        return name

    def activated(self, name: str) -> str:
        """The secret of a new device that has come by a claim; the broker lets it in."""
        code = self.say("claim", self.registered(name))["code"]
        secret: str = self.say("activate", code)["secret"]
        self.until(lambda: self.lets_in(name, secret), f"{name} is let in")
        return secret

    def platform(self, name: str) -> Peer:
        return Peer(self.stack.mqtt_platform_port, name, self.stack.platform_secrets[name])

    def peer(self, name: str, secret: str) -> Peer:
        return Peer(self.stack.mqtt_port, name, secret)

    def lets_in(self, name: str, secret: str) -> bool:
        with self.peer(name, secret) as peer:
            return peer.refusal == 0

    def waits_for_the_broker(self) -> bool:
        """Whether the follower's page says so; watch reads it, and operators hear of it."""
        answer = httpx.get(f"http://127.0.0.1:{self.page}/metrics").raise_for_status()
        return bool(read_page("follow", answer.text).conditions)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"not within {WITHIN_S:.0f} s: {what}\n{self.follower.tail()}"
            time.sleep(0.1)


async def _give_role(dsn: str, secret: str) -> None:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        await grant_roles(pool, {"follow": secret}, bus_of_tables=False)


@pytest.fixture(scope="module")
def world(embedded_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    secret = new_secret()
    asyncio.run(_give_role(embedded_dsn, secret))
    stack = Stack(StackSettings(name=f"test-life-{os.getpid()}", servers=("mosquitto",)))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HB_")}
    page = free_port()
    environment |= {
        "HB_DB_DSN": signed_in_as(embedded_dsn, role_of("follow"), secret),
        "HB_METRICS_PORT": str(page),
        "HB_BROKER_DIRECTORY": str(stack.settings.server_directory("mosquitto")),
    }
    try:
        stack.start()
        environment["HB_MQTT_PASSWORDS"] = json.dumps({"sessions-0": stack.platform_secrets["sessions-0"]})
        arguments = ["services.cli", "device", "follow"]
        follower = ServiceProcess("follow", arguments, environment, tmp_path_factory.mktemp("life") / "follow.log")
        follower.start()
        try:
            yield World(embedded_dsn, stack, follower, page)
            assert follower.alive, follower.tail()
        finally:
            follower.stop()
    finally:
        stack.stop()
        stack.erase()


def test_a_device_lives_from_its_claim_to_its_end_and_the_others_stay_connected(world: World) -> None:
    band, scale = "life-band", "life-scale"
    first, of_scale = world.activated(band), world.activated(scale)
    with world.peer(scale, of_scale) as other, world.platform("ingest-0") as ingest:
        with world.peer(band, first) as peer:
            assert world.run("suspend", band)[0] == DONE
            world.until(peer.lost.is_set, "the suspended device is cut off")
        world.until(lambda: not world.lets_in(band, first), "it stays out")

        assert world.run("resume", band)[0] == DONE
        world.until(lambda: world.lets_in(band, first), "it is let in again, by the secret that it had")

        with world.peer(band, first) as peer:
            second = world.say("rotate", band)["secret"]
            world.until(peer.lost.is_set, "a connection with the old secret ends")
        world.until(lambda: world.lets_in(band, second), "the new secret is good")
        assert not world.lets_in(band, first)

        with world.peer(band, second) as peer:
            assert world.run("revoke", band)[0] == DONE
            world.until(peer.lost.is_set, "the revoked device is cut off")
        # It comes back at once, also between two steps of what cuts it off: never to stay.
        world.until(lambda: not _stays(world, band, second), "it stays out")
        for step in ("resume", "rotate", "claim", "suspend", "revoke"):
            code, _, said = world.run(step, band)
            assert (code, f"there is no {step} from there" in said) == (NO, True), said

        assert world.run("wipe", band)[0] == DONE
        third = world.say("activate", world.say("claim", band)["code"])["secret"]
        world.until(lambda: world.lets_in(band, third), "it begins anew")
        assert world.run("remove", band)[0] == DONE
        world.until(lambda: not world.lets_in(band, third), "a removed device is out")

        assert not ingest.lost.is_set()
        assert not other.lost.is_set()
        assert other.publish(UP.of(shard_of(scale), scale), b"a weight") in ACCEPTED


def _stays(world: World, band: str, secret: str) -> bool:
    """Whether the broker takes it; then only once that connection has ended, too."""
    with world.peer(band, secret) as peer:
        if taken := peer.refusal == 0:
            world.until(peer.lost.is_set, "who came back is cut off")
        return taken


def test_a_code_is_good_once_and_a_second_time_is_refused_and_operators_hear_of_it(world: World) -> None:
    band = world.registered("twice-band")
    lost = world.say("claim", band)["code"]
    code = world.say("claim", band)["code"]
    assert world.run("activate", lost)[:2] == (NO, "")
    assert world.run("activate", "AAAAA-BBBBB-CCCCC-DDDDD")[:2] == (NO, "")
    secret = world.say("activate", code.lower().replace("-", ""))["secret"]
    assert not asyncio.run(doubts(world.dsn))
    assert world.run("doubted")[0] == DONE

    refused, out, said = world.run("activate", code)
    assert (refused, out, "used before" in said) == (NO, "", True)
    assert asyncio.run(doubts(world.dsn)) == ["1 now."]
    listed, out, _ = world.run("doubted", "--json")
    assert (listed, [row["device"] for row in json.loads(out)]) == (NO, [band])
    # Nobody knows yet who is the thief, so nobody is cut off for it.
    world.until(lambda: world.lets_in(band, secret), "who came first is let in")
    done = [row["command"] for row in world.say("life", band)["changes"]]
    assert done == ["device claim used again", "device activate", "device claim", "device claim"]

    assert world.run("rotate", band, "--after", "60")[0] == DONE
    assert world.run("doubted")[0] == NO, "until then it has the secret that a thief may have got"
    assert asyncio.run(doubts(world.dsn)) == ["1 now."]
    assert world.run("rotate", band)[0] == DONE
    assert world.run("doubted")[0] == DONE
    assert not asyncio.run(doubts(world.dsn))


async def doubts(dsn: str) -> list[str]:
    """What watch would notify operators of, as far as it is about claims."""
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn)), application="test") as pool:
        clock = WallClock()
        probe = DatabaseProbe(pool=pool, sql=load_queries("services.watch"), clock=clock, metrics=Metrics(METRICS))
        found = (await probe.probe(clock.now_ms())).conditions
        return [one.detail for one in found if one.kind is Kind.CLAIM_USED_AGAIN]


def test_a_code_that_is_over_or_withdrawn_gives_nothing(world: World) -> None:
    band = world.registered("late-band")
    over = world.say("claim", band, "--hours", "1")["code"]
    world.sql("update device_claims set made_at = made_at - interval '2 h', ends_at = ends_at - interval '2 h'")
    code, out, said = world.run("activate", over)
    assert (code, out, "is over" in said) == (NO, "", True)
    withdrawn = world.say("claim", band)["code"]
    assert world.run("revoke", band)[0] == DONE
    code, out, said = world.run("activate", withdrawn)
    assert (code, out, "was withdrawn" in said) == (NO, "", True)
    assert world.say("life", band)["state"] == "registered"


def test_a_secret_that_is_good_later_ends_no_connection_before(world: World) -> None:
    band = "overlap-band"
    old = world.activated(band)
    with world.peer(band, old) as peer:
        new = world.say("rotate", band, "--after", "60")
        assert new["good_from"] is not None
        # Whatever the follower does for another device, this one is as it was.
        world.activated("beside-band")
        assert not peer.lost.is_set()
        assert not world.lets_in("overlap-band", new["secret"])
    world.sql("update device_credentials set next_from = now() where next_from is not null")
    world.until(lambda: world.lets_in(band, new["secret"]), "the new secret has come into force")
    assert not world.lets_in(band, old)


def test_what_a_command_left_half_done_is_done_again(world: World) -> None:
    band = "half-band"
    secret = world.activated(band)
    # A command wrote the files and ended before its transaction did.
    passwords, unfinished = world.directory / "passwords", world.directory / "unfinished"
    whole = passwords.read_text()
    passwords.write_text("".join(f"{line}\n" for line in whole.splitlines() if not line.startswith(band)))
    unfinished.write_text(f"{band}\n")
    world.until(lambda: passwords.read_text() == whole and not unfinished.exists(), "the files are mended")
    world.until(lambda: world.lets_in(band, secret), "who is registered is let in")
    assert {(world.directory / name).stat().st_mode & 0o777 for name in ("passwords", "acl")} == {0o600}


async def test_two_followers_of_one_broker_end_each_session_once(world: World) -> None:
    band = "two-band"
    secret = await asyncio.to_thread(world.activated, band)
    # Nobody but these two: what differs has to be theirs.
    await asyncio.to_thread(world.follower.stop)
    files = BrokerFiles(
        BrokerSettings(directory=world.directory),
        MqttSettings(passwords={"sessions-0": SecretStr(world.stack.platform_secrets["sessions-0"])}),
    )
    try:
        with world.peer(band, secret) as peer:
            assert (await asyncio.to_thread(world.run, "suspend", band))[0] == DONE
            async with open_pool(DatabaseSettings(dsn=SecretStr(world.dsn)), application="test") as pool:
                one = Follower(pool=pool, clock=WallClock(), files=files, log=logger("follow"))
                assert sorted(await asyncio.gather(one.look(), one.look())) == [0, 1]
                assert peer.lost.wait(WITHIN_S)
                assert await one.look() == 0
    finally:
        world.follower.start()


def test_a_broker_that_starts_again_is_followed_by_its_new_number(world: World) -> None:
    band, gone = "again-band", "gone-band"
    secret, of_gone = world.activated(band), world.activated(gone)
    assert not world.waits_for_the_broker()
    process = world.stack.process("mosquitto")
    process.stop()
    assert world.run("revoke", gone)[0] == DONE
    world.until(world.waits_for_the_broker, "the follower says that it can't do its work")
    process.start()
    process.wait_ready()
    world.until(lambda: world.lets_in(band, secret), "it knows its devices")
    world.until(lambda: not world.lets_in(gone, of_gone), "it was revoked while the broker was away")
    world.until(lambda: not world.waits_for_the_broker(), "the follower does its work again")
    with world.peer(band, secret) as peer:
        assert world.run("revoke", band)[0] == DONE
        world.until(peer.lost.is_set, "it is cut off")


def test_a_follower_without_its_settings_says_which_one_is_missing() -> None:
    environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HB_")}
    ended = CliRunner().invoke(make_app(), ["device", "follow"], env=environment)
    assert (ended.exit_code, "HB_DB_DSN is not set" in ended.stderr) == (USAGE, True)
    address = {"HB_DB_DSN": "postgresql://nobody@127.0.0.1:1/none"}
    ended = CliRunner().invoke(make_app(), ["device", "follow"], env=environment | address)
    assert (ended.exit_code, "HB_BROKER_DIRECTORY" in ended.stderr) == (USAGE, True)
