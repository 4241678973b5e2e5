"""Which listeners watch asks for their certificates: those that it reaches by TLS, each once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.broker_access import new_secret
from services.runtime.settings import BusSettings, DatabaseSettings, LogSettings, MqttSettings
from services.runtime.tls import TlsSettings
from services.watch.certificates import listeners_of
from services.watch.settings import WatchSettings
from tests.unit.transport.handshake import new_authority

SECRET = new_secret()


@pytest.fixture
def tls(tmp_path: Path) -> TlsSettings:
    return TlsSettings(ca_file=new_authority(tmp_path / "ca", datetime.now(UTC)).ca_file)


def settings(tls: TlsSettings, dsn: str, **own: object) -> WatchSettings:
    bus = BusSettings(kafka="one.example:9093, [2001:db8::2]:9094", user="watch", password=SecretStr(SECRET), tls=tls)
    mqtt = MqttSettings(
        host="192.0.2.7", port=8883, server_name="mqtt.example", passwords={"watch-0": SecretStr(SECRET)}, tls=tls
    )
    database = DatabaseSettings(dsn=SecretStr(dsn), tls=tls)
    return WatchSettings(database=database, bus=bus, mqtt=mqtt, log=LogSettings(tls=tls), **own)  # type: ignore[arg-type]


def test_each_server_is_asked_by_its_address_and_for_its_name(tls: TlsSettings) -> None:
    pages = {"store": "https://store:9464/metrics", "here": "http://127.0.0.1:9464/metrics"}
    console = {"api": "https://console.example/healthz"}
    dsn = f"postgresql://w:{SECRET}@db-0.example:5433,db-1.example/hb"
    found = listeners_of(settings(tls, dsn, services=pages, health=console))
    assert [(one.server, one.host, one.port, one.name, one.asks_first) for one in found] == [
        ("metrics store", "store", 9464, "store", False),
        ("console api", "console.example", 443, "console.example", False),
        ("broker", "192.0.2.7", 8883, "mqtt.example", False),
        ("kafka-0", "one.example", 9093, "one.example", False),
        ("kafka-1", "2001:db8::2", 9094, "2001:db8::2", False),
        ("database-0", "db-0.example", 5433, "db-0.example", True),
        ("database-1", "db-1.example", 5432, "db-1.example", True),
    ]


def test_a_socket_and_a_broker_that_watch_does_not_listen_to_have_none(tls: TlsSettings) -> None:
    found = listeners_of(settings(tls, "postgresql://w@%2Frun%2Fpostgresql/hb", broker_counter=""))
    assert [one.server for one in found] == ["kafka-0", "kafka-1"]


def test_without_a_ca_nothing_inside_is_asked() -> None:
    plain = DatabaseSettings(dsn=SecretStr("postgresql://w@127.0.0.1/hb"))
    assert listeners_of(WatchSettings(database=plain)) == []
