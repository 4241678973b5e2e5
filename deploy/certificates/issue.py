"""X.509 by `cryptography`: a CA, and what it signs for servers and clients; P-256 keys, SHA-256."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS: Final = 3650
LEAF_DAYS: Final = 397
"""Browsers refuse a certificate that is valid for more than 398 days."""
_EARLIER: Final = timedelta(hours=1)
"""So much a holder's clock may be behind the CA's."""
_NO_PASSWORD: Final = serialization.NoEncryption()


class Kind(StrEnum):
    """What a certificate is for."""

    SERVER = "server"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PKCS #8, without a password."""
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _NO_PASSWORD)


def new_ca(name: str, now: datetime) -> Signed:
    """A root that signs leaf certificates and nothing else, valid for CA_DAYS."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    made = (
        _begin(subject, subject, key, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return Signed(made.sign(key, hashes.SHA256()), key)


def new_leaf(ca: Signed, kind: Kind, name: str, hosts: Sequence[str], now: datetime) -> Signed:
    """A fresh key and a certificate of ``name``; a server's is for ``hosts``, names and addresses.

    Valid for LEAF_DAYS, and never for longer than the CA. Raises ValueError for a host that no certificate can hold.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    # Servers are each other's clients: Kafka's nodes sign in to their controllers by the same certificate.
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if kind is Kind.SERVER:
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    days = min(LEAF_DAYS, (ca.certificate.not_valid_after_utc - now).days)
    made = (
        _begin(_name(name), ca.certificate.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
    )
    if hosts:
        made = made.add_extension(x509.SubjectAlternativeName(map(_general_name, hosts)), critical=False)
    return Signed(made.sign(ca.key, hashes.SHA256()), key)


def kind_of(certificate: x509.Certificate) -> Kind:
    """What a leaf of ours is for."""
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return Kind.SERVER if ExtendedKeyUsageOID.SERVER_AUTH in usage else Kind.CLIENT


def hosts_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that a leaf of ours is for, as given to ``new_leaf``."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(one.value) for one in names)


def load(pem: bytes) -> Signed:
    """Certificate and key out of one text. Raises ValueError."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not an EC key")
    return Signed(x509.load_pem_x509_certificate(pem), key)


def canonical(hosts: Iterable[str]) -> tuple[str, ...]:
    """``hosts`` as a certificate gives them back, each once. Raises ValueError."""
    return tuple(dict.fromkeys(str(_general_name(host).value) for host in hosts))


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
