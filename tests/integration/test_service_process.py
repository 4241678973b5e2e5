"""A service's process, and who ended it."""

from pathlib import Path

from deploy.platform.services import ServiceProcess


def _process(tmp_path: Path, *arguments: str) -> ServiceProcess:
    return ServiceProcess("one", [*arguments], {}, tmp_path / "one.log")


def test_one_that_ends_has_ended_by_itself(tmp_path: Path) -> None:
    process = _process(tmp_path, "this")
    assert not process.ended_by_itself
    process.start()
    process.wait(20)
    assert process.ended_by_itself


def test_one_that_is_killed_has_not(tmp_path: Path) -> None:
    process = _process(tmp_path, "http.server", "--bind", "127.0.0.1", "0")
    process.start()
    assert not process.ended_by_itself
    process.kill()
    assert (process.alive, process.ended_by_itself) == (False, False)
