"""On real mosquitto: what a device and each connection of the platform may not do, and what SIGHUP does."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from schemas.broker_access import BROKER_COUNTER, BrokerUser, device_user, new_secret, verifier_of
from schemas.topics import ACK, COMMANDS, SHARDS, STATUS, UP, shard_of
from services.runtime.broker_files import BrokerFiles, BrokerFilesError
from services.runtime.settings import BrokerSettings, MqttSettings
from tests.integration.mqtt_peer import ACCEPTED, NOT_AUTHORISED, SILENCE_S, Peer, wait_until
from tests.integration.path_world import broker_passwords

pytestmark = pytest.mark.full_stack

CUFF, SCALE = "cuff-1", "scale-1"
CUT_OFF_S = 60.0
SESSION_S = 300


def up(device: str, shard: int | None = None) -> str:
    return UP.of(shard_of(device) if shard is None else shard, device)


def ack(device: str) -> str:
    return ACK.of(shard_of(device), device)


class Broker:
    """A mosquitto alone, and the files by which it knows its devices."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.secrets = {name: new_secret() for name in (CUFF, SCALE)}
        self.suspended: set[str] = set()
        self.apply()

    def files(self) -> BrokerFiles:
        settings = BrokerSettings(
            directory=self.stack.settings.server_directory("mosquitto"), pid=self.stack.process("mosquitto").pid or 0
        )
        return BrokerFiles(settings, MqttSettings(passwords=broker_passwords(self.stack)))

    def users(self) -> list[BrokerUser]:
        return [
            device_user(name, shard_of(name), verifier_of(secret))
            for name, secret in self.secrets.items()
            if name not in self.suspended
        ]

    def apply(self, *changed: str) -> None:
        self.files().apply(self.users(), changed)

    def device(self, name: str, client_id: str | None = None, **how: object) -> Peer:
        return Peer(self.stack.mqtt_port, name, self.secrets[name], client_id, **how)  # type: ignore[arg-type]

    def platform(self, name: str) -> Peer:
        return Peer(self.stack.mqtt_platform_port, name, self.stack.platform_secrets[name])

    @property
    def memory_mb(self) -> float:
        lines = Path(f"/proc/{self.stack.process('mosquitto').pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    stack = Stack(StackSettings(name=f"test-access-{os.getpid()}", servers=("mosquitto",)))
    try:
        stack.start()
        yield Broker(stack)
    finally:
        # Found by its name: one of the tests starts the broker again by another handle.
        again = Stack(stack.settings)
        again.stop()
        again.erase()


@pytest.mark.parametrize(
    "topic",
    [
        pytest.param(up(SCALE), id="another device's uplink"),
        pytest.param(ack(SCALE), id="another device's ack"),
        pytest.param(ack(CUFF), id="its own ack"),
        pytest.param(COMMANDS.of(shard_of(CUFF), CUFF), id="its own commands"),
        pytest.param(STATUS.of(shard_of(SCALE), SCALE), id="another device's status"),
        pytest.param(up(CUFF, (shard_of(CUFF) + 1) % SHARDS), id="another shard"),
        pytest.param(up("watermark", shard_of(CUFF)), id="a watermark marker"),
        pytest.param("$SYS/broker/version", id="$SYS"),
        pytest.param("anything", id="a topic of nobody"),
    ],
)
@pytest.mark.parametrize("retain", [False, True], ids=["live", "retained"])
def test_a_device_may_not_say(broker: Broker, topic: str, *, retain: bool) -> None:
    with broker.platform("trace-0") as everything, broker.device(CUFF) as cuff:
        everything.subscribe("hb/v1/#")
        assert cuff.publish(topic, b"spoofed", retain=retain) == NOT_AUTHORISED
        time.sleep(SILENCE_S)
        assert everything.messages == []


@pytest.mark.parametrize("pattern", ["#", "+/#", "hb/#", "hb/v1/+/+/up", "hb/v1/+/+/ack", ack(SCALE), "$SYS/#"])
def test_a_device_hears_nothing_that_is_not_its_own(broker: Broker, pattern: str) -> None:
    with broker.device(CUFF) as cuff, broker.device(SCALE) as scale, broker.platform("ingest-0-acks") as acks:
        # mosquitto grants the subscription and delivers nothing.
        cuff.subscribe(pattern)
        if pattern.startswith("$SYS"):
            cuff.subscribe(BROKER_COUNTER)
        assert scale.publish(up(SCALE), b"a weight") in ACCEPTED
        assert acks.publish(ack(SCALE), b"for the scale") in ACCEPTED
        time.sleep(6.0 if pattern.startswith("$SYS") else SILENCE_S)
        assert [topic for topic, _ in cuff.messages if topic != ack(CUFF)] == []


def test_a_device_has_what_is_its_own(broker: Broker) -> None:
    with (
        broker.platform("ingest-0") as ingest,
        broker.platform("ingest-0-acks") as acks,
        broker.platform("commands-0") as commands,
        broker.device(CUFF) as cuff,
    ):
        ingest.subscribe("hb/v1/+/+/up")
        cuff.subscribe(ack(CUFF))
        cuff.subscribe(COMMANDS.of(shard_of(CUFF), CUFF))
        assert cuff.publish(up(CUFF), b"a pressure") in ACCEPTED
        assert cuff.publish(STATUS.of(shard_of(CUFF), CUFF), b"online", retain=True) in ACCEPTED
        acks.publish(ack(CUFF), b"settled")
        commands.publish(COMMANDS.of(shard_of(CUFF), CUFF), b"measure")
        cuff.publish(STATUS.of(shard_of(CUFF), CUFF), b"", retain=True)
        wait_until(lambda: ingest.messages == [(up(CUFF), b"a pressure")])
        wait_until(lambda: sorted(text for _, text in cuff.messages) == [b"measure", b"settled"])


def test_a_client_id_is_not_taken_over_by_asking_for_it(broker: Broker) -> None:
    with broker.device(CUFF) as cuff, broker.device(SCALE, client_id=CUFF) as scale:
        time.sleep(SILENCE_S)
        assert not cuff.lost.is_set()
        assert cuff.publish(up(CUFF), b"mine") in ACCEPTED
        assert scale.publish(up(CUFF), b"not mine") == NOT_AUTHORISED


@pytest.mark.parametrize("topic", [up(SCALE), ack(SCALE), ack(CUFF), "$SYS/broker/x"])
def test_a_will_for_somebody_else_is_never_delivered(broker: Broker, topic: str) -> None:
    with broker.platform("trace-0") as everything:
        everything.subscribe("hb/v1/#")
        cuff = broker.device(CUFF, will=(topic, b"last words"))
        cuff.leave_with_will()
        time.sleep(SILENCE_S)
        assert everything.messages == []


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("watch-0", ack(CUFF)),
        ("watch-0", COMMANDS.of(shard_of(CUFF), CUFF)),
        ("watch-0", up(CUFF)),
        ("commands-0", ack(CUFF)),
        ("commands-0", up(CUFF)),
        ("ingest-0", ack(CUFF)),
        ("ingest-0", COMMANDS.of(shard_of(CUFF), CUFF)),
        ("ingest-0-acks", up(CUFF)),
        ("trace-0", ack(CUFF)),
        ("trace-0", up(CUFF)),
        ("sessions-0", ack(CUFF)),
    ],
)
def test_a_connection_of_the_platform_may_not_say_what_is_anothers(broker: Broker, name: str, topic: str) -> None:
    with broker.device(CUFF) as cuff, broker.platform(name) as connection:
        cuff.subscribe(ack(CUFF))
        cuff.subscribe(COMMANDS.of(shard_of(CUFF), CUFF))
        assert connection.publish(topic, b"spoofed") == NOT_AUTHORISED
        time.sleep(SILENCE_S)
        assert cuff.messages == []


@pytest.mark.parametrize("name", ["watch-0", "commands-0", "ingest-0-acks", "sessions-0"])
def test_a_connection_of_the_platform_hears_no_uplinks_that_it_has_no_need_of(broker: Broker, name: str) -> None:
    with broker.device(CUFF) as cuff, broker.platform(name) as connection:
        connection.subscribe("hb/v1/#")
        assert cuff.publish(up(CUFF), b"a pressure") in ACCEPTED
        time.sleep(SILENCE_S)
        assert connection.messages == []


def test_no_two_connections_of_the_platform_share_a_secret(broker: Broker) -> None:
    secrets = broker.stack.platform_secrets
    assert len(set(secrets.values())) == len(secrets)
    with Peer(broker.stack.mqtt_platform_port, "ingest-0", secrets["watch-0"]) as watch:
        assert watch.connected is not None
        assert watch.connected.is_failure


def test_a_new_device_is_known_at_once_and_nobody_loses_connection_or_session(broker: Broker) -> None:
    waiting = broker.device(SCALE, keeps_s=SESSION_S)
    waiting.subscribe(COMMANDS.of(shard_of(SCALE), SCALE))
    waiting.close()
    with broker.device(CUFF) as cuff, broker.platform("commands-0") as commands:
        broker.secrets["band-new"] = new_secret()
        broker.apply()
        wait_until(lambda: is_welcome(broker, "band-new"))
        commands.publish(COMMANDS.of(shard_of(SCALE), SCALE), b"for one who is away")
        assert not cuff.lost.is_set()
        assert not commands.lost.is_set()
    with broker.device(SCALE, keeps_s=SESSION_S) as back:
        wait_until(lambda: [text for _, text in back.messages] == [b"for one who is away"])
    broker.device(SCALE).close()  # ends the kept session


def test_a_removed_device_is_cut_off_while_it_is_connected_and_stays_out(broker: Broker) -> None:
    with broker.device(CUFF) as cuff, broker.device(SCALE) as scale:
        began = time.monotonic()
        broker.suspended.add(CUFF)
        broker.apply(CUFF)
        assert cuff.lost.wait(CUT_OFF_S)
        assert time.monotonic() - began < CUT_OFF_S
        assert not is_welcome(broker, CUFF)
        assert scale.publish(up(SCALE), b"{}") in ACCEPTED
        assert not scale.lost.is_set()
    broker.suspended.clear()
    broker.apply(CUFF)
    wait_until(lambda: is_welcome(broker, CUFF))


def test_a_changed_secret_ends_the_connection_with_the_old_one(broker: Broker) -> None:
    old = broker.secrets[CUFF]
    with broker.device(CUFF) as cuff:
        broker.secrets[CUFF] = new_secret()
        broker.apply(CUFF)
        assert cuff.lost.wait(CUT_OFF_S)
    with Peer(broker.stack.mqtt_port, CUFF, old) as late:
        assert late.connected is not None
        assert late.connected.is_failure
    assert is_welcome(broker, CUFF)


def test_what_differs_is_named_and_a_change_that_was_interrupted_is_to_be_done_again(broker: Broker) -> None:
    broker.apply()
    users = broker.users()
    by_name = {user.name: user for user in users}
    # The broker's number is asked of its socket.
    files = BrokerFiles(
        BrokerSettings(directory=broker.stack.settings.server_directory("mosquitto")),
        MqttSettings(passwords=broker_passwords(broker.stack)),
    )
    files.check()
    files.apply(users)
    assert files.differing(users) is None
    others = [user for user in users if user.name != CUFF]
    assert files.differing(others) == frozenset({CUFF})
    assert files.differing([*others, by_name[CUFF]._replace(verifier=verifier_of(new_secret()))]) == frozenset({CUFF})
    assert files.differing([*others, by_name[CUFF]._replace(grants=by_name[CUFF].grants[:1])]) == frozenset({CUFF})
    assert files.differing([*users, device_user("band-x", 0, verifier_of(new_secret()))]) == frozenset()
    fixed = broker.stack.settings.server_directory("mosquitto") / "fixed-passwords"
    known = fixed.read_text()
    fixed.write_text(re.sub(r":.*", f":{verifier_of(new_secret())}", known, count=1))
    assert files.differing(users) == frozenset(), "a session of the platform holds what devices have sent"
    fixed.write_text(known)
    with broker.device(CUFF) as cuff, broker.device(SCALE) as scale:
        # Its process ended after the files were written, and before anybody's session was.
        broker.stack.settings.server_directory("mosquitto").joinpath("unfinished").write_text(f"{CUFF}\n")
        assert files.differing(users) == frozenset({CUFF})
        files.apply(users)
        assert cuff.lost.wait(CUT_OFF_S)
        assert not scale.lost.is_set()
    assert files.differing(users) is None


def test_secrets_that_change_while_their_devices_are_away_do_not_end_the_broker(broker: Broker) -> None:
    """Version 2.0 notes such a session for expiry twice and crashes when it is over, unless it was ended before."""
    pid = broker.stack.process("mosquitto").pid
    names = [f"away-{number}" for number in range(20)]
    broker.secrets |= {name: new_secret() for name in names}
    broker.apply()
    for _ in range(3):
        for name in names:
            peer = broker.device(name, keeps_s=1)
            peer.subscribe(ack(name))
            peer.close()
        broker.secrets |= {name: new_secret() for name in names}
        broker.apply(*names)
        broker.apply()  # of some other change, soon after
        time.sleep(2.5)  # the sessions would be over
    for name in names:
        assert is_welcome(broker, name)
    assert broker.stack.process("mosquitto").pid == pid
    assert broker.stack.process("mosquitto").alive


def test_a_flood_of_retained_messages_leaves_the_brokers_memory_bounded_and_others_served(broker: Broker) -> None:
    big = b"x" * 60_000
    with broker.device(CUFF) as cuff, broker.device(SCALE) as scale, broker.platform("ingest-0") as ingest:
        before = broker.memory_mb
        for number in range(800):
            topic = up(CUFF, number % SHARDS) if number % 2 else f"hb/v1/{number}/{CUFF}/status"
            cuff.publish(topic, big, retain=True)
        assert broker.memory_mb - before < 20
        ingest.subscribe("hb/v1/+/+/up")
        assert scale.publish(up(SCALE), b"a weight") in ACCEPTED
        wait_until(lambda: (up(SCALE), b"a weight") in ingest.messages)
        # What it may leave is one message on each of its own two topics.
        kept = [topic for topic, text in ingest.messages if text == big]
        assert set(kept) <= {up(CUFF)}
        ingest.publish(up(CUFF), b"", retain=True)


def test_a_packet_that_is_too_big_ends_its_connection_alone(broker: Broker) -> None:
    with broker.device(SCALE) as scale, ExitStack() as stack:
        cuff = stack.enter_context(broker.device(CUFF))
        cuff.send_unanswered(up(CUFF), b"x" * 70_000)
        assert cuff.lost.wait(10)
        assert scale.publish(up(SCALE), b"{}") in ACCEPTED


def is_welcome(broker: Broker, name: str) -> bool:
    with broker.device(name) as peer:
        return peer.refusal == 0


def missing_file(settings: BrokerSettings) -> BrokerSettings:
    assert settings.directory is not None
    return settings.model_copy(update={"directory": settings.directory.parent})


def another_program(settings: BrokerSettings) -> BrokerSettings:
    return settings.model_copy(update={"pid": os.getpid()})


@pytest.mark.parametrize(
    ("change", "named"), [(missing_file, "HB_BROKER_DIRECTORY"), (another_program, "HB_BROKER_PID")]
)
def test_a_wrong_setting_is_named_before_anything_is_written(
    broker: Broker, change: Callable[[BrokerSettings], BrokerSettings], named: str
) -> None:
    right = BrokerSettings(
        directory=broker.stack.settings.server_directory("mosquitto"), pid=broker.stack.process("mosquitto").pid or 0
    )
    with pytest.raises(BrokerFilesError, match=named):
        BrokerFiles(change(right), MqttSettings(passwords={"sessions-0": SecretStr("x")})).check()


def test_a_restart_keeps_the_devices_and_admits_connections_of_the_platform_that_are_new(broker: Broker) -> None:
    settings = broker.stack.settings
    names = (*settings.platform_users, "trace-1")
    newer = Stack(replace(settings, platform_users=names))
    mosquitto = newer.process("mosquitto")
    mosquitto.stop()
    mosquitto.start()
    mosquitto.wait_ready()
    try:
        assert is_welcome(broker, CUFF)
        with Peer(newer.mqtt_platform_port, "trace-1", newer.platform_secrets["trace-1"]) as added:
            assert added.refusal == 0
        with Peer(newer.mqtt_platform_port, "ingest-0", broker.stack.platform_secrets["ingest-0"]) as known:
            assert known.refusal == 0
    finally:
        broker.stack = newer


def test_a_crowd_of_devices_leaves_the_platforms_listener_free() -> None:
    settings = StackSettings(name=f"test-cap-{os.getpid()}", servers=("mosquitto",), mqtt_device_connections=3)
    stack = Stack(settings)
    names = [f"band-{number}" for number in range(5)]
    secrets = {name: new_secret() for name in names}
    try:
        stack.start()
        stack.register_devices(secrets)
        with ExitStack() as connections:
            for name in names[:3]:
                peer = connections.enter_context(Peer(stack.mqtt_port, name, secrets[name]))
                assert peer.refusal == 0
            with pytest.raises((AssertionError, OSError)):
                connections.enter_context(Peer(stack.mqtt_port, names[3], secrets[names[3]]))
            ingest = connections.enter_context(
                Peer(stack.mqtt_platform_port, "ingest-0", stack.platform_secrets["ingest-0"])
            )
            assert ingest.refusal == 0
    finally:
        stack.stop()
        stack.erase()


def test_the_files_are_for_the_broker_alone(broker: Broker) -> None:
    directory = broker.stack.settings.server_directory("mosquitto")
    modes = {name: (directory / name).stat().st_mode & 0o777 for name in ("passwords", "acl", "fixed-passwords")}
    assert set(modes.values()) == {0o600}, json.dumps(modes)
    assert directory.stat().st_mode & 0o777 == 0o700
