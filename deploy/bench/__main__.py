"""The command behind `make bench`: writes `.local/reports/bench.json`; exits non-zero when anything was lost."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.bench.run import REPORT, Asked, run_bench


def main(
    uplinks_per_s: Annotated[int, typer.Option(min=1)] = 4_200,
    seconds: Annotated[int, typer.Option(min=5)] = 60,
    devices: Annotated[int, typer.Option(min=1)] = 1_000,
) -> None:
    """A steady load on the full stack, with every service on."""
    console = Console(highlight=False)
    with console.status("preparing") as status:
        report = run_bench(Asked(uplinks_per_s=uplinks_per_s, seconds=seconds, devices=devices), status.update)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    _show(report, console)
    console.print(f"Report: {REPORT}")
    proof = report["proof"]
    raise typer.Exit(0 if proof["balanced"] and not proof["set_aside"] else 1)


def _show(report: dict[str, Any], console: Console) -> None:
    sustained, latency = report["sustained"], report["latency_ms"]["device_to_row"]
    console.print(
        f"{sustained['uplinks_per_s']:,.0f} uplinks/s = {sustained['readings_per_s']:,.0f} readings/s "
        f"for {sustained['seconds']:.0f} s; {sustained['lost']} lost, {sustained['duplicated']} duplicated"
    )
    if latency["p50"] is not None:
        console.print(f"device to row: p50 {latency['p50']:.0f} ms, p99 {latency['p99']:.0f} ms")
    table = Table("process", "CPU µs a reading", "resident MB")
    for name, cost in sorted(report["cpu_us_per_reading"].items(), key=lambda row: -row[1]):
        table.add_row(name, f"{cost:.1f}", f"{report['rss_mb'][name]:.0f}")
    console.print(table)
    generator = report["generator"]
    console.print(
        f"generator: {generator['devices']:,} devices on {generator['connections']:,} connections, "
        f"{generator['cpu_s']:.0f} s of CPU; the database takes {report['ceiling']['copy_rows_per_s']:,} rows/s by COPY"
    )
    for example in report["proof"]["examples"]:
        console.print(f"[red]{example}[/]")


if __name__ == "__main__":
    typer.run(main)
