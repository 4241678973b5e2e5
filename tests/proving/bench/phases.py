"""The phases that load our own platform: light load, sustained load, an outage of the bus, more and more devices."""

import asyncio
import time
from typing import Any, Final

from deploy.local.limits import open_files
from tests.proving.bench.bench import Bench, memory_report
from tests.proving.bench.calibration import loop_us
from tests.proving.bench.notifications import wait_for_notifications

_PRESSES_PER_S: Final = 5.0
_BEFORE_OUTAGE_S: Final = 75
"""By then score's windows hold as many samples of everybody as they ever do, 64 a vital, and may not grow any more."""
_AFTER_OUTAGE_S: Final = 45
OTHER_FILES: Final = 200
"""What the broker and the generator have open besides a connection for each device."""


def latency(bench: Bench) -> dict[str, Any]:
    """A light load, some of whose people press their SOS button: device to row, device to the doctor's notification."""
    bench.register(bench.options.devices)
    seconds = bench.options.latency_s
    done = bench.load(bench.options.light_per_s, seconds, what="latency", presses_per_s=_PRESSES_PER_S)
    bench.say("waiting for the last notification")
    notifications = asyncio.run(wait_for_notifications(bench.platform.stack.dsn, done.summary["presses"], bench.inbox))
    return done.described() | {
        "device_to_notification_ms": notifications,
        "cpu_us_per_reading": done.cpu_us_per_reading,
        "memory_mb": memory_report(done.memory),
    }


def sustained(bench: Bench) -> dict[str, Any]:
    """As many uplinks as must be held for minutes, with the memory of each service."""
    bench.register(bench.options.devices)
    done = bench.load(bench.options.sustained_per_s, bench.options.sustained_s, what="sustained")
    return done.described() | {
        "cpu_us_per_reading": done.cpu_us_per_reading,
        "loop_us": loop_us(),
        "memory_mb": memory_report(done.memory),
        "rss_mb": {name: found.most_mb for name, found in done.memory.items()},
    }


def outage(bench: Bench) -> dict[str, Any]:
    """Apache Kafka stands still under a light load, then goes on: what waits at the broker and in the devices comes."""
    bench.register(bench.options.devices)
    kafka = bench.platform.stack.process("kafka")

    def stand_still() -> None:
        bench.say("outage: a while in peace")
        time.sleep(_BEFORE_OUTAGE_S)
        kafka.freeze()
        try:
            bench.say(f"outage: Apache Kafka stands still for {bench.options.outage_s} s")
            time.sleep(bench.options.outage_s)
        finally:
            kafka.thaw()

    seconds = _BEFORE_OUTAGE_S + bench.options.outage_s + _AFTER_OUTAGE_S
    done = bench.load(bench.options.light_per_s, seconds, what="outage", during=stand_still)
    return done.described() | {"outage_s": bench.options.outage_s, "memory_mb": memory_report(done.memory)}


def growth(bench: Bench) -> dict[str, Any]:
    """The same load from more and more devices, each with a connection of its own, as many as files may be open."""
    steps = []
    most = open_files() - OTHER_FILES
    for devices in sorted({min(devices, most) for devices in bench.options.growth_devices}):
        bench.register(devices)
        done = bench.load(bench.options.growth_per_s, bench.options.growth_s, what=f"growth, {devices:,} devices")
        steps.append(
            done.described()
            | {
                "devices": devices,
                "cpu_us_per_reading": done.cpu_us_per_reading,
                "rss_mb": {name: found.most_mb for name, found in done.memory.items()},
            }
        )
    return {"devices": steps}
