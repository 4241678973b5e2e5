"""`make audit` as somebody types it: what it writes, and the exit code that a build can rely on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import deploy.audit.__main__ as command
from deploy.audit.advisories import KNOWN_FAULT, UnansweredError
from deploy.audit.licences import Licence
from deploy.audit.lock import RUN, Locked, locked_in
from deploy.local.jars import committed
from deploy.local.prepare import kafka_libraries, root_directory
from deploy.local.settings import StackSettings

FAULT = {"id": "PYSEC-1", "summary": "It breaks.", "fixed_in": []}


class Index:
    """Answers for every release; ``faulty`` names those with a fault beside the one that everybody knows."""

    def __init__(self, *faulty: str, answers: bool = True) -> None:
        self.faulty, self.answers = faulty, answers

    def __call__(self, release: Locked) -> Mapping[str, Any]:
        if not self.answers:
            raise UnansweredError("the index answered 404")
        faults = [FAULT] if release.name in self.faulty or release == KNOWN_FAULT else []
        return {"info": {"version": release.version}, "vulnerabilities": faults}


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's own folder without a root and without Kafka; every licence is known."""
    monkeypatch.setattr(command, "StackSettings", lambda: StackSettings(local=tmp_path))
    monkeypatch.setattr(command, "licence_of", lambda _name: Licence("MIT", "made"))
    monkeypatch.setattr(command.console, "width", 200)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, index: Index, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(command, "ask_index", lambda _client: index)
    app = typer.Typer()
    app.command()(command.audit)
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def test_without_advisory_data_it_is_no_all_clear(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _ = run(monkeypatch, Index(answers=False))
    assert code == 3
    report = json.loads((local / "reports" / "audit.json").read_text())
    assert report["outcome"] == "not_checked"
    part = report["parts"]["advisories of Python packages"]
    assert (part["looked_at"], len(part["unchecked"])) == (0, len(locked_in(RUN)))


def test_somebody_may_say_that_what_is_unchecked_will_do_and_still_hears_of_faults(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(monkeypatch, Index(answers=False), "--allow-unchecked")[0] == 0
    assert json.loads((local / "reports" / "audit.json").read_text())["outcome"] == "not_checked"
    assert run(monkeypatch, Index("starlette"), "--allow-unchecked")[0] == 1


def test_a_fault_is_found_by_the_name_of_its_release(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _ = run(monkeypatch, Index("starlette"))
    (starlette,) = (one for one in locked_in(RUN) if one.name == "starlette")
    part = json.loads((local / "reports" / "audit.json").read_text())["parts"]["advisories of Python packages"]
    assert code == 1
    assert part["wrong"] == {f"starlette {starlette.version}, PYSEC-1": "It breaks. Fixed in no version."}


def test_a_licence_that_nobody_allowed_is_found_by_its_name(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "licence_of", lambda name: Licence("AGPL-3.0-only" if name == "rich" else "MIT", ""))
    assert run(monkeypatch, Index())[0] == 1
    part = json.loads((local / "reports" / "audit.json").read_text())["parts"]["licences of Python packages"]
    assert part["wrong"].keys() == {"rich"}


def test_a_library_that_was_changed_is_found_by_its_name(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = kafka_libraries(local)
    libraries.mkdir(parents=True)
    for name in committed():
        (libraries / name).write_bytes(b"another library")
    assert run(monkeypatch, Index())[0] == 1
    part = json.loads((local / "reports" / "audit.json").read_text())["parts"]["hashes of Kafka's libraries"]
    assert part["wrong"].keys() == committed().keys()


def test_the_bill_has_what_runs_and_the_packages_of_the_root(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = root_directory(local) / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text("Package: mosquitto\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.0.21-1\n")
    run(monkeypatch, Index())
    bill = json.loads((local / "reports" / "sbom.cdx.json").read_text())
    kinds = [one["purl"].partition("/")[0] for one in bill["components"]]
    assert kinds.count("pkg:pypi") == len(locked_in(RUN))
    assert kinds.count("pkg:maven") == len(committed())
    assert [one["name"] for one in bill["components"] if one["purl"].startswith("pkg:deb")] == ["mosquitto"]
    assert "pytest" not in {one["name"] for one in bill["components"]}


def test_a_folder_of_advisories_takes_the_place_of_the_index(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _ = run(monkeypatch, Index("starlette"), "--data", str(local / "nothing"))
    part = json.loads((local / "reports" / "audit.json").read_text())["parts"]["advisories of Python packages"]
    assert code == 3
    assert set(part["unchecked"].values()) == {f"there are no advisories in {local / 'nothing'}"}
