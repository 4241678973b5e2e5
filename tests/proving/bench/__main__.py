"""The command behind `make bench`: writes `.local/reports/bench.json`; exits non-zero when a goal was missed."""

import json
import signal
from collections.abc import Mapping
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.settings import CHECKOUT
from tests.proving.bench.options import Options, Phase
from tests.proving.bench.run import run_bench

REPORT: Final = CHECKOUT / ".local" / "reports" / "bench.json"
_COSTS: Final = (Phase.LATENCY, Phase.SUSTAINED)


def main(
    *,
    only: Annotated[list[Phase] | None, typer.Option(help="Only these phases; may be given several times.")] = None,
    devices: Annotated[int, typer.Option(min=1)] = 1_000,
    latency_s: Annotated[int, typer.Option(min=5, help="At 1,000 uplinks/s.")] = 60,
    uplinks_per_s: Annotated[int, typer.Option(min=1, help="Of the sustained phase.")] = 10_000,
    seconds: Annotated[int, typer.Option(min=5, help="Of the sustained phase.")] = 300,
    outage_s: Annotated[int, typer.Option(min=1, help="How long Apache Kafka stands still.")] = 60,
    peer_uplinks: Annotated[int, typer.Option(min=1_000, help="Taken once by ours and once by Telegraf.")] = 300_000,
    models_s: Annotated[int, typer.Option(min=1, help="CPU that the measured batches of `models` take.")] = 60,
    growth_devices: Annotated[list[int] | None, typer.Option(help="May be given several times.")] = None,
    growth_s: Annotated[int, typer.Option(min=5, help="At 4,000 uplinks/s, for each number of devices.")] = 15,
    trial_s: Annotated[int, typer.Option(min=5, help="At 1,000 uplinks/s, twice in each turn of `trial`.")] = 20,
    trial_turns: Annotated[int, typer.Option(min=1)] = 3,
    encryption_s: Annotated[int, typer.Option(min=5, help="At 4,000 uplinks/s, twice in each turn.")] = 20,
    encryption_turns: Annotated[int, typer.Option(min=1)] = 3,
    storm_devices: Annotated[int, typer.Option(min=1, help="That lose the encrypted broker at once.")] = 10_000,
) -> None:
    """How fast the full stack is on this machine, every service and every guarantee on."""
    options = Options(
        phases=tuple(phase for phase in Phase if phase in (only or Options().phases)),
        devices=devices,
        latency_s=latency_s,
        sustained_per_s=uplinks_per_s,
        sustained_s=seconds,
        outage_s=outage_s,
        peer_uplinks=peer_uplinks,
        growth_s=growth_s,
        models_s=models_s,
        trial_s=trial_s,
        trial_turns=trial_turns,
        encryption_s=encryption_s,
        encryption_turns=encryption_turns,
        storm_devices=storm_devices,
        growth_devices=tuple(growth_devices or Options().growth_devices),
    )
    signal.signal(signal.SIGTERM, _end)
    console = Console(highlight=False)
    with console.status("preparing") as status:
        report = run_bench(options, status.update)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    for phase in _COSTS:
        if phase in report:
            console.print(_costs(phase, report[phase]))
    if Phase.GROWTH in report:
        console.print(_growth(report[Phase.GROWTH]))
    console.print(_goals(report["goals"]))
    if why := report.get(Phase.PEER, {}).get("not_run"):
        console.print(f"[red]peer: {why}[/]")
    console.print(f"Report: {REPORT}")
    raise typer.Exit(0 if all(goal["met"] for goal in report["goals"]) else 1)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Ends in good order, so that no server is left running."""
    raise SystemExit(1)


def _costs(phase: Phase, found: Mapping[str, Any]) -> Table:
    rate, costs = found["uplinks_per_s"], found["cpu_us_per_reading"]
    table = Table("process", "CPU µs a reading", title=f"{phase}: {rate:,.0f} uplinks/s, {found['seconds']:.0f} s")
    for name, cost in sorted(costs.items(), key=lambda row: -row[1]):
        table.add_row(name, f"{cost:.1f}")
    table.add_row("everything", f"{sum(costs.values()):.1f}")
    generator = found["generator"]
    table.add_row("(generator)", f"{generator['cpu_us_per_uplink'] / 4:.1f}")
    return table


def _growth(found: Mapping[str, Any]) -> Table:
    table = Table("devices", "uplinks/s", "CPU µs a reading", "device to row p99 ms", title="growth")
    for step in found["devices"]:
        table.add_row(
            f"{step['devices']:,}",
            f"{step['uplinks_per_s']:,.0f}",
            f"{sum(step['cpu_us_per_reading'].values()):.1f}",
            f"{step['device_to_row_ms']['p99']:.0f}",
        )
    return table


def _goals(goals: list[dict[str, Any]]) -> Table:
    table = Table("goal", "wanted", "measured", "met", title="goals")
    for goal in goals:
        measured = "-" if goal["measured"] is None else f"{goal['measured']:,.4g}"
        table.add_row(goal["what"], goal["wanted"], measured, "yes" if goal["met"] else "[red]no[/]")
    return table


if __name__ == "__main__":
    typer.run(main)
