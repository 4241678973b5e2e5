"""A client refuses whoever it should: another CA, another name, a certificate whose time is over, an old TLS."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.certificates.authority import Authority
from deploy.certificates.issue import Kind
from tests.unit.transport.handshake import NAME, long_before, new_authority, served_by, shake_hands
from transport.tls import client_context

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "ca", NOW)


@pytest.mark.parametrize("name", [NAME, "127.0.0.1"])
def test_a_server_of_our_ca_is_taken_by_each_of_its_names(authority: Authority, name: str) -> None:
    end = shake_hands(client_context(authority.ca_file), served_by(authority.leaf_file("broker")), name)

    assert end.version() == "TLSv1.3"
    assert end.getpeercert()


@pytest.mark.parametrize("name", ["other.example", "127.0.0.2", "sub.broker.example"])
def test_a_server_of_another_name_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(client_context(authority.ca_file), served_by(authority.leaf_file("broker")), name)


def test_a_server_of_another_ca_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = new_authority(tmp_path / "other", NOW)

    with pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        shake_hands(client_context(authority.ca_file), served_by(other.leaf_file("broker")))


def test_the_systems_cas_do_not_know_ours(authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(), served_by(authority.leaf_file("broker")))


def test_a_certificate_whose_time_is_over_is_refused(authority: Authority) -> None:
    expired = authority.sign(Kind.SERVER, "broker", [NAME], long_before(NOW))

    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(client_context(authority.ca_file), served_by(expired))


def test_a_clients_certificate_makes_no_server(authority: Authority) -> None:
    client = authority.sign(Kind.CLIENT, "band-1", [NAME], NOW)

    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shake_hands(client_context(authority.ca_file), served_by(client))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused(authority: Authority) -> None:
    old = served_by(authority.leaf_file("broker"), newest=ssl.TLSVersion.TLSv1_1)

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        shake_hands(client_context(authority.ca_file), old)


def test_a_server_may_ask_who_we_are(authority: Authority) -> None:
    authority.sign(Kind.CLIENT, "band-1", (), NOW)
    server = served_by(authority.leaf_file("broker"))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(authority.ca_file)

    # In TLS 1.3 the server refuses after the client is done, so both ends have to be at their end.
    shake_hands(client_context(authority.ca_file, authority.leaf_file("band-1")), server)
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN"):
        shake_hands(client_context(authority.ca_file), server)
