"""A process whose settings are wrong ends with exit code 2 and one line that names the setting, however it starts."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.runtime.sealing import new_key

CHECKOUT = Path(__file__).parents[3]
SECRET = "Zq7-fjalar-91"
MODULES = {
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__main__"): path
    for path in sorted((CHECKOUT / "services").rglob("*.py"))
    if '\nif __name__ == "__main__":' in path.read_text()
}
MORE = (
    "services.ingest retire",
    "services.score export-state",
    "services.api audit verify",
    "services.cli status",
)
"""Commands beside those that a module has without a word."""


def refused(start: str, environment: Mapping[str, str]) -> str:
    """What ``python -m START`` says in its one line, where its exit code is 2."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HB_", "PG"))}
    done = subprocess.run(
        [sys.executable, "-m", *start.split()],
        env=inherited | dict(environment), cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_every_process_begins_where_wrong_settings_become_a_line(module: str) -> None:
    ending = MODULES[module].read_text().partition('\nif __name__ == "__main__":')[2]
    assert ending.strip().startswith("begin(")


@pytest.mark.parametrize("start", [*(name for name in MODULES if name != "services.cli"), *MORE])
def test_a_setting_that_is_missing_is_named(start: str) -> None:
    named = "HB_BUS_USER" if start == "services.bus_access" else "HB_DB_DSN is not set"
    assert named in refused(start, {})


@pytest.mark.parametrize(
    ("start", "wrong", "named"),
    [
        ("services.prepare", {"HB_DB_DSN": f"postgresql://u:{SECRET}@192.0.2.7/x"}, "HB_DB_DSN: 192.0.2.7"),
        ("services", {"HB_DB_POOL_SIZE": SECRET}, "HB_DB_POOL_SIZE"),
        ("services.prepare", {"HB_DB_PASSWORDS": SECRET}, "HB_DB_PASSWORDS is not valid JSON"),
        ("services.ingest", {"HB_MQTT_PASSWORDS": SECRET}, "HB_MQTT_PASSWORDS is not valid JSON"),
        ("services.watch", {"HB_WATCH_SERVICES": SECRET}, "HB_WATCH_SERVICES is not valid JSON"),
        ("services.watch", {"HB_WATCH_WEBHOOK_SECRET": "short"}, "HB_WATCH_WEBHOOK_SECRET"),
        ("services.store", {"HB_BUS_PASSWORD": SECRET}, "HB_BUS_PASSWORD"),
        ("services.score", {"HB_SCORE_INSTANCE": SECRET}, "HB_SCORE_INSTANCE"),
        ("services.alert", {"HB_ALERT_SMTP_PORT": SECRET}, "HB_ALERT_SMTP_PORT"),
        ("services.alert", {"HB_TLS_CA_FILE": f"/nowhere/{SECRET}"}, "HB_TLS_CA_FILE"),
        ("services.api", {"HB_API_TRUSTED_PROXY": SECRET}, "HB_API_TRUSTED_PROXY"),
        ("services.medication", {"HB_METRICS_HOST": "192.0.2.7", "HB_METRICS_PORT": "9000"}, "HB_METRICS_HOST"),
    ],
)
def test_settings_of_each_kind_are_named_and_never_what_they_say(start: str, wrong: dict[str, str], named: str) -> None:
    said = refused(start, {"HB_DB_DSN": f"postgresql://u:{SECRET}@127.0.0.1/x"} | wrong)

    assert named in said
    assert SECRET not in said


def test_alert_names_the_setting_of_a_file_of_keys_that_others_may_read(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{new_key()}\n")
    keys.chmod(0o644)

    said = refused("services.alert", {"HB_DB_DSN": "postgresql://127.0.0.1/x", "HB_ALERT_WEBHOOK_KEY_FILE": str(keys)})

    assert "HB_ALERT_WEBHOOK_KEY_FILE: others may read this secret, its mode is 0644" in said
