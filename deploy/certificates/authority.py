"""The CA of one deployment and all that it has signed, as files of one folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from deploy.certificates.files import CA_CERTIFICATE, CA_KEY, LEAF, write_private
from deploy.certificates.issue import Kind, Signed, canonical, hosts_of, kind_of, load, new_ca, new_leaf

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
RENEW_DAYS: Final = 90
"""A leaf that ends sooner is renewed: so a renewal a month may fail twice."""
_ALMOST_OVER: Final = timedelta(days=1)


class CertificateError(Exception):
    """A CA's folder is not what was expected, or was asked for what it must not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one file of the folder says."""

    name: str
    kind: Kind | None
    hosts: tuple[str, ...]
    ends: datetime

    def days(self, now: datetime) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.ends - now).days


class Authority:
    """A CA in ``directory``. Whoever can read ``ca.key`` can pretend to be any server of the deployment."""

    def __init__(self, directory: Path, signed: Signed) -> None:
        self.directory, self._signed = directory, signed

    @classmethod
    def create(cls, directory: Path, name: str, now: datetime, *, replace: bool = False) -> Self:
        """A new CA. Raises CertificateError where there is one, unless it shall ``replace`` it.

        With a new CA all that the old one has signed is worthless, and so is removed.
        """
        there = any((directory / file).exists() for file in (CA_CERTIFICATE, CA_KEY))
        if there and not replace:
            raise CertificateError(f"{directory} has a CA; everybody who trusts it would have to get another one")
        signed = new_ca(name, now)
        for leaf in _leaves(directory):
            leaf.unlink()
        # The key last: a certificate without its key is no CA, whatever was interrupted here.
        write_private(directory / CA_CERTIFICATE, signed.certificate_pem)
        write_private(directory / CA_KEY, signed.key_pem)
        return cls(directory, signed)

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The CA of a folder. Raises CertificateError."""
        try:
            signed = load((directory / CA_KEY).read_bytes() + (directory / CA_CERTIFICATE).read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise CertificateError(f"{directory} has no CA that can be read") from error
        if signed.certificate.public_key() != signed.key.public_key():
            raise CertificateError(f"{directory / CA_KEY} is not the key of {directory / CA_CERTIFICATE}")
        return cls(directory, signed)

    @classmethod
    def open_or_create(cls, directory: Path, name: str, now: datetime) -> Self:
        """The CA of a folder; a new one only where there is none at all. Raises CertificateError."""
        if any((directory / file).exists() for file in (CA_CERTIFICATE, CA_KEY)):
            return cls.open(directory)
        return cls.create(directory, name, now)

    @property
    def ca_file(self) -> Path:
        """What clients need in order to trust the servers; no secret."""
        return self.directory / CA_CERTIFICATE

    def leaf_file(self, name: str) -> Path:
        """Key and certificate of one holder."""
        return self.directory / f"{name}{LEAF}"

    def provide(self, servers: Mapping[str, Sequence[str]], clients: Sequence[str], now: datetime) -> list[str]:
        """Signs what is missing, or is for other hosts than ``servers`` says; the names of those. Raises as ``sign``.

        What stands there already stays as it is: to sign it anew is what ``renew`` is for.
        """
        wanted = [(Kind.SERVER, name, tuple(hosts)) for name, hosts in servers.items()]
        wanted += [(Kind.CLIENT, name, ()) for name in clients]
        signed = []
        for kind, name, hosts in wanted:
            held = self._held(name)
            if held is None or (held.kind, set(held.hosts)) != (kind, set(_canonical(hosts))):
                self.sign(kind, name, hosts, now)
                signed.append(name)
        return signed

    def sign(self, kind: Kind, name: str, hosts: Sequence[str], now: datetime) -> Path:
        """A fresh key and certificate in place of whatever ``name`` had; the file. Raises CertificateError."""
        if not NAME.fullmatch(name) or name == Path(CA_KEY).stem:
            raise CertificateError(f"{name!r} can be no holder's name: small letters, digits, dot, dash, underscore")
        if kind is Kind.SERVER and not hosts:
            raise CertificateError(f"{name}: a server needs the names or addresses at which it is reached")
        if self._signed.certificate.not_valid_after_utc - now < _ALMOST_OVER:
            raise CertificateError(f"the CA in {self.directory} is over; make a new one, and give it to everybody")
        leaf = new_leaf(self._signed, kind, name, _canonical(hosts), now)
        write_private(self.leaf_file(name), leaf.key_pem + leaf.certificate_pem)
        return self.leaf_file(name)

    def renew(self, now: datetime, *, within_days: int = RENEW_DAYS) -> list[str]:
        """Signs anew whatever ends within so many days, for the same hosts; the names. The CA stays.

        Raises CertificateError.
        """
        due = [held for held in self.held() if held.kind is not None and held.days(now) < within_days]
        for held in due:
            assert held.kind is not None  # noqa: S101 - chosen above
            self.sign(held.kind, held.name, held.hosts, now)
        return [held.name for held in due]

    def held(self) -> list[Held]:
        """The CA, then its leaves by name. Raises CertificateError for a file that can't be read."""
        ca = Held(name="ca", kind=None, hosts=(), ends=self._signed.certificate.not_valid_after_utc)
        leaves = [self._held(path.name.removesuffix(LEAF)) for path in _leaves(self.directory)]
        return [ca, *(leaf for leaf in leaves if leaf is not None)]

    def _held(self, name: str) -> Held | None:
        path = self.leaf_file(name)
        if not path.exists():
            return None
        try:
            certificate = load(path.read_bytes()).certificate
            certificate.verify_directly_issued_by(self._signed.certificate)
            return Held(
                name=name, kind=kind_of(certificate), hosts=hosts_of(certificate), ends=certificate.not_valid_after_utc
            )
        except Exception as error:  # cryptography raises many kinds for what can't be read
            raise CertificateError(f"{path} is nothing that this CA has signed") from error


def _leaves(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{LEAF}"))


def _canonical(hosts: Sequence[str]) -> tuple[str, ...]:
    try:
        return canonical(hosts)
    except ValueError as error:
        raise CertificateError(f"{', '.join(hosts)}: not all of these are host names or addresses") from error
