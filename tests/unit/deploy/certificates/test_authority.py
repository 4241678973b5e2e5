"""A CA is never replaced unasked, what it signs can be renewed as often as one likes, and its files are its own."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from deploy.certificates.authority import RENEW_DAYS, Authority, CertificateError
from deploy.certificates.command import make_app
from deploy.certificates.files import CA_CERTIFICATE, CA_KEY, give_to
from deploy.certificates.issue import CA_DAYS, LEAF_DAYS, Kind

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SERVERS = {"broker": ["mqtt.example", "10.0.0.3"], "database": ["db", "::1"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ca"


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def made(folder: Path, now: datetime = NOW) -> Authority:
    authority = Authority.create(folder, "test", now)
    authority.provide(SERVERS, ["band-1"], now)
    return authority


def test_everything_but_nothing_more_is_there_for_its_owner_alone(folder: Path) -> None:
    made(folder)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys((CA_CERTIFICATE, CA_KEY, "broker.pem", "database.pem", "band-1.pem"), 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_lifetimes_are_sensible(folder: Path) -> None:
    held = {one.name: one for one in made(folder).held()}

    assert held["ca"].days(NOW) == CA_DAYS
    assert held["broker"].days(NOW) == held["band-1"].days(NOW) == LEAF_DAYS
    assert certificate(folder / "broker.pem").not_valid_before_utc < NOW
    assert (held["broker"].kind, held["broker"].hosts) == (Kind.SERVER, ("mqtt.example", "10.0.0.3"))
    assert (held["band-1"].kind, held["band-1"].hosts) == (Kind.CLIENT, ())


def test_a_ca_is_not_replaced_unasked(folder: Path) -> None:
    made(folder)
    before = (folder / CA_KEY).read_bytes()

    with pytest.raises(CertificateError, match="has a CA"):
        Authority.create(folder, "another", NOW)
    assert (folder / CA_KEY).read_bytes() == before
    Authority.create(folder, "another", NOW, replace=True)
    assert (folder / CA_KEY).read_bytes() != before
    assert not (folder / "broker.pem").exists()


@pytest.mark.parametrize("lost", [CA_KEY, CA_CERTIFICATE])
def test_half_a_ca_is_no_reason_for_a_new_one(folder: Path, lost: str) -> None:
    made(folder)
    (folder / lost).unlink()

    with pytest.raises(CertificateError):
        Authority.open_or_create(folder, "another", NOW)


def test_a_key_of_another_ca_is_noticed(folder: Path, tmp_path: Path) -> None:
    made(folder)
    other = made(tmp_path / "other")
    (folder / CA_KEY).write_bytes((other.directory / CA_KEY).read_bytes())

    with pytest.raises(CertificateError, match="not the key"):
        Authority.open(folder)


def test_what_is_there_is_signed_again_only_for_other_hosts(folder: Path) -> None:
    authority = made(folder)

    assert authority.provide(SERVERS, ["band-1"], NOW) == []
    assert authority.provide({"broker": ["10.0.0.3", "mqtt.example"]}, (), NOW) == []
    assert authority.provide({"broker": ["10.0.0.4"]}, ["band-2"], NOW) == ["broker", "band-2"]


def test_renewal_changes_keys_and_nothing_else(folder: Path) -> None:
    authority, ca = made(folder), (folder / CA_CERTIFICATE).read_bytes()
    before = {one.name: certificate(authority.leaf_file(one.name)) for one in authority.held()[1:]}
    later = NOW + timedelta(days=LEAF_DAYS - RENEW_DAYS + 1)

    assert authority.renew(later - timedelta(days=2)) == []
    assert sorted(authority.renew(later)) == sorted(before)
    assert (folder / CA_CERTIFICATE).read_bytes() == ca
    for held in authority.held()[1:]:
        after = certificate(authority.leaf_file(held.name))
        assert after.public_key() != before[held.name].public_key()
        assert after.subject == before[held.name].subject
        assert held.days(later) == LEAF_DAYS
    assert {one.name: one.hosts for one in authority.held() if one.kind is Kind.SERVER} == {
        name: tuple(hosts) for name, hosts in SERVERS.items()
    }


def test_nothing_outlives_its_ca(folder: Path) -> None:
    authority = made(folder)
    late = NOW + timedelta(days=CA_DAYS - 100)

    authority.renew(late)
    assert {one.days(late) for one in authority.held()} == {100}
    with pytest.raises(CertificateError, match="is over"):
        authority.renew(late + timedelta(days=100), within_days=CA_DAYS)


@pytest.mark.parametrize("name", ["", "ca", "../x", "Broker", "a/b", ".hidden", "-x"])
def test_a_name_must_be_a_file_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(CertificateError):
        made(folder).sign(Kind.CLIENT, name, (), NOW)


def test_a_server_has_names_that_a_certificate_can_hold(folder: Path) -> None:
    authority = made(folder)

    for hosts in ([], ["héhé"]):
        with pytest.raises(CertificateError):
            authority.sign(Kind.SERVER, "broker", hosts, NOW)


def test_a_foreign_file_is_named(folder: Path, tmp_path: Path) -> None:
    authority, other = made(folder), made(tmp_path / "other")
    (folder / "broker.pem").write_bytes(other.leaf_file("broker").read_bytes())

    with pytest.raises(CertificateError, match=r"broker\.pem"):
        authority.held()


@given(days=st.lists(st.integers(0, 300), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None)
def test_whoever_renews_at_least_every_three_hundred_days_never_has_one_that_is_over(
    tmp_path_factory: pytest.TempPathFactory, days: list[int]
) -> None:
    authority, now = made(tmp_path_factory.mktemp("ca") / "ca"), NOW
    for pause in days:
        now += timedelta(days=pause)
        assert all(one.days(now) >= 0 for one in authority.held())
        authority.renew(now, within_days=LEAF_DAYS - 1)


def test_a_copy_for_a_server_is_as_private(folder: Path, tmp_path: Path) -> None:
    authority, target = made(folder), tmp_path / "server.pem"

    give_to(authority.leaf_file("broker"), target)

    assert target.read_bytes() == authority.leaf_file("broker").read_bytes()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.new"))


def test_the_commands(folder: Path) -> None:
    moment = [NOW]
    app, runner = make_app(lambda: moment[0]), CliRunner()
    ask = ["make", str(folder), "--server", "broker=mqtt.example,10.0.0.3", "--client", "band-1"]

    assert runner.invoke(app, ask).exit_code == 0
    first = (folder / CA_CERTIFICATE).read_bytes()
    again = runner.invoke(app, ask)
    assert (again.exit_code, "signed" in again.output) == (0, False)
    assert (folder / CA_CERTIFICATE).read_bytes() == first

    shown = runner.invoke(app, ["show", str(folder)])
    assert shown.exit_code == 0
    assert "mqtt.example" in shown.output
    moment[0] = NOW + timedelta(days=LEAF_DAYS - 10)
    assert runner.invoke(app, ["show", str(folder)]).exit_code == 1
    assert "band-1, broker" in runner.invoke(app, ["renew", str(folder)]).output
    assert "nothing" in runner.invoke(app, ["renew", str(folder)]).output
    assert "broker" in runner.invoke(app, ["renew", str(folder), "--all"]).output
    assert runner.invoke(app, ["show", str(folder)]).exit_code == 0

    assert runner.invoke(app, ["make", str(folder), "--new-ca"]).exit_code == 0
    assert (folder / CA_CERTIFICATE).read_bytes() != first


@pytest.mark.parametrize("server", ["broker", "broker=", "=x", "Broker=x"])
def test_a_server_that_is_written_wrongly(folder: Path, server: str) -> None:
    asked = CliRunner().invoke(make_app(lambda: NOW), ["make", str(folder), "--server", server])

    assert asked.exit_code == 2
    assert "NAME=HOST" in asked.output
    assert not folder.exists()


def test_a_folder_without_a_ca(folder: Path) -> None:
    for command in ("show", "renew"):
        asked = CliRunner().invoke(make_app(lambda: NOW), [command, str(folder)])
        assert (asked.exit_code, "no CA" in asked.output) == (2, True)
