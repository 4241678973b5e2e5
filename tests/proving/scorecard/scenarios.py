"""Scenario files as a section: stories with what has to be said, and what must not be, each played to its end."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from deploy.local.settings import CHECKOUT
from deploy.scenarios.options import Options
from deploy.scenarios.run import run
from device_sim.scenario.scenario import read_scenarios
from tests.proving.scorecard.figures import exact
from tests.proving.scorecard.section import Goal, Line, Section

_COUNTED = """Each scenario is a story of devices and people with what the platform has to say of it, and what it must
not. It is played on the whole platform, time stepped, and holds only if every line of it does."""


def scenarios(files: Path) -> Section:
    """Plays ``files``, a file or a folder of them. Raises ScenarioError."""
    found = read_scenarios([files])
    console = Console(highlight=False)
    with TemporaryDirectory(prefix="hb-scorecard-") as directory:
        report = Path(directory) / "scenarios.json"
        stage = CHECKOUT / ".local" / "scenarios" / str(os.getpid())
        run(Options(speed=0.0, stack="embedded", directory=stage), found, console, report)
        said = json.loads(report.read_text())
    failed = sorted(name for name, one in said["scenarios"].items() if not one["passed"])
    share = said["passed"] / len(said["scenarios"])
    return Section(
        name="scenarios",
        title="Scenarios",
        counted=_COUNTED,
        summary={"passed_share": share, "played": float(len(said["scenarios"]))},
        lines=[Line(detector="the platform", figures={"share that holds": exact(share)}, is_ours=True)],
        goals=[Goal(figure="passed_share", at_least=1.0)],
        details={"failed": failed},
    )
