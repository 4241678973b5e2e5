"""A scenario that lies, played by the command: it fails by each lie, on either stack, stepped or in real time."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.test_scenarios import FOLDER, play

LIES = {
    "alert: spo2, of: ruth, severity: high, after: 6m, by: 10m": "alert: spo2, of: ruth, severity: medium",
    "pages: 1, rule: spo2, of: ruth": "pages: 2, rule: spo2, of: ruth",
    "state: closed, rule: spo2, of: ruth": "state: open, rule: spo2, of: ruth",
    "no_alert: any, of: karl": "alert: spo2, of: karl",
}


@pytest.mark.timeout(300)  # three platforms, beside other tests
@pytest.mark.full_stack
def test_a_scenario_that_lies_fails_by_each_lie_on_either_stack_and_whether_time_runs_or_is_stepped(
    tmp_path: Path,
) -> None:
    text = (FOLDER / "oxygen-low-and-back.yaml").read_text()
    for truth, lie in LIES.items():
        assert truth in text
        text = text.replace(truth, lie)
    # Shortly before the end: where time runs, the doctor still waits for the alert when it is over.
    text = text.replace("expect:", "  - {at: 44m, doctor: haddad, acknowledges: fall, of: karl}\nexpect:")
    file = tmp_path / "lies.yaml"
    file.write_text(text)
    # Stepped time waits for nobody's clock: those two are played at once, the one in real time has its turn alone.
    with ThreadPoolExecutor() as both:
        seen = list(both.map(partial(failures, tmp_path, file), ("stepped", "full"), ([], ["--stack", "full"])))
    seen.append(failures(tmp_path, file, "real", ["--speed", "120"]))
    assert seen == [["doctor: haddad, acknowledges: fall, of: karl", *LIES.values()]] * 3


def failures(folder: Path, file: Path, name: str, arguments: list[str]) -> list[str]:
    """What was expected in vain of ``file``, played with ``arguments``."""
    (folder / name).mkdir()
    code, said, report = play(folder / name, file, *arguments)
    assert code == 1, said
    (verdict,) = report["scenarios"].values()
    return [failure["expected"] for failure in verdict["failures"]]
