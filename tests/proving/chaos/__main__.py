"""The command behind `make chaos`: writes a report; exits non-zero when anything was lost or notified twice."""

import json
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.settings import CHECKOUT
from tests.proving.chaos.evidence import LOGS
from tests.proving.chaos.options import QUIET_S, Options
from tests.proving.chaos.report import combined
from tests.proving.chaos.run import run_chaos
from tests.proving.chaos.schedule import TARGETS

REPORT: Final = CHECKOUT / ".local" / "reports" / "chaos.json"


def main(
    *,
    kills: Annotated[int, typer.Option(min=1)] = 40,
    uplinks: Annotated[int, typer.Option(min=100)] = 50_000,
    seed: int = 1,
    target: Annotated[list[str] | None, typer.Option(help="Only these; may be given several times.")] = None,
    resends: Annotated[
        bool | None,
        typer.Option(
            "--resends/--no-resends",
            help="Without: devices send once, and the broker is spared and persists. Neither: one run of each.",
        ),
    ] = None,
    quiet_s: Annotated[float, typer.Option(min=0, help="Real seconds without strikes at the end.")] = QUIET_S,
) -> None:
    """Kills and freezes every process at random while homes stream, then holds the database against the oracle."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    options = Options(kills=kills, uplinks=uplinks, seed=seed, targets=tuple(target or TARGETS), quiet_s=quiet_s)
    REPORT.unlink(missing_ok=True)
    reports = [
        _run(replace(options, resends=mode), console) for mode in ((True, False) if resends is None else (resends,))
    ]
    report = combined(*reports)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    console.print(f"Report: {REPORT}" + (f"\nLogs: {LOGS}" if report["failures"] else ""))
    raise typer.Exit(1 if report["failures"] else 0)


def _run(options: Options, console: Console) -> dict[str, Any]:
    how = "" if options.resends else ", nothing is sent twice"
    console.print(f"{options.homes} homes for {options.runs_for_s:.0f} s, seed {options.seed}{how}")
    with console.status("preparing") as status, tempfile.TemporaryDirectory(prefix="hb-chaos-") as directory:
        report = run_chaos(options, Path(directory), status.update)
    _show(report, console)
    return report


def _show(report: dict[str, Any], console: Console) -> None:
    alerts, notifications, details = report["alerts"], report["notifications"], report["details"]
    answers = details["acknowledgements"]
    console.print(
        f"{report['uplinks']:,} uplinks, {sum(report['kills'].values())} strikes: "
        f"{report['lost']} lost, {report['duplicated']} duplicated"
    )
    console.print(
        f"Alerts: {alerts['expected']} expected, {alerts['missed']} missed, {alerts['twice']} twice, "
        f"{details['false_alerts']} false. Notifications: {notifications['sent']} sent, "
        f"{notifications['duplicated_flagged']} again and "
        f"saying so, {notifications['duplicated_unflagged']} again unsaid. Acknowledgements: {answers['sent']} sent, "
        f"{answers['answered']} answered"
    )
    table = Table("process", "strikes", "of these frozen", "recovery p50 ms", "p99 ms")
    for target, strikes in report["kills"].items():
        frozen, recovery = details["frozen"].get(target, 0), report["recovery_ms"].get(target, {})
        table.add_row(target, str(strikes), str(frozen), *(str(recovery.get(name, "")) for name in ("p50", "p99")))
    console.print(table)
    for target, times in details["ended_by_themselves"].items():
        console.print(f"{target} ended {times} times though nobody had killed it, and was started again")
    for why in report["failures"]:
        console.print(why, style="red", markup=False)


if __name__ == "__main__":
    typer.run(main)
