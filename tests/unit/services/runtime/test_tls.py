"""A listener shows its newest certificate; secrets that can be guessed are refused; mail leaves by TLS alone."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.certificates.authority import Authority
from schemas.broker_access import new_secret
from services.runtime.tls import (
    LEAST_SECRET,
    ServerCertificate,
    TlsSettings,
    hosts_of,
    is_loopback,
    mail_by_tls,
    refuse_weak_secret,
)
from tests.unit.transport.handshake import new_authority, shake_hands
from transport.tls import client_context

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "ca", NOW)


def shown(authority: Authority, certificate: ServerCertificate) -> bytes:
    seen = shake_hands(client_context(authority.ca_file), certificate.context).getpeercert(binary_form=True)
    assert seen is not None
    return seen


def test_a_renewed_certificate_is_shown_without_a_restart(authority: Authority) -> None:
    certificate = ServerCertificate(authority.leaf_file("broker"))
    first = shown(authority, certificate)

    assert shown(authority, certificate) == first
    authority.renew(NOW, within_days=1000)
    second = shown(authority, certificate)
    assert second != first
    assert shown(authority, certificate) == second


def test_a_file_that_is_spoilt_or_gone_changes_nothing(authority: Authority) -> None:
    file = authority.leaf_file("broker")
    certificate = ServerCertificate(file)
    first, text = shown(authority, certificate), file.read_text()

    file.write_text("spoilt")
    assert shown(authority, certificate) == first
    file.unlink()
    assert shown(authority, certificate) == first
    file.write_text(text)
    assert shown(authority, certificate) == first


def test_a_key_may_have_a_file_of_its_own(authority: Authority, tmp_path: Path) -> None:
    text = authority.leaf_file("broker").read_text()
    cut = text.index("-----BEGIN CERTIFICATE")
    (tmp_path / "key.pem").write_text(text[:cut])
    (tmp_path / "certificate.pem").write_text(text[cut:])

    certificate = ServerCertificate(tmp_path / "certificate.pem", tmp_path / "key.pem")
    assert shown(authority, certificate)
    with pytest.raises(ssl.SSLError, match="PEM"):
        ServerCertificate(tmp_path / "certificate.pem")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_listener_refuses_tls_1_1(authority: Authority) -> None:
    old = client_context(authority.ca_file)
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match="PROTOCOL"):
        shake_hands(old, ServerCertificate(authority.leaf_file("broker")).context)


def test_settings_name_a_file_that_cannot_be_read(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")

    for wrong in (tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(ValidationError, match="HB_TLS_CA_FILE"):
            TlsSettings(ca_file=wrong)
        with pytest.raises(ValidationError, match="HB_TLS_CERTIFICATE_FILE"):
            TlsSettings(ca_file=authority.ca_file, certificate_file=wrong)


def test_verification_has_no_switch(authority: Authority) -> None:
    contexts = [
        TlsSettings(ca_file=authority.ca_file).context(),
        TlsSettings(ca_file=authority.ca_file).context_for_pages(),
        TlsSettings().context_for_pages(),
        mail_by_tls("mail.example", 25, None)["tls_context"],
    ]

    for context in contexts:
        assert context is not None
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert not any("verify" in name or "insecure" in name for name in TlsSettings.model_fields)


@pytest.mark.parametrize(
    ("host", "port", "with_ca", "expected"),
    [
        ("127.0.0.1", 25, False, (False, False)),
        ("localhost", 587, False, (False, False)),
        ("127.0.0.1", 25, True, (False, True)),
        ("mail.example", 25, False, (False, True)),
        ("mail.example", 587, True, (False, True)),
        ("mail.example", 465, False, (True, False)),
        ("127.0.0.1", 465, True, (True, False)),
        ("", 25, False, (False, True)),
    ],
)
def test_mail_leaves_by_tls_alone(
    authority: Authority, host: str, port: int, *, with_ca: bool, expected: tuple[bool, bool]
) -> None:
    how = mail_by_tls(host, port, authority.ca_file if with_ca else None)

    assert (how["use_tls"], how["start_tls"]) == expected
    assert (how["tls_context"] is not None) is any(expected)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.8.9.10", True), ("::1", True), ("localhost", True),
        ("", False), ("0.0.0.0", False), ("::", False), ("127.1", False), ("localhost.example", False),  # noqa: S104
        ("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("db", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(host: str, *, here: bool) -> None:
    assert is_loopback(host) is here


def test_the_hosts_of_a_list() -> None:
    assert hosts_of("a:1, 10.0.0.2:9092,[::1]:3,b") == ["a", "10.0.0.2", "::1", "b"]


def test_what_we_make_ourselves_is_strong() -> None:
    for _ in range(200):
        secret = new_secret()
        assert len(secret) >= LEAST_SECRET
        refuse_weak_secret("HB_X", secret, "ingest-0")


@pytest.mark.parametrize(
    "secret",
    [
        "", "short", "x" * 40, "abab" * 10, "change-me-before-you-go-live", "my-ingest-0-of-the-clinic-17",
        "aB3dE6gH9jK2mN5pQ8sT1",
    ],
)  # fmt: skip
def test_what_can_be_guessed_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="HB_X") as refused:
        refuse_weak_secret("HB_X", secret, "ingest-0")
    assert not secret or secret not in str(refused.value)
