"""One bench: a stack and a platform of its own, the phases one after the other."""

import asyncio
import os
import resource
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from deploy.local.ports import free_port
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from schemas.broker_access import Grant
from schemas.topics import UP
from tests.proving.bench import batches, encryption, peer, phases, score_state, trial
from tests.proving.bench.bench import Bench, Say
from tests.proving.bench.ceiling import copy_rows_per_s
from tests.proving.bench.goals import judge_goals
from tests.proving.bench.notifications import open_inbox
from tests.proving.bench.options import Options, Phase

PHASES: Final[Mapping[Phase, Callable[[Bench], dict[str, Any]]]] = MappingProxyType(
    {
        Phase.LATENCY: phases.latency,
        Phase.SUSTAINED: phases.sustained,
        Phase.OUTAGE: phases.outage,
        Phase.PEER: peer.compare,
        Phase.GROWTH: phases.growth,
        Phase.STATE: score_state.state,
        Phase.TRIAL: trial.trial,
    }
)


def run_bench(options: Options, say: Say) -> dict[str, Any]:
    """Runs on servers of its own, empty at first; gives the report."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the generator's, which inherits it: one a device
    # Before any server runs: it has its core to itself.
    alone: dict[str, Any] = {}
    if Phase.MODELS in options.phases:
        alone[Phase.MODELS] = batches.batches(options, say)
    if Phase.ENCRYPTION in options.phases:
        alone[Phase.ENCRYPTION] = encryption.encryption(options, say)
    if alone.keys() >= set(options.phases):
        return alone | _highlights(alone)
    stack = Stack(
        StackSettings(
            name=f"bench-{os.getpid()}",
            guests={peer.USER: (Grant("read", f"hb/v1/+/+/{UP.leaf}"),)},
            mqtt_inflight=0,  # Telegraf's own window is the limit; ingest asks for one of its own
        )
    )
    mail_port = free_port()
    say("starting mosquitto, Apache Kafka and TimescaleDB")
    try:
        with stack, open_inbox(mail_port) as inbox:
            report: dict[str, Any] = alone | {
                "settings": stack.server_settings() | {"acks": "all", "versions": stack.versions()},
                "options": {"devices": options.devices},
            }
            overrides = {"HB_ALERT_SMTP_HOST": "127.0.0.1", "HB_ALERT_SMTP_PORT": str(mail_port)}
            if Phase.TRIAL in options.phases:
                folder = trial.with_other_fits(stack.settings.run_directory / "artefacts")
                overrides["HB_SCORE_ARTEFACTS"] = str(folder)
            with Platform(stack, overrides=overrides) as platform:
                fleet = Fleet(platform, stack.settings.run_directory / "fleet", homes=0, seed=1)
                bench = Bench(options=options, platform=platform, fleet=fleet, inbox=inbox, say=say)
                for phase in [one for one in options.phases if one in PHASES]:
                    report[phase] = PHASES[phase](bench)
            say("measuring the database's ceiling")
            report["ceiling"] = {"copy_rows_per_s": round(asyncio.run(copy_rows_per_s(stack.dsn)))}
    finally:
        stack.erase()
    return report | _highlights(report)


def _highlights(report: Mapping[str, Any]) -> dict[str, Any]:
    """What readers of the report look for first, and whether every goal is met."""
    found: dict[str, Any] = {"goals": [goal.described() for goal in judge_goals(report)]}
    if Phase.LATENCY in report:
        light = report[Phase.LATENCY]
        found["latency_ms"] = {
            "device_to_row": light["device_to_row_ms"],
            "device_to_notification": light["device_to_notification_ms"],
            "uplinks_per_s": light["uplinks_per_s"],
        }
    if Phase.SUSTAINED in report:
        found["cpu_us_per_reading"] = report[Phase.SUSTAINED]["cpu_us_per_reading"]
    return found
