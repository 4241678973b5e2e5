"""A failpoint ends a process where it is armed, once, and nothing anywhere else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

WALK: str = (
    "from services.runtime.failpoints import Failpoint, reach\n"
    "reach(Failpoint.STORE_WRITTEN)\nprint('past the store')\nreach(Failpoint.ALERT_SENT)\nprint('past both')\n"
)


def walk(**armed: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", WALK], env={**os.environ, **armed}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_without_a_name_nobody_dies() -> None:
    assert walk() == (0, "past the store\npast both\n")


def test_it_kills_at_its_own_place_and_only_the_first_time(tmp_path: Path) -> None:
    armed = {"HB_FAILPOINT": "alert_sent", "HB_FAILPOINT_MARKER": str(tmp_path / "marker")}
    code, said = walk(**armed, PYTHONUNBUFFERED="1")
    assert (code, said) == (-signal.SIGKILL, "past the store\n")
    assert walk(**armed) == (0, "past the store\npast both\n")


def test_a_name_that_is_no_place_is_refused_at_once() -> None:
    code, said = walk(HB_FAILPOINT="alert_almost_sent")
    assert code == 1
    assert said == ""
