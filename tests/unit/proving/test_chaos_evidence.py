"""What a red run of chaos leaves behind."""

from pathlib import Path

from tests.proving.chaos.evidence import keep_logs, with_diary


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_logs_of_services_and_servers_are_kept_and_kafkas_data_is_not(tmp_path: Path) -> None:
    services, servers, kept = tmp_path / "services", tmp_path / "servers", tmp_path / "kept"
    _write(services / "ingest.log", "ingest")
    _write(services / "ingest.log.1", "ingest, earlier")
    _write(servers / "mosquitto.log", "mosquitto")
    _write(servers / "kafka" / "server.log", "kafka")
    _write(servers / "kafka" / "data" / "uplinks-0" / "00000000000000000000.log", "records")
    _write(servers / "postgresql" / "log" / "postgresql-07.log", "postgresql")
    _write(servers / "stack.json", "passwords")
    _write(kept / "services" / "store.log", "of an earlier run")

    keep_logs(services, servers, kept)

    found = {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*") if path.is_file()}
    assert found == {
        "services/ingest.log": "ingest",
        "services/ingest.log.1": "ingest, earlier",
        "servers/mosquitto.log": "mosquitto",
        "servers/kafka/server.log": "kafka",
        "servers/postgresql/log/postgresql-07.log": "postgresql",
    }


def test_what_a_run_says_is_written_down_beside_its_logs(tmp_path: Path) -> None:
    said: list[str] = []
    say = with_diary(said.append, tmp_path / "logs")

    say("strike 1 of 2: kill kafka")
    say("strike 2 of 2: freeze store")

    lines = (tmp_path / "logs" / "chaos.log").read_text().splitlines()
    assert said == ["strike 1 of 2: kill kafka", "strike 2 of 2: freeze store"]
    assert [line.split(" ", 1)[1] for line in lines] == said
