"""The phase with two platforms side by side: what TLS and rights cost, and how soon all devices are back by TLS."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any, Final

from deploy.local.ports import free_port
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from tests.proving.bench.bench import Bench, Loaded, Say
from tests.proving.bench.notifications import open_inbox
from tests.proving.bench.options import Options

_BEFORE_S: Final = 15
_AFTER_S: Final = 135
"""By then everybody has to be there again."""


def encryption(options: Options, say: Say) -> dict[str, Any]:
    """The same load on a plain and on an encrypted platform in turns; then the encrypted broker begins anew."""
    say("starting a plain and an encrypted stack")
    with ExitStack() as both:
        plain, encrypted = (both.enter_context(_open(options, say, tls=tls)) for tls in (False, True))
        loads: dict[str, list[Loaded]] = {"plain": [], "encrypted": []}
        for turn in range(options.encryption_turns):
            for name, bench in (("plain", plain), ("encrypted", encrypted)):
                bench.register(options.devices)
                what = f"encryption, turn {turn + 1}: {name}"
                loads[name].append(bench.load(options.growth_per_s, options.encryption_s, what=what))
        storm = _storm(encrypted)
    costs = {name: [sum(one.cpu_us_per_reading.values()) for one in found] for name, found in loads.items()}
    return {
        "plain": [one.described() | {"cpu_us_per_reading": one.cpu_us_per_reading} for one in loads["plain"]],
        "encrypted": [one.described() | {"cpu_us_per_reading": one.cpu_us_per_reading} for one in loads["encrypted"]],
        "cpu_ratio": cost_ratio(costs["encrypted"], costs["plain"]),
        "storm": storm.described() | {"devices": options.storm_devices, "away_s": storm.summary["away_s"]},
    }


def cost_ratio(encrypted: list[float], plain: list[float]) -> float:
    """Of each turn's two loads, which come one right after the other: the median, as machines change their speed."""
    return median(one / other for one, other in zip(encrypted, plain, strict=True))


def _storm(bench: Bench) -> Loaded:
    """All devices lose the broker at once, and connect again; the generator says for how long not all were there."""
    bench.register(bench.options.storm_devices)
    broker = bench.platform.stack.process("mosquitto")

    def begin_anew() -> None:
        bench.say("storm: a while in peace")
        time.sleep(_BEFORE_S)
        bench.say("storm: the broker begins anew")
        broker.stop()
        broker.start()
        broker.wait_ready()

    return bench.load(bench.options.light_per_s, _BEFORE_S + _AFTER_S, what="storm", during=begin_anew)


@contextmanager
def _open(options: Options, say: Say, *, tls: bool) -> Iterator[Bench]:
    stack = Stack(StackSettings(name=f"bench-{os.getpid()}-{'tls' if tls else 'plain'}", tls=tls, mqtt_inflight=0))
    try:
        # Nobody presses a button here, so no mail is sent: the inbox is only there to be known.
        with stack, open_inbox(free_port()) as inbox, Platform(stack) as platform:
            fleet = Fleet(platform, stack.settings.run_directory / "fleet", homes=0, seed=1)
            yield Bench(options=options, platform=platform, fleet=fleet, inbox=inbox, say=say)
    finally:
        stack.erase()
