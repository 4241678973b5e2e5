"""The phase that feeds score's pure core, learned rules and all: how long a batch takes on one core. No servers."""

import json
import subprocess
import sys
from typing import Any, Final

from deploy.local.settings import CHECKOUT
from tests.proving.bench.bench import LoadError, Say
from tests.proving.bench.options import Options

_PROGRAM: Final = "tests.proving.bench.batch_run"
_ENDS_WITHIN_S: Final = 1_200


def batches(options: Options, say: Say) -> dict[str, Any]:
    """Ten thousand people with every learned rule, then the same hours without any; each in a process of its own."""
    say(f"models: {options.models_people:,} people, every learned rule on")
    learned = _run("--people", options.models_people, "--least-s", options.models_s)
    say(f"models: {options.models_people:,} people, no learned rule")
    plain = _run("--people", options.models_people, "--hours", learned["hours"], "--without")
    return {
        "learned": learned,
        "without": plain,
        "cpu_ratio": learned["cpu_us_per_reading"] / plain["cpu_us_per_reading"],
        "p99_ratio": learned["batch_ms"]["p99"] / plain["batch_ms"]["p99"],
    }


def _run(*arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", _PROGRAM, *map(str, arguments)],
        cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=_ENDS_WITHIN_S,
    )  # fmt: skip
    if done.returncode:
        raise LoadError(f"the batches did not end well:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
