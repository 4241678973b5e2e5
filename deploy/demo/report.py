"""The report of a demo: what was asked for in JSON, the verdict, and the summary people read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from deploy.demo.past_report import PastOutcome
from deploy.reconcile.accounts import Accounts
from deploy.reconcile.episodes import Comparison
from deploy.reconcile.incidents import ALLOWED_FALSE_ALERTS, IncidentOutcome, as_report
from deploy.reconcile.unanswered import Unanswered

ENOUGH_MATCHED: Final = 0.99

Report = dict[str, Any]


def build_report(
    uplinks: Mapping[str, int],
    accounts: Accounts,
    outcome: IncidentOutcome | None,
    episodes: Comparison | None,
    unanswered: Unanswered,
    first: Mapping[str, float | None],
    latency_ms: Mapping[str, Any],
    past: PastOutcome | None = None,
) -> Report:
    """The fields of the issue, and beside them what explains a failure."""
    report: Report = {
        "uplinks": dict(uplinks),
        "readings": asdict(accounts.readings),
        "events": asdict(accounts.events),
        "rejected_by_reason": dict(accounts.rejected_by_reason),
        "proof": {
            "lost": accounts.lost,
            "twice": accounts.twice,
            "unsettled": accounts.unsettled,
            "foreign": accounts.foreign,
            "examples": accounts.examples,
        },
        **first,
        "latency_ms": dict(latency_ms),
        "unanswered": asdict(unanswered),
    }
    if outcome is not None:
        report |= {"incidents": as_report(outcome), "false_alerts": outcome.false_alerts, "examples": outcome.examples}
    if episodes is not None:
        report["episodes"] = {**asdict(episodes), "ratio": episodes.ratio}
    report["failures"] = failures(uplinks, accounts, outcome, episodes, unanswered)
    if past is not None:
        report["past"] = asdict(past)
        report["failures"] += past.failures
    return report


def failures(
    uplinks: Mapping[str, int],
    accounts: Accounts,
    outcome: IncidentOutcome | None,
    episodes: Comparison | None,
    unanswered: Unanswered,
) -> list[str]:
    """Why the demo did not pass; empty where it did."""
    said = {
        f"{accounts.lost} items lost, {accounts.twice} twice, {accounts.foreign} never published, "
        f"{accounts.unsettled} uplinks not settled": not accounts.balanced,
        f"{uplinks['published']} uplinks published, {uplinks['acked_end_to_end']} acknowledged end to end": (
            uplinks["published"] != uplinks["acked_end_to_end"]
        ),
        "nothing was published": uplinks["published"] == 0,
        f"{unanswered.silent} open alerts not said again": unanswered.silent > 0,
    }
    if outcome is not None:
        said[f"{outcome.missed} incidents missed"] = outcome.missed > 0
        said[f"{outcome.twice} incidents alerted twice"] = outcome.twice > 0
        said[f"{outcome.false_alerts} false alerts"] = outcome.false_alerts > ALLOWED_FALSE_ALERTS
    if episodes is not None:
        said[f"{episodes.matched} of {episodes.expected} episodes matched"] = episodes.ratio < ENOUGH_MATCHED
    return [what for what, true in said.items() if true]


def write_report(report: Report, path: Path) -> None:
    """As JSON, for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def show_report(report: Report, console: Console) -> None:
    """For people."""
    table = Table("", "published", "stored", "rejected", title="Every item")
    for kind in ("readings", "events"):
        tally = report[kind]
        table.add_row(kind, *(f"{tally[name]:,}" for name in ("published", "stored", "rejected")))
    console.print(table)
    uplinks = report["uplinks"]
    console.print(
        f"Uplinks: {uplinks['published']:,} published, {uplinks['acked_end_to_end']:,} acknowledged end to end, "
        f"{uplinks['sent_again']:,} sent again, {uplinks['abandoned']:,} abandoned"
    )
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(report["rejected_by_reason"].items()))
    console.print(f"Rejected: {reasons or 'nothing'}")
    if "incidents" in report:
        _show_incidents(report, console)
    if "episodes" in report:
        episodes = report["episodes"]
        console.print(
            f"Low-glucose episodes: {episodes['expected']} expected, {episodes['matched']} matched, "
            f"{episodes['missed']} missed, {episodes['extra']} extra"
        )
    if "past" in report:
        past = report["past"]
        filled = f"{past['days']} of {past['of_days']} days, {past['readings']:,} readings, {past['doses']:,} doses"
        console.print(f"History: {filled}" + ("" if past["done"] else "; the demo ended before all of it was there"))
    nobody = report["unanswered"]
    console.print(
        f"Nobody answers: {nobody['standing']} open alerts go on, said again {nobody['repeats']} times, "
        f"{nobody['silent']} fell silent"
    )
    for what, at in report["latency_ms"].items():
        console.print(f"{what.replace('_', ' ')}: p50 {_ms(at['p50'])}, p99 {_ms(at['p99'])} (real time)")
    console.print(f"First screen after {_s(report['first_screen_s'])}, first alert after {_s(report['first_alert_s'])}")
    for failure in report["failures"]:
        console.print(f"[bold red]FAILED[/] {failure}")
    for example in report.get("examples", []) + report["proof"]["examples"] + report["unanswered"]["examples"]:
        console.print(f"  {example}")
    if not report["failures"]:
        console.print("[bold green]Every published item is accounted for, every incident notified.[/]")


def _show_incidents(report: Report, console: Console) -> None:
    table = Table("incident", "injected", "alerted", "missed", "pending", title="Incidents")
    for kind, counts in sorted(report["incidents"]["by_kind"].items()):
        table.add_row(kind.replace("_", " "), *(str(counts[name]) for name in counts))
    console.print(table)
    near = report["incidents"]["near_misses"]
    console.print(f"False alerts: {report['false_alerts']}. Near-misses, which must alert nobody: {near}")
    console.print(f"Listed as likely or unusual, which notifies nobody: {report['incidents']['expectations']}")


def _ms(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.0f} ms"


def _s(value: float | None) -> str:
    return "not seen" if value is None else f"{value:.1f} s"
