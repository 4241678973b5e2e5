"""A process whose settings are wrong ends with exit code 2 and one line that names the setting, however it starts."""

import os
import runpy
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
    "services.score replay-state nowhere",
    "services.api audit verify",
    "services.cli status",
    "services.cli home list",
)
"""Commands beside those that a module has without a word."""
HELP_ALONE = {"services.cli"}
AT_WORK = {"services"}
"""It reads its parts' settings only once its loop runs."""


def refused(start: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of ``python -m START``, which runs here."""
    module, *arguments = start.split()
    for name in [name for name in os.environ if name.startswith(("HB_", "PG"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    return int(ended.value.code or 0)


@pytest.mark.parametrize("module", MODULES)
def test_every_process_begins_where_wrong_settings_become_a_line(module: str) -> None:
    ending = MODULES[module].read_text().partition('\nif __name__ == "__main__":')[2]
    assert ending.strip().startswith("begin(")


@pytest.mark.parametrize("start", [*(name for name in MODULES if name not in HELP_ALONE | AT_WORK), *MORE])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({}, "HB_DB_DSN"),
        ({"HB_DB_DSN": f"postgresql://store:{SECRET}@192.0.2.7/hearthbeat"}, "HB_DB_DSN"),
        ({"HB_DB_POOL_SIZE": SECRET, "HB_DB_DSN": f"postgresql://store:{SECRET}@127.0.0.1/x"}, "HB_DB_POOL_SIZE"),
    ],
)
def test_a_wrong_setting_is_a_line_that_names_it(
    start: str,
    wrong: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    if start == "services.bus_access":  # it has nothing to do with a database
        wrong, named = wrong | {"HB_BUS_KAFKA": "192.0.2.7:9092", "HB_BUS_USER": "admin"}, "HB_BUS_USER"
    if "nowhere" in start:
        (tmp_path / "nowhere").write_text('{"positions":{}}\n')
        start = start.replace("nowhere", str(tmp_path / "nowhere"))

    code = refused(start, wrong, monkeypatch)

    said = capfd.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert named in said.err
    assert SECRET not in said.err


@pytest.mark.parametrize(
    ("start", "wrong", "named"),
    [
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
def test_settings_of_each_kind_are_named(
    start: str, wrong: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = refused(start, {"HB_DB_DSN": "postgresql://127.0.0.1/x"} | wrong, monkeypatch)

    said = capfd.readouterr().err
    assert (code, said.count("\n")) == (2, 1), said
    assert named in said
    assert SECRET not in said


def test_all_services_in_one_process_end_as_one_does() -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HB_", "PG"))}
    done = subprocess.run(
        [sys.executable, "-m", "services"], env=inherited, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "HB_DB_DSN is not set" in done.stderr


def test_alert_names_the_setting_of_a_file_of_keys_that_others_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{new_key()}\n")
    keys.chmod(0o644)
    settings = {"HB_DB_DSN": "postgresql://127.0.0.1/x", "HB_ALERT_WEBHOOK_KEY_FILE": str(keys)}

    code = refused("services.alert", settings, monkeypatch)

    said = capfd.readouterr().err
    assert (code, said.count("\n")) == (2, 1), said
    assert "HB_ALERT_WEBHOOK_KEY_FILE: others may read this secret, its mode is 0644" in said
