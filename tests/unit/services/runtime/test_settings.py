"""Nothing leaves this machine in plaintext or with a secret that can be guessed, however settings are combined."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from services.api.settings import ApiSettings
from services.runtime.bus.kafka_access import client_arguments
from services.runtime.settings import BusSettings, DatabaseSettings, LogSettings, MqttSettings
from services.runtime.tls import TlsSettings
from services.watch.settings import WatchSettings
from tests.unit.transport.handshake import new_authority

STRONG = "kR7vQ2mX9bT4nW8zL5cJ3fHd"
WEAK = "short"
HERE = ["127.0.0.1", "localhost", "[::1]"]
AWAY = ["10.0.0.3", "db.clinic.example", "[fd00::1]", "0.0.0.0", "kafka"]  # noqa: S104 - refused
LOCAL = DatabaseSettings(dsn=SecretStr("postgresql://localhost/nowhere"))
SSLMODES = ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca", "?sslrootcert=/ca"]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGSERVICE", "HB_TLS_CA_FILE", "HB_TLS_CERTIFICATE_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    authority = new_authority(tmp_path_factory.mktemp("ca") / "ca", datetime.now(UTC))
    return TlsSettings(ca_file=authority.ca_file, certificate_file=authority.leaf_file("broker"))


PLAIN = TlsSettings()


def database(host: str, secret: str, tls: TlsSettings, rest: str = "") -> DatabaseSettings:
    return DatabaseSettings(dsn=SecretStr(f"postgresql://store:{secret}@{host}:5432/hearthbeat{rest}"), tls=tls)


def bus(host: str, secret: str | None, tls: TlsSettings) -> BusSettings:
    user = None if secret is None else "store"
    password = None if secret is None else SecretStr(secret)
    return BusSettings(kafka=f"{host}:9092", user=user, password=password, tls=tls)


def broker(host: str, secret: str | None, tls: TlsSettings) -> MqttSettings:
    passwords = {} if secret is None else {"ingest-0": SecretStr(secret)}
    return MqttSettings(host=host.strip("[]"), passwords=passwords, tls=tls)


def page(host: str, _secret: str | None, tls: TlsSettings) -> LogSettings:
    return LogSettings(metrics_host=host.strip("[]"), metrics_port=9100, tls=tls)


def console(host: str, _secret: str | None, tls: TlsSettings) -> ApiSettings:
    return ApiSettings(host=host.strip("[]"), certificate_file=tls.certificate_file, database=LOCAL)


def watched(host: str, _secret: str | None, tls: TlsSettings) -> WatchSettings:
    scheme = "http" if tls.ca_file is None else "https"
    return WatchSettings(services={"store": f"{scheme}://{host}:9100/metrics"}, database=LOCAL)


MAKERS: dict[str, Callable[[str, str, TlsSettings], BaseSettings]] = {
    "HB_DB_DSN": database,
    "HB_BUS_KAFKA": bus,
    "HB_MQTT_HOST": broker,
    "HB_METRICS_HOST": page,
    "HB_API_HOST": console,
    "HB_WATCH_SERVICES": watched,
}


@pytest.mark.parametrize("setting", MAKERS)
@given(host=st.sampled_from(AWAY), secret=st.sampled_from([STRONG, WEAK]))
def test_without_tls_nothing_leaves_this_machine(setting: str, host: str, secret: str) -> None:
    if setting == "HB_BUS_KAFKA":
        with pytest.raises(ValidationError, match=r"HB_BUS_KAFKA.*HB_TLS_CA_FILE"):
            bus(host, None, PLAIN)
    with pytest.raises(ValidationError, match="HB_BUS_PASSWORD" if setting == "HB_BUS_KAFKA" else setting) as refused:
        MAKERS[setting](host, secret, PLAIN)
    assert secret not in str(refused.value)


@pytest.mark.parametrize("setting", MAKERS)
@pytest.mark.parametrize("host", AWAY)
def test_with_tls_it_does(setting: str, host: str, tls: TlsSettings) -> None:
    MAKERS[setting](host, STRONG, tls)  # raises nothing


@pytest.mark.parametrize(
    "setting", ["HB_DB_DSN", "HB_MQTT_HOST", "HB_METRICS_HOST", "HB_API_HOST", "HB_WATCH_SERVICES"]
)
@pytest.mark.parametrize("host", HERE)
def test_on_this_machine_nothing_changes(setting: str, host: str) -> None:
    MAKERS[setting](host, WEAK, PLAIN)  # raises nothing
    assert bus(host, None, PLAIN).kafka == f"{host}:9092"


@given(host=st.sampled_from(AWAY), beside=st.sampled_from([*HERE, ""]), mode=st.sampled_from(SSLMODES))
def test_no_way_of_writing_a_dsn_leads_around_it(host: str, beside: str, mode: str) -> None:
    hosts = f"{host}:5432,{beside}" if beside else host
    ways = [
        f"postgresql://u:{STRONG}@{hosts}/hb{mode}",
        f"postgresql://u:{STRONG}@/hb{mode or '?x=1'}&host={host}",
        f"postgres://{host}/hb{mode}",
        f"postgresql:///hb?host={host}",
        f"postgresql://u:{STRONG}@/hb?service=clinic",
        f"postgresql://u:{STRONG}@{host}/hb?sslmode=verify-full&ssl_min_protocol_version=TLSv1",
    ]
    for dsn in ways:
        with pytest.raises(ValidationError, match="HB_DB_DSN") as refused:
            DatabaseSettings(dsn=SecretStr(dsn), tls=PLAIN)
        assert STRONG not in str(refused.value)


def test_libpqs_variables_lead_not_around_it_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "10.0.0.3")
    with pytest.raises(ValidationError, match=r"HB_DB_DSN: 10\.0\.0\.3"):
        DatabaseSettings(dsn=SecretStr("postgresql:///hb"))
    monkeypatch.setenv("PGHOST", "/run/postgresql")
    assert DatabaseSettings(dsn=SecretStr("postgresql:///hb")).pool_size


def test_a_dsn_may_say_itself_what_it_trusts() -> None:
    made = database("10.0.0.3", STRONG, PLAIN, "?sslmode=verify-full&sslrootcert=/etc/hearthbeat/ca.crt")
    assert made.tls.context() is None


@pytest.mark.parametrize("make", [database, bus, broker])
@pytest.mark.parametrize("host", AWAY)
def test_secrets_that_can_be_guessed_are_refused_off_this_machine(
    make: Callable[[str, str, TlsSettings], BaseSettings], host: str, tls: TlsSettings
) -> None:
    for weak in (WEAK, "postgres", "change-me-before-you-go-live", "a" * 30):
        with pytest.raises(ValidationError, match=r"HB_(DB_DSN|BUS_PASSWORD|MQTT_PASSWORDS)") as refused:
            make(host, weak, tls)
        assert weak not in str(refused.value)


@pytest.mark.parametrize("make", [bus, broker])
def test_off_this_machine_everybody_is_known(
    make: Callable[[str, str | None, TlsSettings], BaseSettings], tls: TlsSettings
) -> None:
    with pytest.raises(ValidationError, match="must know us"):
        make("10.0.0.3", None, tls)


def test_a_user_of_kafka_has_a_secret_and_goes_nowhere_in_plaintext(tls: TlsSettings) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        BusSettings(user="store", tls=tls)
    with pytest.raises(ValidationError, match="for TLS alone"):
        bus("127.0.0.1", STRONG, PLAIN)


def test_kafkas_clients_sign_in_by_tls_alone(tls: TlsSettings) -> None:
    signed_in = client_arguments(bus("10.0.0.3", STRONG, tls))

    assert signed_in["security_protocol"] == "SASL_SSL"
    assert signed_in["sasl_mechanism"] == "SCRAM-SHA-512"
    assert signed_in["ssl_context"].check_hostname
    assert client_arguments(bus("127.0.0.1", None, tls))["security_protocol"] == "SSL"
    assert client_arguments(bus("127.0.0.1", None, PLAIN)) == {"bootstrap_servers": "127.0.0.1:9092"}


def test_one_setting_is_enough_for_all(monkeypatch: pytest.MonkeyPatch, tls: TlsSettings) -> None:
    monkeypatch.setenv("HB_TLS_CA_FILE", str(tls.ca_file))

    made = [LOCAL.__class__(dsn=LOCAL.dsn).tls, BusSettings().tls, MqttSettings().tls, LogSettings().tls]
    assert {one.ca_file for one in made} == {tls.ca_file}
    assert all(one.context() is not None for one in made)


@pytest.mark.parametrize("url", ["http://hooks.example/x", "http://10.0.0.1/x"])
def test_watch_calls_nobody_in_plaintext(url: str) -> None:
    for name in ("webhook_url", "heartbeat_url"):
        with pytest.raises(ValidationError, match=f"HB_WATCH_{name.upper()}"):
            WatchSettings.model_validate({"database": LOCAL, name: url})


def test_a_page_of_metrics_that_is_off_needs_no_certificate() -> None:
    assert LogSettings(metrics_host="0.0.0.0").metrics_port == 0  # noqa: S104 - so nowhere


def test_a_file_that_is_missing_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="HB_API_CERTIFICATE_FILE"):
        ApiSettings(host="10.0.0.3", certificate_file=tmp_path / "nowhere", database=LOCAL)
