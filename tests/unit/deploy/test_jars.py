"""A library of Kafka that is not the one that was committed is refused by its name, before anything uses it."""

from hashlib import sha256, sha512
from pathlib import Path

import pytest

from deploy.local import apt, prepare
from deploy.local.jars import ChangedJarError, Jar, committed, differences, verify


def jar(artifact: str, content: bytes) -> Jar:
    return Jar(
        group="org.thing", artifact=artifact, version="1.0", licence="Apache-2.0",
        sha256=sha256(content).hexdigest(), sha512=sha512(content).hexdigest(),
    )  # fmt: skip


JARS = {one.file: one for one in (jar("a", b"one"), jar("b", b"two"))}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Both libraries as they were committed."""
    libraries = tmp_path / "libs"
    libraries.mkdir()
    (libraries / "a-1.0.jar").write_bytes(b"one")
    (libraries / "b-1.0.jar").write_bytes(b"two")
    return libraries


def test_what_was_committed_is_taken(directory: Path) -> None:
    assert list(differences(directory, JARS)) == []
    verify(directory, JARS)


def test_a_changed_a_missing_and_an_additional_library_are_each_named(directory: Path) -> None:
    (directory / "a-1.0.jar").write_bytes(b"One")
    (directory / "b-1.0.jar").rename(directory / "b-1.1.jar")
    with pytest.raises(ChangedJarError) as refused:
        verify(directory, JARS)
    for said in ("a-1.0.jar has changed", "b-1.0.jar is missing", "b-1.1.jar is not in"):
        assert said in str(refused.value)


def test_one_hash_of_the_two_is_not_enough(directory: Path) -> None:
    forged = {
        **JARS,
        "a-1.0.jar": Jar(
            group="g", artifact="a", version="1.0", licence="", sha256=JARS["a-1.0.jar"].sha256, sha512="0" * 128
        ),
    }
    assert list(differences(directory, forged)) == [
        "a-1.0.jar has changed: its hashes are not those of kafka-jars.toml"
    ]


def test_where_there_is_nothing_everything_is_missing(tmp_path: Path) -> None:
    assert list(differences(tmp_path / "nowhere", JARS)) == ["a-1.0.jar is missing", "b-1.0.jar is missing"]


def test_what_maven_brought_is_verified_before_it_has_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its source says: nothing of it lies where the broker looks for its libraries."""

    def bring(command: list[str], _environment: dict[str, str] | None = None) -> str:
        (option,) = (one for one in command if one.startswith("-DoutputDirectory="))
        target = Path(option.partition("=")[2])
        target.mkdir()
        for name in committed():
            (target / name).write_bytes(b"another library")
        return ""

    monkeypatch.setattr(apt, "run", bring)
    monkeypatch.setattr(apt, "install", lambda _commands: None)
    monkeypatch.setattr(prepare, "why_unavailable", lambda: None)
    monkeypatch.setattr(prepare, "_build_root", lambda target: target.mkdir())

    with pytest.raises(ChangedJarError, match=r"kafka-clients-[\d.]+\.jar has changed"):
        prepare.prepare(tmp_path, lambda _: None)
    assert not prepare.kafka_libraries(tmp_path).exists()


def test_what_lies_there_is_verified_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "install", lambda _commands: None)
    monkeypatch.setattr(prepare, "why_unavailable", lambda: None)
    prepare.root_directory(tmp_path).mkdir(parents=True)
    libraries = prepare.kafka_libraries(tmp_path)
    libraries.mkdir(parents=True)
    (libraries / "a-1.0.jar").write_bytes(b"one")

    with pytest.raises(ChangedJarError, match=r"a-1\.0\.jar is not in"):
        prepare.prepare(tmp_path, lambda _: None)
