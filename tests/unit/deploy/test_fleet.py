"""A fleet that is registered again with fewer devices leaves nobody without the doctor who is notified."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.platform import fleet as tested
from deploy.platform.fleet import Fleet
from deploy.platform.platform import Platform
from device_sim.fleet import make_load_fleet


def simulator(_environment: object, *arguments: str) -> None:
    """As ``python -m device_sim fleet`` does."""
    devices = int(arguments[arguments.index("--load-devices") + 1])
    doctor = arguments[arguments.index("--doctor") + 1]
    file = Path(arguments[arguments.index("--register") + 1])
    file.write_text(make_load_fleet(devices=devices, seed=1, doctor=doctor).model_dump_json())


def silent_platform() -> Platform:
    nothing = SimpleNamespace(register_devices=lambda _passwords: None)
    platform: Any = SimpleNamespace(environment={}, stack=nothing, command=lambda *_words, **_more: None)
    return cast("Platform", platform)


def test_a_smaller_fleet_keeps_everybody_in_care(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "run_tool", simulator)
    fleet = Fleet(silent_platform(), tmp_path, homes=0, seed=1, doctor="load@example.org")
    fleet.register("--load-devices", "6")
    fleet.register("--load-devices", "2")

    register = json.loads(fleet.path("register.json").read_text())
    assert [len(home["people"]) for home in register["homes"]] == [2]
    assert [(one["email"], len(one["people"])) for one in register["doctors"]] == [("load@example.org", 6)]
