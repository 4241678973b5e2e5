"""How far a demo's past has come, as the demo reads and says it."""

from pathlib import Path

from deploy.demo.past import Progress


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    file = tmp_path / "past.json"
    assert Progress.read(file) is None

    for days in (3, 14):
        Progress(days=days, readings=1000 * days).write(file)

    assert Progress.read(file) == Progress(days=14, readings=14_000)


def test_people_read_how_far_it_has_come() -> None:
    assert Progress(days=14).said() == "history: 14 of 28 days"
    assert Progress(days=28, readings=512_345, done=True).said() == "history: 28 days, 512,345 readings"
