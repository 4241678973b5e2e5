"""Against Telegraf on the same servers: the same uplinks wait at the broker, and each takes them as fast as it can."""

import asyncio
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from deploy.platform.ready import wait_ready
from tests.proving.bench import telegraf
from tests.proving.bench.bench import Bench, LoadError
from tests.proving.bench.books import ITEMS
from tests.proving.bench.drain import Drained, cost, inserted, speed, watch_drain
from tests.proving.bench.usage import measure, pids_of

USER: Final = telegraf.USER
NOT_RUN: Final = "not run: telegraf is not on PATH"
_OFFERED_PER_S: Final = 20_000
_SENT_WITHIN_S: Final = 240.0
_DRAINED_WITHIN_S: Final = 300.0
_NO_RESENDS_S: Final = 3600.0
_CONNECTED_WITHIN_S: Final = 20.0
_SUBSCRIBED_AFTER_S: Final = 1.0
_INGEST: Final = "ingest-0"
_STARTED: Final = '"started"'


def compare(bench: Bench) -> dict[str, Any]:
    """Ours with every service on, then Telegraf with our services off; the ratios of the two."""
    program = telegraf.find_telegraf()
    if program is None:
        return {"not_run": NOT_RUN}
    bench.register(bench.options.devices)
    ours = _ours(bench)
    bench.platform.stop()
    try:
        _forget_session(bench, _INGEST)
        theirs = _theirs(bench, program)
    finally:
        bench.platform.start()
        wait_ready(bench.platform)
    return theirs.described() | {
        "throughput_ratio": ours.rows_per_s / theirs.rows_per_s if theirs.rows_per_s else None,
        "cpu_ratio": ours.cpu_us_per_row / theirs.cpu_us_per_row,
        "ours": ours.described(),
        "peer": telegraf.version_of(program),
        "uplinks": bench.options.peer_uplinks,
    }


def _ours(bench: Bench) -> Drained:
    """Ingest is away while the uplinks come, then takes them; ends when the last device has its acknowledgement."""
    platform, rows = bench.platform, ITEMS * bench.options.peer_uplinks
    pids = pids_of(platform)
    began = measure(pids)
    platform.processes["ingest"].stop()
    generator = bench.generator(
        _OFFERED_PER_S, bench.options.peer_uplinks / _OFFERED_PER_S, drain_s=300, resend_after_s=_NO_RESENDS_S
    )
    generator.start()
    try:
        bench.say("peer: uplinks gather at the broker for ours")
        bench.wait_for_stage(generator, "sent", _SENT_WITHIN_S)
        before = asyncio.run(inserted(platform.stack.dsn, "readings"))
        platform.processes["ingest"].start()
        pids = pids_of(platform)
        _wait_for_ingest(bench)
        drains = measure(pids)
        seen = watch_drain(
            platform.stack.dsn,
            "readings",
            rows,
            before=before,
            within_s=_DRAINED_WITHIN_S,
            say=lambda line: bench.say(f"peer: ours, {line}"),
            check=platform.check_alive,
        )
        bench.wait_for_stage(generator, "ended", _SENT_WITHIN_S)
        wait_ready(platform)
        cpu_us = cost(began, drains, pids, rows)
        generator.wait(60)
    finally:
        generator.stop()
    if not bench.fleet.summary()["drained"]:
        raise LoadError("not every uplink of the peer's phase was acknowledged")
    return Drained(rows_per_s=speed(seen, rows), cpu_us=cpu_us)


def _theirs(bench: Bench, program: str) -> Drained:
    """Telegraf's session waits at the broker while the uplinks come; then it takes them."""
    stack, rows = bench.platform.stack, ITEMS * bench.options.peer_uplinks
    asyncio.run(telegraf.make_table(stack.dsn))
    directory = bench.fleet.directory
    with telegraf.telegraf(program, stack, directory) as child:
        _wait_for_session(child, directory)
        time.sleep(_SUBSCRIBED_AFTER_S)
    servers = {name: stack.process(name).pid or 0 for name in ("mosquitto", "postgresql")}
    began = measure(servers)
    generator = bench.generator(
        _OFFERED_PER_S, bench.options.peer_uplinks / _OFFERED_PER_S, drain_s=0, resend_after_s=_NO_RESENDS_S
    )
    generator.start()
    try:
        bench.say("peer: uplinks gather at the broker for Telegraf")
        bench.wait_for_stage(generator, "ended", _SENT_WITHIN_S)
        generator.wait(60)
    finally:
        generator.stop()
    before = asyncio.run(inserted(stack.dsn, telegraf.TABLE))
    with telegraf.telegraf(program, stack, directory) as child:
        pids = servers | {"telegraf": child.pid}
        _wait_for_session(child, directory)
        drains = measure(pids)
        seen = watch_drain(
            stack.dsn,
            telegraf.TABLE,
            rows,
            before=before,
            within_s=_DRAINED_WITHIN_S,
            say=lambda line: bench.say(f"peer: Telegraf, {line}"),
            check=lambda: _check_alive(child, directory),
        )
        cpu_us = cost(began, drains, pids, rows)
    _forget_session(bench, USER)
    return Drained(rows_per_s=speed(seen, rows), cpu_us=cpu_us)


def _wait_for_ingest(bench: Bench) -> None:
    """Returns when it says that it has started: its start-up is over then."""
    ingest = bench.platform.processes["ingest"]
    lines = ingest.log.read_text(errors="replace").count(_STARTED)
    deadline = time.monotonic() + _CONNECTED_WITHIN_S
    while ingest.log.read_text(errors="replace").count(_STARTED) == lines:
        bench.platform.check_alive()
        if time.monotonic() > deadline:
            raise LoadError("ingest did not start")
        time.sleep(0.02)


def _check_alive(child: subprocess.Popen[bytes], directory: Path) -> None:
    if child.poll() is not None:
        raise LoadError(f"telegraf ended with {child.poll()}:\n{telegraf.log_of(directory)[-2000:]}")


def _wait_for_session(child: subprocess.Popen[bytes], directory: Path) -> None:
    """Returns when it says that the broker has taken it; its start-up is over then."""
    deadline = time.monotonic() + _CONNECTED_WITHIN_S
    while telegraf.CONNECTED not in telegraf.log_of(directory):
        _check_alive(child, directory)
        if time.monotonic() > deadline:
            raise LoadError(f"telegraf did not connect:\n{telegraf.log_of(directory)[-2000:]}")
        time.sleep(0.02)


def _forget_session(bench: Bench, user: str) -> None:
    """Ends the session of ``user`` at the broker, so that nothing gathers for it any more."""
    stack = bench.platform.stack
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=paho.MQTTv5)
    client.username_pw_set(user, stack.platform_secrets[user])
    client.connect(stack.mqtt_host, stack.mqtt_port, clean_start=True)
    deadline = time.monotonic() + _CONNECTED_WITHIN_S
    while not client.is_connected() and time.monotonic() < deadline:
        client.loop(0.1)
    client.disconnect()
    client.loop(0.1)
